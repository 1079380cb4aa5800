"""What every stand-in that speaks HTTP shares: routes, JSON answers, a server, and a clean stop."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from types import FrameType

    from gonka_state.lab.standins.jsons import Json


@dataclass(frozen=True)
class Request:
    """One request, read whole."""

    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path, decoded, without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query's values; the last of several with one name."""
        return dict(parse_qsl(urlsplit(self.target).query))


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    body: bytes
    kind: str = "application/json"


Handler = Callable[..., Reply]


def as_json(value: Json, status: int = 200, indent: int | None = None) -> Reply:
    """A JSON answer, with the newline that Go's encoder ends with."""
    return Reply(status, (json.dumps(value, indent=indent) + "\n").encode())


def as_text(text: str, status: int = 200) -> Reply:
    """A plain answer."""
    return Reply(status, text.encode(), "text/plain")


def error(message: Json, status: int) -> Reply:
    """An error in the shape of the API: always one key."""
    return as_json({"error": message}, status)


def detail(message: Json, status: int) -> Reply:
    """An error in the shape of the ML node and its engine."""
    return as_json({"detail": message}, status)


class Routes:
    """Methods and path patterns, and who answers them; `:name` in a pattern is handed over by name."""

    def __init__(self, refuse: Handler = error) -> None:
        self._refuse = refuse
        self._table: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Let `handler` answer what matches."""
        expression = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", pattern)
        self._table.append((method, re.compile(expression), handler))

    def answer(self, request: Request) -> Reply:
        """Find who answers, or say as the real server would that nobody does."""
        other_method = False
        for method, pattern, handler in self._table:
            if match := pattern.fullmatch(request.path):
                if method == request.method:
                    return handler(request, **match.groupdict())
                other_method = True
        return self._refuse("Method Not Allowed", 405) if other_method else self._refuse("Not Found", 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, answer: Callable[[Request], Reply]) -> None:
        super().__init__(("", port), _Handler)
        self.answer = answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, self.rfile.read(length), headers)
        reply = self.server.answer(request)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815  (the base class looks for these names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        """Log as servers do, to where `docker logs` looks."""
        sys.stderr.write(f"{self.address_string()} {format % args}\n")


def serve(port: int, answer: Callable[[Request], Reply]) -> ThreadingHTTPServer:
    """Answer on a port, in the background."""
    server = _Server(port, answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def run_until_stopped(
    stop: Callable[[], None] = lambda: None, tick: Callable[[], None] = lambda: None
) -> NoReturn:
    """Keep the container alive, calling `tick` about every second, until it is told to stop.

    The first process of a container has no default for SIGTERM: without this, every stop would take ten seconds. It
    ends at once: a thread that wakes while Python takes itself apart is ended by libgcc, which the images do not have,
    and the first process of a container that aborts for it ends with status 139.
    """
    stopped = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    while not stopped.wait(1):
        tick()
    stop()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
