"""How the stand-in `inferenced` talks to a node: over URLs, with status codes, and errors in Go's words."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from gonka_state.lab.standins.commandline import Failed

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json


def call(url: str, body: Json = None, timeout: float = 30) -> tuple[int, str]:
    """GET, or POST with a body: the status and the text of the answer.

    Raises:
        Failed: nothing answers there.
    """
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=timeout)
    method = "GET" if body is None else "POST"
    target = f"{place.path or '/'}{'?' + place.query if place.query else ''}"
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, target, data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        reason = "connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
        raise Failed(f'{method.title()} "{url}": dial tcp {place.netloc}: connect: {reason}') from error
    finally:
        connection.close()


def found(url: str, timeout: float = 5) -> Json:
    """The JSON of a 200; None for any other answer, and for none."""
    try:
        status, text = call(url, timeout=timeout)
        return json.loads(text) if status == 200 else None  # noqa: PLR2004 (HTTP)
    except (Failed, ValueError):
        return None


def rpc(node: str, path: str) -> str:
    """A path of the RPC below `--node`, which ends with a slash or not."""
    return f"{node.rstrip('/')}/{path}"


def state(node: str, path: str) -> Json:
    """What the chain has at a REST path, asked over the RPC as the real program does; None where it has nothing."""
    return found(rpc(node, f"abci_query?path={quote(path, safe='')}"))
