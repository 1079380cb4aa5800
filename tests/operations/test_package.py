"""What is decided before dpkg runs: by a real apt with an index, sources and a status of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.errors import StepError
from gonka_state.operations.base import Do, Result
from gonka_state.operations.package import _hint, apply
from gonka_state.resources.package import PackageResource
from tests.operations.hands import step_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "dpkg", "dpkg-deb"))), reason="apt and dpkg are Debian's"
)
INSTALLED = "Status: install ok installed\nPriority: optional\nSection: misc\nMaintainer: t <t@invalid>\nDescription: t\n"
CONFIGURATION = """
Dir "{root}";
Dir::State::status "{root}/status";
Dir::Bin::methods "/usr/lib/apt/methods";
Dir::Log "{root}/log";
APT::Architecture "amd64";
APT::Sandbox::User "";
"""


@dataclass
class Site:
    """A root of apt's own, with one repository that holds gs-lib 1.0 and 2.0, gs-tool 1.0 and others."""

    root: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment that makes apt live in this root."""
        return {**os.environ, "APT_CONFIG": str(self.root / "apt.conf")}

    def add(self, name: str, version: str, **control: str) -> None:
        """Put a package into the repository."""
        tree = self.root / "tree" / f"{name}_{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        words = {
            "Package": name, "Version": version, "Architecture": "all", "Maintainer": "t <t@invalid>",
            **control, "Description": "t",
        }  # fmt: skip
        text = "".join(f"{key}: {value}\n" for key, value in words.items())
        (tree / "DEBIAN" / "control").write_text(text)
        deb = self.root / "repo" / f"{name}_{version}_all.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, deb], check=True, capture_output=True
        )
        digest = hashlib.sha256(deb.read_bytes()).hexdigest()
        with (self.root / "repo" / "Packages").open("a") as index:
            index.write(f"{text}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n\n")

    def installed(self, name: str, version: str) -> None:
        """Make dpkg's status say that it is installed."""
        with (self.root / "status").open("a") as status:
            status.write(f"Package: {name}\nVersion: {version}\nArchitecture: all\n{INSTALLED}\n")

    def prepare(self, name: str, minimum: str | None = None) -> Do:
        """Run the first command of an install, and return the second, which is not run."""
        wish = PackageResource(name=name, minimum=minimum)
        commands = apply(step_of(wish, Action.CREATE))
        first = next(commands)
        assert isinstance(first, Do)
        script = first.script.replace("/run/gonka-state-apt.log", str(self.root / "apt.log"))
        done = subprocess.run(
            ["sh", "-c", script], env=self.env, capture_output=True, text=True, check=False, timeout=60
        )
        second = commands.send(Result(done.returncode, done.stdout, done.stderr))
        assert isinstance(second, Do)
        return second


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    for folder in (
        "etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d", "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial", "repo", "log",
    ):  # fmt: skip
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "apt.conf").write_text(CONFIGURATION.format(root=tmp_path))
    (tmp_path / "status").write_text("")
    (tmp_path / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{tmp_path}/repo ./\n")
    for version in ("1.0", "2.0"):
        site.add("gs-lib", version)
    site.add("gs-tool", "1.0", Depends="gs-lib")
    site.add("gs-rival", "1.0", Conflicts="gs-lib")
    return site


def test_the_index_is_fetched_only_where_it_does_not_know_the_package(site: Site) -> None:
    lists = site.root / "var/lib/apt/lists"
    assert [path for path in lists.iterdir() if path.is_file()] == []

    install = site.prepare("gs-tool")

    assert "systemd-run" in install.script
    first = {path: path.lstat().st_mtime_ns for path in lists.iterdir()}
    assert any(path.name.endswith("_Packages") for path in first)
    site.add("gs-later", "1.0")
    site.prepare("gs-lib", "2.0")
    assert {path: path.lstat().st_mtime_ns for path in lists.iterdir()} == first
    site.prepare("gs-later")


def test_what_apt_does_not_know_is_refused(site: Site) -> None:
    with pytest.raises(StepError, match="apt knows no package gs-nosuch, also with a fresh index"):
        site.prepare("gs-nosuch")


def test_a_version_that_is_not_to_be_had_is_named(site: Site) -> None:
    with pytest.raises(StepError, match=r"the newest gs-lib that apt knows is 2\.0, not 3\.0"):
        site.prepare("gs-lib", "3.0")


def test_an_index_that_cannot_be_fetched_is_said(site: Site) -> None:
    (site.root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/nonexistent ./\n")

    with pytest.raises(StepError, match="apt cannot fetch its index") as failed:
        site.prepare("gs-tool")

    assert "reach the mirrors" in failed.value.hint


def test_other_packages_are_not_upgraded(site: Site) -> None:
    site.add("gs-newer", "1.0", Depends="gs-lib (>= 2.0)")
    site.installed("gs-lib", "1.0")

    with pytest.raises(StepError, match="gs-newer was not installed: apt would upgrade gs-lib too") as failed:
        site.prepare("gs-newer")

    assert failed.value.hint.endswith("\nsudo apt-get install --only-upgrade gs-lib")
    site.prepare("gs-tool")
    site.prepare("gs-lib", "1.5")


def test_other_packages_are_not_removed(site: Site) -> None:
    site.installed("gs-lib", "2.0")

    with pytest.raises(StepError, match="remove is disabled") as failed:
        site.prepare("gs-rival")

    assert "nothing is ever removed" in failed.value.hint


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.", "--configure -a"),
        ("E: Unmet dependencies. Try 'apt --fix-broken install' with no packages", "--fix-broken install"),
        ("E: Sub-process /usr/bin/dpkg returned an error code (1)", "own script failed"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt-get)", "another apt"),
        ("E: something else", ""),
    ],
)  # fmt: skip
def test_what_apt_says_has_its_remedy(words: str, hint: str) -> None:
    found = _hint(Result(1, "", words))

    assert hint in found
    assert bool(hint) == bool(found)


def test_the_install_survives_a_reload_of_systemd(site: Site) -> None:
    """A transient unit is read again at a daemon-reload of systemd, and would then run another command than a shell's.

    Seen on a host: what `sh -c 'exec "$@" >"$log"'` had become ended with 127.
    """
    install = site.prepare("gs-tool")
    programs = site.root / "programs"
    programs.mkdir()
    for name, body in (("systemd-run", f"printf '%s\\0' \"$@\" >{site.root}/argv"), ("systemctl", "exit 3")):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    script = install.script.replace("/run/gonka-state-apt.log", str(site.root / "apt.log"))
    env = {**site.env, "PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], env=env, check=True, timeout=60)

    told = (site.root / "argv").read_text().split("\0")[:-1]

    assert "apt-get" in told
    assert told[-3:] == ["install", "--", "gs-tool"]
    assert [word for word in told if set(word) & set("$;\\\"'%")] == []
