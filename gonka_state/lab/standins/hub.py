"""A model hub on the lab's network that the real `hf` client downloads from.

Any model of the list and any 40-hex revision of it is served; every byte follows from model, revision and
file name, so a download can be judged without keeping what was sent. A control file, read at every request,
makes it slow or broken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from gonka_state.lab.standins.hubfiles import SHARD_BYTES, HubFile, files

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json

EXTRA_MODELS = ("Qwen/QwQ-32B", "Qwen/Qwen2.5-7B-Instruct")
CHUNK = 16_384
COMMIT = re.compile(r"[0-9a-f]{40}")
TREE = re.compile(r"/api/models/(?P<model>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?")
INFO = re.compile(r"/api/models/(?P<model>[^/]+/[^/]+)(?:/revision/(?P<revision>[^/]+))?")
FILE = re.compile(r"/(?P<model>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Read a Range header as first and last byte; None when it asks for the whole file."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", header.strip())
    if not match:
        return None
    return int(match[1]), min(int(match[2] or size - 1), size - 1)


class Hub(ThreadingHTTPServer):
    """The server with what it offers."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], control: Path) -> None:
        super().__init__(address, HubHandler)
        self.control = control

    def settings(self) -> dict[str, Json]:
        """The control file as it is now: `models`, `bytes_per_second`, `shard_bytes`, `fail`."""
        try:
            value = json.loads(self.control.read_text())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def commit(self, model: str, revision: str) -> str | None:
        """The commit a revision means; None when the hub has no such model or revision."""
        models = self.settings().get("models")
        known = models if isinstance(models, dict) else {}
        if model not in known and model not in EXTRA_MODELS:
            return None
        if COMMIT.fullmatch(revision):
            return revision
        newest = known.get(model) or hashlib.sha1(model.encode()).hexdigest()  # noqa: S324  (shaped like a commit)
        return str(newest) if revision == "main" else None


class HubHandler(BaseHTTPRequestHandler):
    """The four answers that the client needs."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        """Say nothing for each request."""

    def _answer(self, *, body: bool) -> None:
        settings, path = self.server.settings(), unquote(urlsplit(self.path).path)
        if settings.get("fail") == "hang":
            time.sleep(600)
        if settings.get("fail"):
            self._json({"error": "Internal Error - We're working hard to fix this"}, 500, body=body)
            return
        for pattern, reply in ((TREE, self._tree), (FILE, self._file), (INFO, self._info)):
            if match := pattern.fullmatch(path):
                commit = self.server.commit(match["model"], match["revision"] or "main")
                if commit is None:
                    known = self.server.commit(match["model"], "main") is not None
                    code, text = (
                        ("RevisionNotFound", "Invalid rev id") if known else ("RepoNotFound", "Not found")
                    )
                    self._json({"error": text}, 404, body=body, headers={"X-Error-Code": code})
                    return
                reply(match["model"], commit, match.groupdict().get("path") or "", body=body)
                return
        self._json({"error": "Not found"}, 404, body=body)

    def _files(self, model: str, commit: str) -> dict[str, HubFile]:
        return files(model, commit, int(self.server.settings().get("shard_bytes") or SHARD_BYTES))

    def _info(self, model: str, commit: str, _path: str, *, body: bool) -> None:
        siblings = [{"rfilename": name} for name in self._files(model, commit)]
        facts = {"_id": model, "id": model, "modelId": model, "sha": commit, "private": False, "gated": False}
        self._json(
            {**facts, "disabled": False, "tags": [], "downloads": 0, "siblings": siblings}, 200, body=body
        )

    def _tree(self, model: str, commit: str, path: str, *, body: bool) -> None:
        entries = [item.entry for item in self._files(model, commit).values() if item.path.startswith(path)]
        self._json(entries, 200, body=body)

    def _file(self, model: str, commit: str, path: str, *, body: bool) -> None:
        item = self._files(model, commit).get(path)
        if item is None:
            self._json(
                {"error": "Entry not found"}, 404, body=body, headers={"X-Error-Code": "EntryNotFound"}
            )
            return
        part = byte_range(self.headers.get("Range", ""), len(item.data))
        first, last = part or (0, len(item.data) - 1)
        if first > last:
            self._head(416, {"Content-Range": f"bytes */{len(item.data)}", "Content-Length": "0"})
            return
        headers = {
            "X-Repo-Commit": commit, "Accept-Ranges": "bytes", "ETag": f'"{item.etag}"',
            "Content-Type": "application/octet-stream", "Content-Length": str(last - first + 1),
        }  # fmt: skip
        if item.large:
            headers |= {"X-Linked-Size": str(len(item.data)), "X-Linked-Etag": f'"{item.etag}"'}
        if part:
            headers["Content-Range"] = f"bytes {first}-{last}/{len(item.data)}"
        self._head(206 if part else 200, headers)
        if body:
            self._send(item.data[first : last + 1])

    def _send(self, data: bytes) -> None:
        for start in range(0, len(data), CHUNK):
            piece = data[start : start + CHUNK]
            rate = self.server.settings().get("bytes_per_second")
            if isinstance(rate, int | float) and rate > 0:
                time.sleep(len(piece) / rate)
            try:
                self.wfile.write(piece)
            except OSError:  # the client has gone: nothing to tell anybody
                self.close_connection = True
                return

    def _json(self, value: object, status: int, *, body: bool, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        message = value.get("error") if isinstance(value, dict) else None
        extra = {"X-Error-Message": str(message)} if message else {}
        plain = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        self._head(status, {**plain, **extra, **(headers or {})})
        if body:
            self.wfile.write(data)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=8480)
    parser.add_argument("--control", type=Path, required=True)
    arguments = parser.parse_args()
    Hub((arguments.address, arguments.port), arguments.control).serve_forever()


if __name__ == "__main__":
    main()
