"""The stand-in `inferenced keys …`: published vectors, and the real program's prompts and faults."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import bcrypt
import pytest

from gonka_state.core.bech32 import address_of, encode, raw_address
from gonka_state.lab.standins import wallet

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "abandon " * 23 + "art"
"""BIP 39's own vector of zeroes."""
PASSWORD = "correct horse"  # noqa: S105 (nobody's)
FILE = ("--keyring-backend", "file")


def inferenced(home: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One command line, its home elsewhere."""
    argv = [sys.executable, "-m", "gonka_state.lab.standins.inferenced", *words, "--home", str(home)]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=60)


def lines(*items: str) -> str:
    return "".join(f"{item}\n" for item in items)


def files(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "keyring-file").iterdir())


def test_the_key_follows_from_the_mnemonic(monkeypatch: pytest.MonkeyPatch) -> None:
    # The Cosmos address of these words is printed in many places; only the coin type differs here.
    monkeypatch.setattr(wallet, "PATH", (44 | 1 << 31, 118 | 1 << 31, 1 << 31, 0, 0))

    address = encode("cosmos", raw_address(wallet.address(WORDS)))

    assert address == "cosmos1r5v5srda7xfth3hn2s26txvrcrntldjumt8mhl"


def test_a_new_keyring_asks_for_the_passphrase_twice(tmp_path: Path) -> None:
    once = inferenced(tmp_path, "keys", "add", "warm", *FILE, stdin=lines(PASSWORD))
    assert (once.returncode, "too many failed" in once.stderr) == (1, True)

    done = inferenced(tmp_path, "keys", "add", "warm", *FILE, stdin=lines(PASSWORD, PASSWORD))

    assert done.returncode == 0
    assert '  name: warm\n  pubkey: \'{"@type":' in done.stdout
    address = done.stdout.split()[2]
    assert len(done.stderr.strip().splitlines()[-1].split()) == 24
    assert address_of(bytes.fromhex(files(tmp_path)[0].removesuffix(".address"))) == address
    assert files(tmp_path)[1:] == ["keyhash", "warm.info"]
    assert bcrypt.checkpw(PASSWORD.encode(), (tmp_path / "keyring-file/keyhash").read_bytes())


def test_nothing_on_disk_holds_a_secret_in_the_clear(tmp_path: Path) -> None:
    inferenced(tmp_path, "keys", "add", "warm", "--recover", *FILE, stdin=lines(WORDS, PASSWORD, PASSWORD))

    stored = b"".join(path.read_bytes() for path in (tmp_path / "keyring-file").iterdir())
    assert b"abandon" not in stored
    assert PASSWORD.encode() not in stored


def test_recovering_reads_the_mnemonic_before_the_passphrase(tmp_path: Path) -> None:
    done = inferenced(
        tmp_path, "keys", "add", "warm", "--recover", *FILE, "--output", "json",
        stdin=lines(WORDS, PASSWORD, PASSWORD),
    )  # fmt: skip

    found = json.loads(done.stdout)
    assert found["address"] == wallet.address(WORDS)
    assert json.loads(found["pubkey"])["key"] == wallet.public_key(WORDS)
    assert "mnemonic" not in found


def test_an_existing_keyring_asks_once_and_refuses_another_passphrase(tmp_path: Path) -> None:
    inferenced(tmp_path, "keys", "add", "warm", *FILE, stdin=lines(PASSWORD, PASSWORD))

    wrong = inferenced(tmp_path, "keys", "show", "warm", "-a", *FILE, stdin=lines(*["another one"] * 3))
    right = inferenced(tmp_path, "keys", "show", "warm", "-a", *FILE, stdin=lines("another one", PASSWORD))

    assert (wrong.returncode, wrong.stderr.count("incorrect passphrase")) == (1, 3)
    assert right.stdout.startswith("gonka1")


def test_a_passphrase_that_is_too_short_is_asked_for_again(tmp_path: Path) -> None:
    done = inferenced(tmp_path, "keys", "add", "warm", *FILE, stdin=lines("short", PASSWORD, PASSWORD))

    assert done.returncode == 0
    assert "password must be at least 8 characters" in done.stderr


@pytest.mark.parametrize(("answer", "replaced"), [("yes of course", True), (PASSWORD, False)])
def test_a_name_that_exists_is_overridden_after_the_next_line(
    tmp_path: Path, answer: str, *, replaced: bool
) -> None:
    inferenced(tmp_path, "keys", "add", "warm", *FILE, stdin=lines(PASSWORD, PASSWORD))
    before = files(tmp_path)

    done = inferenced(tmp_path, "keys", "add", "warm", *FILE, stdin=lines(PASSWORD, answer))

    assert (files(tmp_path) != before) == replaced
    assert done.returncode == (0 if replaced else 1)
    assert replaced or done.stderr == "aborted\n"


def test_one_key_cannot_have_two_names(tmp_path: Path) -> None:
    inferenced(tmp_path, "keys", "add", "one", "--recover", *FILE, stdin=lines(WORDS, PASSWORD, PASSWORD))

    done = inferenced(tmp_path, "keys", "add", "two", "--recover", *FILE, stdin=lines(WORDS, PASSWORD))

    assert (done.returncode, done.stderr) == (1, "duplicated address created\n")


def test_words_that_are_no_mnemonic_are_refused(tmp_path: Path) -> None:
    done = inferenced(tmp_path, "keys", "add", "one", "--recover", *FILE, stdin=lines("abandon " * 24))

    assert (done.returncode, done.stderr) == (1, "invalid mnemonic\n")


def test_the_default_backend_asks_nobody(tmp_path: Path) -> None:
    done = inferenced(tmp_path, "keys", "add", "open")

    assert done.returncode == 0
    assert sorted(path.suffix for path in (tmp_path / "keyring-test").iterdir()) == [".address", ".info"]


def test_show_in_its_forms(tmp_path: Path) -> None:
    inferenced(tmp_path, "keys", "add", "one", "--recover", stdin=lines(WORDS))

    by_address = inferenced(tmp_path, "keys", "show", wallet.address(WORDS), "--output", "json")
    key = inferenced(tmp_path, "keys", "show", "one", "--pubkey")
    both = inferenced(tmp_path, "keys", "show", "one", "--pubkey", "--output", "json")
    nobody = inferenced(tmp_path, "keys", "show", "nobody")

    assert json.loads(by_address.stdout)["name"] == "one"
    assert json.loads(key.stdout)["key"] == wallet.public_key(WORDS)
    assert both.stderr == "cannot use --output with --address or --pubkey\n"
    assert (nobody.returncode, "not a valid name or address" in nobody.stderr) == (1, True)


def test_a_list_of_none_and_of_several(tmp_path: Path) -> None:
    assert inferenced(tmp_path, "keys", "list").stdout == "No records were found in keyring.\n"
    assert inferenced(tmp_path, "keys", "list", "--output", "json").stdout == "[]\n"
    for name in ("two", "one"):
        inferenced(tmp_path, "keys", "add", name)

    listed = json.loads(inferenced(tmp_path, "keys", "list", "--output", "json").stdout)

    assert [item["name"] for item in listed] == ["one", "two"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["keys", "steal"], 'unknown command "keys steal"'),
        ([], "unknown command"),
        (["keys", "add"], "accepts 1 arg(s), received 0"),
        (["keys", "add", "one", "--keyring-backend", "os"], "unknown keyring backend os"),
        (["keys", "list", "--output", "yaml"], "invalid output format yaml"),
    ],
)
def test_a_command_line_that_is_wrong_ends_with_a_line(tmp_path: Path, words: list[str], says: str) -> None:
    done = inferenced(tmp_path, *words)

    assert done.returncode == 1
    assert done.stderr.startswith(says)


def test_a_flag_without_its_value(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "gonka_state.lab.standins.inferenced", "keys", "list", "--home"]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.stderr == "flag needs an argument: --home\n"
