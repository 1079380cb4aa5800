"""The chain's phase holds back what disturbs a serving cluster; judged by what was written on the hosts of paper."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.chain import ChainSource
from gonka_state.core.change import Effect
from gonka_state.core.desired import Run
from gonka_state.core.report import ExitStatus, Status, plan_status, report_status
from gonka_state.engine.observe import Observer
from gonka_state.lab.standins import chainclock
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.conftest import Paper

US = "gonka1" + "q" * 38
ORIGIN = 1000
QUIET = ORIGIN + 5000
POC = ORIGIN + 30


class Api:
    """A public API on the loopback address: its height, whether a confirmation PoC runs, who takes part."""

    def __init__(self) -> None:
        self.height, self.confirmation, self.members = QUIET, False, [US]
        self.seen = 0
        self.poc_after = 10**6

    def answer(self, path: str) -> Any:  # noqa: ANN401 (JSON)
        """What the API says now; from its `poc_after`-th question about the phase on, a PoC is running."""
        if path == "/v1/epochs/current/participants":
            return {"active_participants": {"participants": [{"index": one} for one in self.members]}}
        self.seen += 1
        height = POC if self.seen >= self.poc_after else self.height
        return chainclock.latest_epoch({"height": height, "confirmation_poc": self.confirmation}, ORIGIN)


@pytest.fixture
def api(paper: Paper, tmp_path: Path) -> Iterator[Api]:
    """The API that the paper cluster's network host asks; the warm key is there."""
    told = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(told.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (tmp_path / "warm.info").touch()
    url = f"http://127.0.0.1:{server.server_port}"
    paper.chain = ChainSource("network", (url,), str(tmp_path / "warm.info"), US)
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def _rough(paper: Paper, host: str, name: str, **words: Any) -> None:  # noqa: ANN401 (as in YAML)
    paper.note(host, name, effect_of=Effect.DISRUPTIVE, **words)


def test_in_a_quiet_stretch_a_serving_cluster_may_be_disturbed(paper: Paper, api: Api) -> None:
    _rough(paper, "ml-01", "a")

    report = paper.converge()

    assert paper.log("ml-01") == ["a"]
    assert report.plan.chain is not None
    assert (report.plan.chain.serving, report.plan.chain.holds) == (True, False)
    assert report.plan.chain.height == api.height


@pytest.mark.parametrize(
    ("height", "confirmation", "why"),
    [
        (POC, False, "the chain is in PoCGenerate, Inference begins at block 1205 (175 to go)"),
        (ORIGIN + 100, False, "the new validators are not set yet (block 1205, 105 to go)"),
        (QUIET, True, "a confirmation PoC is running"),
        (ORIGIN + chainclock.EPOCH - 100, False, "the next PoC begins in 100 blocks"),
    ],
)
def test_otherwise_what_disturbs_is_held_and_the_rest_runs(
    paper: Paper,
    api: Api,
    height: int,
    confirmation: bool,  # noqa: FBT001 (a case)
    why: str,
) -> None:
    api.height, api.confirmation = height, confirmation
    _rough(paper, "ml-01", "rough")
    paper.note("ml-01", "mild")

    report = paper.converge()

    assert paper.log("ml-01") == ["mild"]
    held = next(change for change in report.plan.pending if change.held)
    assert held.held.startswith(f"not now: {why}")
    assert "--ignore-phase" in held.hint
    assert plan_status(report.plan) is ExitStatus.PENDING
    assert report_status(report) is ExitStatus.REFUSED


def test_the_operator_overrules_with_a_reason_that_the_report_keeps(paper: Paper, api: Api) -> None:
    api.height = POC
    _rough(paper, "ml-01", "rough")

    report = paper.converge(ignore_phase="the disk is on fire")

    assert paper.log("ml-01") == ["rough"]
    assert report.plan.ignored_phase == "the disk is on fire"


def test_who_takes_no_part_in_the_epoch_may_be_disturbed_at_any_time(paper: Paper, api: Api) -> None:
    api.height, api.members = POC, ["gonka1somebody"]
    _rough(paper, "ml-01", "rough")

    assert paper.converge().plan.chain is not None
    assert paper.log("ml-01") == ["rough"]


@pytest.mark.parametrize(("member", "ran"), [(US, []), ("gonka1somebody", ["rough"])])
def test_without_a_warm_key_it_serves_only_if_the_chain_says_so(
    paper: Paper, api: Api, tmp_path: Path, member: str, ran: list[str]
) -> None:
    api.height, api.members = POC, [member]
    (tmp_path / "warm.info").unlink()
    _rough(paper, "ml-01", "rough")

    paper.converge()

    assert paper.log("ml-01") == ran


@pytest.mark.usefixtures("api")
def test_an_api_that_does_not_answer_means_no(paper: Paper) -> None:
    source = paper.chain
    assert source is not None
    paper.chain = ChainSource(source.host, ("http://127.0.0.1:9",), source.keyring, source.address)
    _rough(paper, "ml-01", "rough")

    report = paper.converge()

    assert paper.log("ml-01") == []
    assert [change.held for change in report.plan.pending] == [
        "not now: the phase of the chain is not known: no API answers"
    ]


@pytest.mark.usefixtures("api")
def test_a_network_host_that_is_off_means_no(paper: Paper) -> None:
    paper.off = ("network",)
    _rough(paper, "ml-01", "rough")

    report = paper.converge()

    assert paper.log("ml-01") == []
    assert [change.held for change in report.plan.pending] == [
        "not now: the phase of the chain is not known: is off"
    ]


@pytest.mark.usefixtures("api")
def test_an_api_that_hangs_delays_nothing_that_is_compared_with_our_clock(paper: Paper) -> None:
    paper.note("network", "other")

    with paper.connected() as session:
        look = Observer(session, paper.desired, paper.kinds, lambda *_: None).look(["network"])

    assert list(look.hosts["network"].sections) == ["notes", "chain-phase"]


def test_a_selection_without_the_network_host_asks_it_for_the_phase_alone(paper: Paper, api: Api) -> None:
    api.height = POC
    paper.note("network", "other")
    _rough(paper, "ml-01", "rough")
    selected = {address for address in paper.declared if address.host == "ml-01"}

    found = paper.look(selected=selected)

    assert [looked.host for looked in found.plan.hosts] == ["ml-01"]
    assert [change.held[:8] for change in found.plan.pending] == ["not now:"]
    assert paper.execs == {"network": 1, "ml-01": 1}


def test_the_phase_is_asked_for_again_before_each_step_that_disturbs(paper: Paper, api: Api) -> None:
    api.poc_after = 3  # the look, the first step, then a PoC begins
    _rough(paper, "ml-01", "a")
    _rough(paper, "ml-01", "b")

    report = paper.converge()

    assert paper.log("ml-01") == ["a"]
    assert [(outcome.status, outcome.detail[:8]) for outcome in report.outcomes] == [
        (Status.CHANGED, ""),
        (Status.SKIPPED, "not now:"),
    ]
    assert report_status(report) is ExitStatus.REFUSED


def test_of_a_serving_cluster_one_ml_node_is_launched_at_a_time_and_a_failure_stops_the_rest(
    paper: Paper, api: Api
) -> None:
    paper.hosts = ("network", "ml-01", "ml-02", "ml-03")
    for host in ("ml-01", "ml-02", "ml-03"):
        paper.note(host, "model", "fail" if host == "ml-02" else "nap", limit="launch")

    report = paper.converge()

    ended = {outcome.change.address.host: outcome for outcome in report.outcomes}
    done = [host for host in ("ml-01", "ml-03") if paper.log(host)]
    assert ended["ml-02"].status is Status.FAILED
    assert len(done) + len([one for one in ended.values() if one.status is Status.SKIPPED]) == 2
    assert all(
        "did not come back" in ended[host].detail for host in ended if ended[host].status is Status.SKIPPED
    )
    assert api.seen >= 1


@pytest.mark.parametrize(
    ("limit", "run"), [("launch", Run(throttle=2, downloads=1)), ("download", Run(throttle=1, downloads=2))]
)
def test_as_many_run_at_once_as_the_limit_says(paper: Paper, limit: str, run: Run) -> None:
    paper.hosts = ("network", "ml-01", "ml-02", "ml-03")
    paper.run = replace(paper.run, throttle=run.throttle, downloads=run.downloads)
    for host in ("ml-01", "ml-02", "ml-03"):
        paper.note(host, "model", "nap", limit=limit)

    paper.converge()
    running, most = 0, 0
    for _where, text in paper.events:
        running += text.startswith("create")
        running -= text.startswith("done")
        most = max(most, running)

    assert most == 2


def test_a_limit_that_nobody_knows_is_not_taken_for_none(paper: Paper) -> None:
    paper.note("network", "model", limit="downlaod")

    with pytest.raises(KeyError, match="downlaod"):
        paper.converge()

    assert paper.log("network") == []


def test_the_kinds_name_limits_that_there_are() -> None:
    model, service = (KINDS[kind].resource for kind in ("model", "compose-service"))
    named = [
        model.model_construct(name="m").throttle,
        service.model_construct(name="s", serves_models=True).throttle,
        service.model_construct(name="s", serves_models=False).throttle,
    ]

    assert named == ["download", "launch", ""]
    assert set(named) == {"", *Run().limits(serving=False)}


@pytest.mark.usefixtures("api")
def test_the_host_that_knows_the_chain_carries_the_lock_whatever_is_selected(paper: Paper) -> None:
    """Also where it is not the first of the YAML: two converges of one cluster must meet."""
    paper.hosts = ("ml-01", "network")
    paper.note("ml-01", "a")
    node = paper.note("network", "b")

    everything, part = paper.comparer(), paper.comparer(selected={node})

    assert (everything.contacts(), part.contacts()) == (["network", "ml-01"], ["network"])
    assert everything.hosts() == ["ml-01", "network"]
