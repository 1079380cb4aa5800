"""What this machine's own configuration says, in both of apt's formats and with strangers in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonka_state.errors import LabError
from gonka_state.lab.machine import mirror, release

if TYPE_CHECKING:
    from pathlib import Path

DEB822 = """\
Types: deb
# an old snapshot: http://old.example/
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
"""
STRANGER = """\
Types: deb
URIs: https://node.example/node_20.x
Suites: nodistro
Components: main
Architectures: amd64
"""


def apt(tmp_path: Path, **files: str) -> Path:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    for name, text in files.items():
        (parts / name.replace("_", ".")).write_text(text)
    return tmp_path


def test_deb822_entry_of_the_base_system_is_taken(tmp_path: Path) -> None:
    assert mirror("bookworm", apt(tmp_path, a_sources=STRANGER, b_sources=DEB822)) == (
        "http://mirror.example/debian",
        ("main",),
    )


def test_one_line_entry_with_options_is_taken(tmp_path: Path) -> None:
    root = apt(tmp_path, cloud_list="deb https://cloud.example/apt cloud-sdk-bookworm main\n")
    (root / "sources.list").write_text(
        "# deb http://off.example/debian bookworm main\n"
        "deb-src http://mirror.example/ubuntu bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/ubuntu bookworm main universe # note\n"
    )
    assert mirror("bookworm", root) == ("http://mirror.example/ubuntu", ("main", "universe"))


def test_entries_switched_off_and_other_files_are_passed_over(tmp_path: Path) -> None:
    off = DEB822.replace("Types: deb\n", "Types: deb\nEnabled: no\n")
    with pytest.raises(LabError, match="no source for bookworm"):
        mirror("bookworm", apt(tmp_path, a_sources=off, b_disabled=DEB822, c_sources=STRANGER))


def test_continued_fields_are_read(tmp_path: Path) -> None:
    text = "Types: deb\nURIs: http://mirror.example/debian\nSuites:\n bookworm\n bookworm-updates\nComponents: main\n"
    assert mirror("bookworm", apt(tmp_path, a_sources=text))[0] == "http://mirror.example/debian"


def test_os_release_is_unquoted() -> None:
    assert release('# comment\nID=debian\nVERSION_ID="12"\n') == {"ID": "debian", "VERSION_ID": "12"}
