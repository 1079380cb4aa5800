"""The layer of the lab's images: what a link of the base leads to is the base's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.lab import layer

if TYPE_CHECKING:
    from pathlib import Path


def test_an_absolute_link_of_the_base_is_followed_within_it(tmp_path: Path) -> None:
    """Ubuntu's dynamic loader is one: this machine's own would not fit the base's C library."""
    real = tmp_path / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"the base's")
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "usr/lib64").mkdir()
    link = tmp_path / "usr/lib64/ld-linux-x86-64.so.2"
    link.symlink_to("/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")

    assert layer.inside(tmp_path, link).read_bytes() == b"the base's"


def test_a_relative_link_is_followed_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/python3.10").write_bytes(b"python")
    (tmp_path / "usr/bin/python3").symlink_to("python3.10")

    assert layer.inside(tmp_path, tmp_path / "usr/bin/python3").name == "python3.10"
