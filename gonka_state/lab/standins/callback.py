"""The port that ML nodes call back with the results of a proof of compute (9100: gonka-contract 5.5)."""

from __future__ import annotations

from gonka_state.lab.standins import web


def routes(*, seed_era: bool) -> web.Routes:
    """Every address that takes results, by era; none of them has anything to read."""
    found = web.Routes()
    for kind in ("generated", "validated"):
        if seed_era:
            found.add("POST", f"/mlnode/v1/poc-batches/{kind}", _taken)
        else:
            found.add("POST", f"/v2/poc-batches/:model/{kind}", _taken)
        found.add("POST", f"/v1/poc-batches/{kind}", _taken)
    if not seed_era:
        found.add("GET", "/versions", lambda _request: web.as_json({"versions": []}))
    return found


def _taken(_request: web.Request, **_names: str) -> web.Reply:
    return web.Reply(200, b"", "text/plain")
