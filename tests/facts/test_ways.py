"""Addresses a cluster depends on, asked by a real curl and a real TCP connection."""

from __future__ import annotations

from gonka_state.facts import ways
from gonka_state.facts.snapshot import Answer, HostLook
from gonka_state.lab.standins import web
from tests.facts.conftest import run_body


def test_each_target_says_what_came_of_it() -> None:
    server = web.serve(0, lambda request: web.error("no route", 404 if request.target == "/" else 502))
    port = server.server_address[1]
    targets = [
        f"http://127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}/x",
        f"tcp://127.0.0.1:{port}",
        "tcp://127.0.0.1:9",
    ]
    try:
        found = ways.parse(run_body(ways.script(targets)))
    finally:
        server.shutdown()
        server.server_close()

    assert [found[target] for target in targets[:3]] == ["ok", "answers 502", "ok"]
    assert "refused" in found[targets[3]]


def test_what_was_cut_short_is_no_answer() -> None:
    said = ways.read(HostLook({ways.SECTION: Answer("#@x part other\n\n#@x rc 0 \n")}))

    assert isinstance(said, str)
    assert "cut short" in said
    assert ways.read(None) == "nobody looked"
