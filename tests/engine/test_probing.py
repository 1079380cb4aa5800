"""Attempts from every host and from here, put together per host; on the loopback addresses of this machine."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.desired import Declared
from gonka_state.facts.exposure import FACT, THIS_MACHINE, WAIT
from gonka_state.resources.exposure import ExposureResource

if TYPE_CHECKING:
    from tests.engine.conftest import Paper

ADDRESSES = {"network": "127.0.0.1", "ml-01": "127.0.0.2"}


def _probe(paper: Paper, *ports: int, host: str = "ml-01", sources: tuple[str, ...] = ("any",)) -> Any:  # noqa: ANN401 (the parsed section)
    from gonka_state.engine.probing import Prober  # noqa: PLC0415 (loads gevent)

    resources: dict[Address, Declared[Any]] = {}
    for port in ports:
        resource = ExposureResource(port=port, sources=sources)
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


def _crowded(stack: ExitStack) -> socket.socket:
    """A port that listens and, its queue being full, does not answer."""
    server = stack.enter_context(socket.socket())
    server.bind(("127.0.0.2", 0))
    server.listen(0)
    for _ in range(4):
        client = stack.enter_context(socket.socket())
        client.setblocking(False)  # noqa: FBT003  (the standard library's own)
        client.connect_ex(server.getsockname())
    return server


def _empty(server: socket.socket, clients: int) -> None:
    for _ in range(clients):
        server.accept()[0].close()


def test_silence_where_an_answer_should_be_is_tried_again_before_it_is_believed(paper: Paper) -> None:
    with ExitStack() as stack:
        server = _crowded(stack)
        later = threading.Timer(WAIT + 0.5, _empty, [server, 4])
        later.start()

        found = _probe(paper, server.getsockname()[1])
        later.join()

    assert {(one.observer, one.result) for one in found.tries} == {
        ("network", "open"),
        (THIS_MACHINE, "open"),
    }
    assert paper.execs == {"network": 2, "ml-01": 2}


def test_silence_that_is_declared_costs_no_second_try(paper: Paper) -> None:
    with ExitStack() as stack:
        server = _crowded(stack)

        found = _probe(paper, server.getsockname()[1], sources=())

    assert {one.result for one in found.tries} == {"silent"}
    assert paper.execs == {"network": 1, "ml-01": 1}


def test_where_nothing_is_declared_nobody_is_asked(paper: Paper) -> None:
    assert _probe(paper) is None
    assert paper.execs == {}


def test_a_machine_that_is_the_host_itself_is_no_observer_of_it(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gonka_state.engine import probing  # noqa: PLC0415 (loads gevent)

    monkeypatch.setattr(probing, "is_own", lambda address: address == "127.0.0.2")
    with socket.create_server(("127.0.0.2", 0)) as server:
        found = _probe(paper, server.getsockname()[1])

    assert {one.observer for one in found.tries} == {"network"}


def test_what_an_address_of_this_machine_is(own_address: str) -> None:
    from gonka_state.engine.probing import is_own  # noqa: PLC0415 (loads gevent)

    assert is_own(own_address)
    for other in ("127.0.0.1", "::1", "192.0.2.7", "2001:db8::7", "no.such.name.invalid"):
        assert not is_own(other), other


@pytest.fixture
def own_address() -> str:
    """An address that the kernel has, as it tells itself."""
    told = json.loads(subprocess.run(["ip", "-json", "addr"], capture_output=True, check=True).stdout)
    found = [item["local"] for link in told for item in link["addr_info"] if item["scope"] == "global"]
    if not found:
        pytest.skip("this machine has no address beside its loopback")
    return str(found[0])
