"""How the API talks to its ML nodes and its chain node: briefly, and without ever raising."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json


def ask(host: str, port: int, path: str, body: Json = None, timeout: float = 3) -> Json:
    """GET (or POST, with a body) and return the JSON of a 2xx answer; None for anything else."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body)
        method = "GET" if body is None else "POST"
        connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        return json.loads(text) if answer.status // 100 == 2 else None  # noqa: PLR2004  (2xx)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
