"""The file itself: for its owner alone, made once by however many at once, and never fatal to a command."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from gonka_state.errors import GonkaStateError
from gonka_state.history.digest import digest, read_key
from gonka_state.history.file import opened
from gonka_state.history.tables import MIGRATIONS
from gonka_state.resources.file import FileResource

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Store

WRITER = """
import sys
from pathlib import Path
from tests.history.conftest import Store, differing, looked
store = Store(Path(sys.argv[1]), float(sys.argv[2]))
for turn in range(25):
    store.keep(looked(differing("a")) if turn % 2 else looked())
"""
RECORDS = 25


def test_it_is_for_its_owner_alone(store: Store) -> None:
    with opened(store.file) as connection:
        connection.execute("CREATE TABLE t (x)")
        modes = [path.stat().st_mode & 0o777 for path in store.file.parent.iterdir()]

    assert store.file.parent.stat().st_mode & 0o777 == 0o700
    assert modes == [0o600] * 3


def test_several_processes_at_once_lose_nothing(store: Store) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.file), str(n * 1_000_000)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(1, 5)
    ]
    said = [process.communicate(timeout=120)[1] for process in processes]

    assert (said, [process.returncode for process in processes]) == ([""] * 4, [0] * 4)
    with opened(store.file) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (4 * RECORDS,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_of_a_newer_program_is_left_alone(store: Store) -> None:
    with opened(store.file) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(GonkaStateError, match="written by a newer gonka-state"), opened(store.file):
        pass


def test_what_is_no_database_says_so(store: Store) -> None:
    store.file.parent.mkdir()
    store.file.write_bytes(b"no database" * 200)

    with (
        pytest.raises(GonkaStateError, match=f"{store.file} cannot be used: file is not a database"),
        opened(store.file),
    ):
        pass


def test_a_directory_in_its_way_says_so(store: Store) -> None:
    store.file.mkdir(parents=True)

    with pytest.raises(GonkaStateError, match="cannot be used: Is a directory"), opened(store.file):
        pass


def test_the_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "history.key"

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read_key(path), range(8)))

    assert len(keys) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_digest_follows_the_wish_and_its_secrets_and_no_order() -> None:
    wish = FileResource(name="/etc/one", content="\0secret:p\0", secrets={"p": SecretStr("hunter2")})
    same = wish.model_copy(update={"needs": ("file:/etc/two",)})
    other = wish.model_copy(update={"secrets": {"p": SecretStr("hunter3")}})

    assert digest(b"k" * 32, wish) == digest(b"k" * 32, same)
    assert len({digest(b"k" * 32, wish), digest(b"l" * 32, wish), digest(b"k" * 32, other)}) == 3
