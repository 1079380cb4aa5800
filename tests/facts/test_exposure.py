"""Attempts of observers become who gets an answer; tried for real on the loopback address."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Present, Unknown
from gonka_state.engine.probing import attempt
from gonka_state.errors import FactError
from gonka_state.facts import exposure
from gonka_state.facts.base import MARK, PRELUDE
from gonka_state.facts.exposure import THIS_MACHINE, Tries, Try, observe_exposure, own_words, wanted_exposure
from gonka_state.facts.here import Here
from gonka_state.resources.exposure import ExposureResource
from gonka_state.resources.firewall import ContainerPortResource

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Here("ml-01", {"network": "10.0.0.1", "ml-01": "10.0.0.2", "ml-02": "10.0.0.3"}, peer="10.0.0.254")


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _run(targets: list[tuple[str, int]]) -> str:
    text = f"M={MARK}x\n{PRELUDE}\n{exposure.script(targets)}"
    return subprocess.run(["sh"], input=text, capture_output=True, text=True, check=True).stdout


def test_an_open_and_a_closed_port_are_told_apart(listener: int, closed: int) -> None:
    tried, listens = own_words(_run([("127.0.0.1", listener), ("127.0.0.1", closed)]))

    assert sorted(tried) == sorted([("127.0.0.1", listener, "open"), ("127.0.0.1", closed, "refused")])
    assert listens is not None
    assert (listener in listens, closed in listens) == (True, False)


def test_this_machine_tries_the_same_way(listener: int, closed: int) -> None:
    assert attempt("127.0.0.1", listener) == "open"
    assert attempt("127.0.0.1", closed) == "refused"
    assert attempt("no-such-host.invalid", 80).startswith("failed: ")


def _tries(*, deaf: bool = False, **results: str) -> Tries:
    names = {"here": THIS_MACHINE, "network": "network", "ml02": "ml-02"}
    rows = tuple(Try(names[name], "10.0.0.2", 5050, result) for name, result in results.items())
    return Tries(rows, frozenset(() if deaf else {5050}))


PORT = ExposureResource(port=5050, sources=("10.0.0.1",))


def _seen(tries: Tries, resource: ExposureResource = PORT, here: Here = HERE) -> tuple[object, object]:
    seen = observe_exposure(tries, resource, here)
    assert isinstance(seen, Present)
    return seen.attributes["from"], wanted_exposure(tries, resource, here)["from"]


def test_who_may_and_does_get_an_answer_is_in_sync() -> None:
    assert _seen(_tries(network="open", ml02="silent", here="silent")) == (["network"], ["network"])


def test_an_answer_to_somebody_else_is_drift_whatever_the_rules_say() -> None:
    here = Here(
        HERE.host, HERE.addresses, HERE.peer, [ContainerPortResource(port=5050, sources=("10.0.0.1",))]
    )
    tries = _tries(network="open", ml02="open", here="silent")

    seen = observe_exposure(tries, PORT, here)

    assert _seen(tries) == (["ml-02", "network"], ["network"])
    assert "the rules look right, the port is open all the same" in seen.hint


def test_silence_of_a_port_that_listens_and_is_let_in_points_upstream() -> None:
    here = Here(
        HERE.host, HERE.addresses, HERE.peer, [ContainerPortResource(port=5050, sources=("10.0.0.1",))]
    )

    seen = observe_exposure(_tries(network="silent", ml02="silent"), PORT, here)

    assert isinstance(seen, Present)
    assert seen.attributes["from"] == []
    assert "upstream firewall or security group" in seen.hint


def test_a_port_nobody_listens_on_misses_nobody() -> None:
    assert _seen(_tries(deaf=True, network="silent", here="silent")) == (["network"], ["network"])


def test_an_observer_that_could_not_try_is_left_out_on_both_sides() -> None:
    assert _seen(_tries(network="failed: sudo", here="silent")) == ([], [])
    assert isinstance(observe_exposure(_tries(network="failed: bash"), PORT, HERE), Unknown)


def test_this_machine_is_known_by_the_address_the_host_saw() -> None:
    mine = ExposureResource(port=5050, sources=("10.0.0.254",))

    assert _seen(_tries(here="open", network="silent"), mine) == ([THIS_MACHINE], [THIS_MACHINE])
    assert _seen(_tries(here="silent"), mine, Here("ml-01", HERE.addresses)) == ([], [])


OUTSIDE = "this machine at 203.0.113.12"


def _from_outside(result: str, inside: str = "open", *sources: str, peer: str = "8.8.8.8") -> Present:
    resource = ExposureResource(port=8000, sources=sources or ("any",), also="203.0.113.12")
    rows = (Try(THIS_MACHINE, "10.0.0.2", 8000, inside), Try(THIS_MACHINE, "203.0.113.12", 8000, result))
    seen = observe_exposure(Tries(rows, frozenset({8000})), resource, replace(HERE, peer=peer))
    assert isinstance(seen, Present)
    return seen


def test_the_public_address_is_judged_for_itself() -> None:
    shut = _from_outside("silent")

    assert shut.details["expected"] == [THIS_MACHINE, OUTSIDE]
    assert shut.attributes["from"] == [THIS_MACHINE]
    assert shut.reason == f"port 8000 does not answer {OUTSIDE}"
    assert _from_outside("refused").attributes == shut.attributes
    assert _from_outside("open").attributes["from"] == [THIS_MACHINE, OUTSIDE]
    # Refused from inside as well: what listens there is for the host alone, which others compare.
    assert _from_outside("refused", "refused").attributes["from"] == [THIS_MACHINE, OUTSIDE]


def test_who_may_from_inside_may_or_may_not_from_outside() -> None:
    for result in ("silent", "open"):
        found = _from_outside(result, "open", "10.0.0.0/8", peer="10.0.0.254")
        assert (found.attributes["from"], found.details["expected"]) == ([THIS_MACHINE], [THIS_MACHINE])


def test_from_within_silence_of_the_public_address_proves_nothing() -> None:
    assert _from_outside("silent", peer="10.0.0.254").attributes["from"] == [THIS_MACHINE]
    assert _from_outside("open", peer="10.0.0.254").attributes["from"] == [THIS_MACHINE, OUTSIDE]


def test_who_may_not_from_inside_may_not_from_outside() -> None:
    found = _from_outside("open", "silent", "10.0.0.3")

    assert (found.attributes["from"], found.details["expected"]) == ([OUTSIDE], [])
    assert found.reason == f"port 8000 answers {OUTSIDE}, which should get no answer"


@given(st.text(max_size=200))
def test_whatever_comes_back_is_understood_or_an_error(text: str) -> None:
    for parse in (exposure.FACT.parse, own_words):
        try:
            parse(text)
            parse(f"{MARK}x part tries\n{text.replace(MARK, '')}\n{MARK}x rc 0 \n")
        except FactError:
            continue


def test_as_a_plain_fact_it_takes_an_address_and_ports() -> None:
    assert "'10.0.0.9 22' '10.0.0.9 80'" in exposure.FACT.standalone(address="10.0.0.9", ports="22,80")
    with pytest.raises(FactError, match="address= and ports="):
        exposure.FACT.standalone(ports="ssh")
