"""Attempts from every host and from here, put together per host; on the loopback addresses of this machine."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonka_state.core.address import Address
from gonka_state.core.desired import Declared
from gonka_state.facts.exposure import FACT, THIS_MACHINE
from gonka_state.resources.exposure import ExposureResource

if TYPE_CHECKING:
    from tests.engine.conftest import Paper

ADDRESSES = {"network": "127.0.0.1", "ml-01": "127.0.0.2"}


def _probe(paper: Paper, *ports: int, host: str = "ml-01") -> Any:  # noqa: ANN401 (the parsed section)
    from gonka_state.engine.probing import Prober  # noqa: PLC0415 (loads gevent)

    resources: dict[Address, Declared[Any]] = {}
    for port in ports:
        resource = ExposureResource(port=port, sources=("any",))
        address = Address(host, "exposure", resource.name)
        resources[address] = Declared(address, resource)
    logins = {name: replace(login, address=ADDRESSES[name]) for name, login in paper.desired.hosts.items()}
    desired = replace(paper.desired, resources=resources, hosts=logins)
    with paper.connected() as session:
        found = Prober(session, desired).probe(["network", "ml-01"])
    assert set(found) <= {host}
    return FACT.parse(found[host].text) if found else None


def test_the_others_and_this_machine_try_and_the_host_itself_does_not(paper: Paper) -> None:
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]

        found = _probe(paper, port)

    assert {(one.observer, one.address, one.result) for one in found.tries} == {
        ("network", "127.0.0.2", "open"),
        (THIS_MACHINE, "127.0.0.2", "open"),
    }
    assert port in found.listens
    assert paper.execs == {"network": 1, "ml-01": 1}


def test_an_observer_whose_connection_breaks_is_named_and_the_others_go_on(paper: Paper) -> None:
    paper.drop["network"] = lambda _number: True
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]

        found = _probe(paper, port)

    results = {one.observer: one.result for one in found.tries}
    assert results[THIS_MACHINE] == "open"
    assert results["network"].startswith("failed: ")


def test_where_nothing_is_declared_nobody_is_asked(paper: Paper) -> None:
    assert _probe(paper) is None
    assert paper.execs == {}
