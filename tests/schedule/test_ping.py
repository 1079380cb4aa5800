"""The URL that is called after a run: it is called, and it is never shown."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gonka_state.errors import GonkaStateError, InputError
from gonka_state.schedule.ping import check_url, ping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "c0ffee-uuid"  # noqa: S105 (what must not be shown)


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[str, list[str]]]:
    """A server that answers with these statuses in turn; its URL, and the paths that were asked for."""
    asked: list[str] = []
    left = list(statuses)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{SECRET}", asked
        finally:
            server.shutdown()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ping-url"


def test_it_is_called_once_where_it_answers(file: Path) -> None:
    with answering(200) as (url, asked):
        file.write_text(f"{url}\n")
        ping(file)

    assert asked == [f"/{SECRET}"]


def test_it_is_called_again_where_it_does_not(file: Path) -> None:
    with answering(503, 200) as (url, asked):
        file.write_text(url)
        ping(file)

    assert len(asked) == 2


def test_what_fails_is_told_without_the_url(file: Path) -> None:
    with answering(404) as (url, _):
        file.write_text(url)
        with pytest.raises(GonkaStateError, match="it answered 404") as refused:
            ping(file)
    with pytest.raises(GonkaStateError, match="Connection refused") as silent:
        ping(file)
    file.write_text(f"ftp://example.net/{SECRET}")
    with pytest.raises(GonkaStateError, match="no http or https URL") as odd:
        ping(file)

    for error in (refused, silent, odd):
        assert SECRET not in str(error.value)
        assert str(file) in str(error.value)


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(GonkaStateError, match="cannot be read: No such file"):
        ping(file)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://",
        "file:///etc/passwd",
        "https://a b",
        "https://a\nb",
        "http://[x",
        "http://x:99999",
        "http://ä",
    ],
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InputError, match=r"^the ping URL is no http or https URL$"):
        check_url(url)
