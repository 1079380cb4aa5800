"""A known_hosts file against the programs it is for: what they find we find, and what they do not know stays."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.trust import Key
from gonka_state.engine import pinning
from gonka_state.engine.known_hosts import lines, pinned, read
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMENT = "# kept by hand"
AUTHORITY = "@cert-authority *.example ssh-ed25519 AAAA"


@pytest.fixture
def new_key(tmp_path: Path) -> Callable[[str], Key]:
    """A real key pair's public half, by type."""

    def make(kind: str) -> Key:
        path = tmp_path / f"{kind}-{len(list(tmp_path.iterdir()))}"
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
        found, data, *_ = path.with_suffix(".pub").read_text().split()
        return Key(found, data)

    return make


def keygen(*arguments: str) -> str:
    return subprocess.run(["ssh-keygen", *arguments], capture_output=True, text=True, check=False).stdout


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path, new_key: Callable[[str], Key]) -> None:
    for kind in ("ed25519", "ecdsa", "rsa"):
        key = new_key(kind)
        file = tmp_path / "one.pub"
        file.write_text(f"{key.type} {key.data}\n")
        assert key.fingerprint in keygen("-lf", str(file))


def test_hashed_names_are_found_and_replaced_like_plain_ones(
    tmp_path: Path, new_key: Callable[[str], Key]
) -> None:
    old, other, new = (new_key("ed25519") for _ in range(3))
    file = tmp_path / "known_hosts"
    file.write_text(pinning.changed("", {"10.0.0.1": [old], "[10.0.0.1]:2222": [other]}))
    keygen("-H", "-f", str(file))
    text = read(str(file))

    assert "10.0.0.1" not in text
    assert pinned(text, "10.0.0.1") == {old.type: old}
    assert pinned(text, "[10.0.0.1]:2222") == {other.type: other}
    replaced = pinning.changed(text, {"10.0.0.1": [new]}, ["10.0.0.1"])
    assert pinned(replaced, "10.0.0.1") == {new.type: new}
    assert pinned(replaced, "[10.0.0.1]:2222") == {other.type: other}


def test_what_we_write_is_what_ssh_programs_read(tmp_path: Path, new_key: Callable[[str], Key]) -> None:
    key = new_key("rsa")
    file = tmp_path / "known_hosts"
    pinning.write(str(file), pinning.changed(f"{COMMENT}\n", {"[fd00::1]:2222": [key]}))

    assert f"[fd00::1]:2222 {key.type} {key.data}" in keygen("-F", "[fd00::1]:2222", "-f", str(file))
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir() if "known" in path.name] == ["known_hosts"]


def test_other_lines_and_other_names_stay_as_they_are(new_key: Callable[[str], Key]) -> None:
    shared, new = new_key("ed25519"), new_key("ed25519")
    text = f"{COMMENT}\na,b  {shared.type} {shared.data} note\n{AUTHORITY}\nb {shared.type} damaged!\n\n"

    changed = pinning.changed(text, {"a": [new]}, ["a"])

    assert changed.splitlines() == [
        COMMENT,
        f"b  {shared.type} {shared.data} note",
        AUTHORITY,
        f"b {shared.type} damaged!",
        "",
        f"a {new.type} {new.data}",
    ]
    assert pinned(changed, "b") == {shared.type: shared}


def test_a_link_is_followed_and_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("")
    (tmp_path / "link").symlink_to(real)
    pinning.write(str(tmp_path / "link"), "x\n")

    assert (tmp_path / "link").is_symlink()
    assert real.read_text() == "x\n"
    assert read(str(tmp_path / "none")) == ""
    with pytest.raises(InputError, match="cannot be written"):
        pinning.write(str(tmp_path / "no" / "where"), "x\n")


@given(
    st.text(alphabet=st.characters(blacklist_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")),
    st.text(min_size=1),
)
def test_any_text_is_read_and_nothing_of_it_is_lost(text: str, name: str) -> None:
    assert [line.raw for line in lines(text)] == text.splitlines()
    assert pinning.changed(text, {}).splitlines() == text.splitlines()
    pinned(text, name)
