"""Environments built by a real python3 -m venv and a real pip, from a folder with two small wheels."""

from __future__ import annotations

import subprocess
import threading
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.errors import StepError
from gonka_state.operations.python_tool import _sources, apply
from gonka_state.resources.python_tool import PythonToolResource
from tests.operations.hands import carry_out, step_of

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
def main():
    if sys.argv[1:] == ["wait"]:
        sys.stdin.read()
    print("{version}")
"""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        info = f"gs_tool-{version}.dist-info"
        files = {
            "gs_tool.py": PROGRAM.format(version=version),
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: gs-tool\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": "[console_scripts]\ngs = gs_tool:main\n",
        }
        record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
        with zipfile.ZipFile(folder / f"gs_tool-{version}-py3-none-any.whl", "w") as wheel:
            for name, text in (files | {f"{info}/RECORD": record}).items():
                wheel.writestr(name, text)
    return folder


def wish(place: Path, wheels: Path, version: str = "1.0", **more: str) -> PythonToolResource:
    words = {"package": "gs_tool", "program": "gs", "path": str(place), "wheels": str(wheels), **more}
    return PythonToolResource.model_validate({"name": "gs", "version": version, **words})


def said(place: Path) -> str:
    return subprocess.run([place / "bin/gs"], capture_output=True, check=True, text=True).stdout.strip()


def test_it_is_built_whole_or_not_at_all(tmp_path: Path, wheels: Path) -> None:
    place, link = tmp_path / "opt | & tools" / "gs.x", tmp_path / "bin" / "gs"
    left = place.with_name("gs.x.gonka-state")
    left.mkdir(parents=True)
    (left / "half").write_text("")

    carry_out(apply(step_of(wish(place, wheels, link=str(link)), Action.CREATE)))

    assert (said(place), link.resolve()) == ("1.0", place / "bin/gs")
    assert str(left) not in (place / "bin/activate").read_text() + (place / "bin/gs").read_text()

    busy = subprocess.Popen([place / "bin/gs", "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with pytest.raises(StepError, match=f"bin/gs is running .process {busy.pid}"):
            carry_out(apply(step_of(wish(place, wheels, "2.0"), Action.UPDATE, "version")))
    finally:
        busy.communicate()
    assert said(place) == "1.0"

    with pytest.raises(StepError, match=r"could not build .*3\.0") as failed:
        carry_out(apply(step_of(wish(place, wheels, "3.0"), Action.UPDATE, "version")))
    assert failed.value.hint == f"can the host get gs_tool 3.0 from {wheels}?"
    assert said(place) == "1.0"
    assert [path.name for path in place.parent.iterdir()] == ["gs.x"]

    carry_out(apply(step_of(wish(place, wheels, "2.0"), Action.UPDATE, "version")))
    assert said(place) == "2.0"
    assert [path.name for path in place.parent.iterdir()] == ["gs.x"]


def test_what_a_killed_converge_still_builds_is_waited_for(tmp_path: Path, wheels: Path) -> None:
    place = tmp_path / "opt" / "gs"
    failed: list[BaseException] = []

    def build() -> None:
        try:
            carry_out(apply(step_of(wish(place, wheels), Action.CREATE)))
        except BaseException as error:  # noqa: BLE001 (told below)
            failed.append(error)

    builds = [threading.Thread(target=build) for _ in range(3)]
    for one in builds:
        one.start()
        time.sleep(0.7)
    for one in builds:
        one.join()

    assert failed == []
    assert said(place) == "1.0"
    assert [path.name for path in place.parent.iterdir()] == ["gs"]


def test_the_link_alone_does_not_build_and_replaces_no_file(tmp_path: Path, wheels: Path) -> None:
    link = tmp_path / "gs"
    resource = wish(tmp_path / "env", wheels, link=str(link))
    link.symlink_to("/elsewhere")

    carry_out(apply(step_of(resource, Action.UPDATE, "link")))

    assert str(link.readlink()) == resource.command
    link.unlink()
    link.write_text("mine")
    with pytest.raises(StepError, match="is no link"):
        carry_out(apply(step_of(resource, Action.UPDATE, "link")))
    assert link.read_text() == "mine"


def test_nothing_but_the_folder_is_asked_where_one_is_named() -> None:
    assert _sources(None) == []
    assert _sources("/srv/wheels") == ["--no-index", "--find-links", "/srv/wheels"]
    assert _sources("http://10.0.0.1:81/w/")[-2:] == ["--trusted-host", "10.0.0.1:81"]
    assert "--trusted-host" not in _sources("https://wheels.invalid/w/")
