"""Passing a request on to another container, as nginx does for proxy and inference (gonka-contract 5.2)."""

from __future__ import annotations

import http.client

from gonka_state.lab.standins import web

HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding"}
BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>502 Bad Gateway</body>\r\n</html>\r\n"
)


def forward(request: web.Request, host: str, port: int, target: str, timeout: float = 60) -> web.Reply:
    """Ask `host:port` for `target` and return what it says; 502 when it cannot be asked."""
    headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(request.method, target, request.body or None, headers)
        answer = connection.getresponse()
        return web.Reply(answer.status, answer.read(), answer.getheader("Content-Type", "text/plain"))
    except (OSError, http.client.HTTPException):
        return web.Reply(502, BAD_GATEWAY.encode(), "text/html")
    finally:
        connection.close()
