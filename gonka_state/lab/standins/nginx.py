"""The side-car in front of the ML node: two ports, and a version in the path that is cut off (gonka-contract 4, 1.8)."""

from __future__ import annotations

import re
from functools import partial

from gonka_state.lab.standins import forward, web

VERSION = re.compile(r"^/v\d+\.\d+\.\d+(?=/)")


def main() -> None:
    """Pass both ports on until stopped."""
    for port in (8080, 5000):
        web.serve(port, partial(passed, port))
    web.run_until_stopped()


def passed(port: int, request: web.Request) -> web.Reply:
    """Pass one request on to the same port of the ML node."""
    return forward.forward(request, "mlnode-308", port, VERSION.sub("", request.target))


if __name__ == "__main__":
    main()
