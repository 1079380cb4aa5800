"""The success criteria, on a look at six real hosts that was recorded for the demo: three of them were tampered with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.checklist import Check, Checklist, Verdict, checklist_status
from gonka_state.core.desired import Limits, Maintenance
from gonka_state.core.observation import Note
from gonka_state.core.report import ExitStatus
from gonka_state.engine.compare import Comparer
from gonka_state.engine.criteria import CRITERIA, criterion_of, verify
from gonka_state.engine.criteria_nodes import node_checks
from gonka_state.engine.select import select
from gonka_state.facts import docker_daemon, public_api
from gonka_state.facts.base import MARK, PRELUDE, Look
from gonka_state.facts.snapshot import Answer, Snapshot
from gonka_state.registry import KINDS
from gonka_state.resources.requirement import RequirementResource
from gonka_state.views.checklist import render_checklist
from gonka_state.views.style import Style
from tests.recorded import recorded_look, recorded_wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

NETWORK = "cluster2-network"
ANSWERED = "".join(
    f"\n{MARK}a part {path}\n200 understood\n\n{MARK}a rc 0 \n" for path in public_api.PATHS
).lstrip()


@pytest.fixture(scope="module")
def recorded() -> tuple[Desired[Resource], Snapshot]:
    desired = recorded_wish()
    snapshot = recorded_look()
    return replace(desired, file="cluster2.yaml"), answering(snapshot, Answer(ANSWERED))


def answering(snapshot: Snapshot, answer: Answer) -> Snapshot:
    look = snapshot.hosts[NETWORK].with_section(public_api.SECTION, answer)
    return replace(snapshot, hosts={**snapshot.hosts, NETWORK: look})


def verified(desired: Desired[Resource], snapshot: Snapshot) -> Checklist:
    compared = Comparer(desired, KINDS).compare(snapshot)
    return verify(desired, snapshot, compared, seconds=1.5)


def bad(found: Checklist, *verdicts: Verdict) -> set[tuple[str, str]]:
    wanted = verdicts or (Verdict.FAILED,)
    return {
        (host.host, check.name) for host in found.hosts for check in host.checks if check.verdict in wanted
    }


def test_what_was_done_to_three_hosts_is_red_and_nothing_else(
    recorded: tuple[Desired[Resource], Snapshot], golden: Callable[[str, str], None]
) -> None:
    found = verified(*recorded)

    assert bad(found) == {
        (NETWORK, "firewall"),
        ("cluster2-ml-02", "configuration"),
        ("cluster2-ml-03", "containers"),
    }
    assert bad(found, Verdict.WARN, Verdict.UNKNOWN) == {(NETWORK, "node cluster2-ml-03")}
    assert checklist_status(found) is ExitStatus.PENDING
    golden("verify.txt", render_checklist(found, Style(color=False, width=None)))


def test_every_kind_belongs_to_one_criterion_and_every_criterion_has_a_kind() -> None:
    named = [word for kinds in CRITERIA.values() for word in kinds]

    assert len(named) == len(set(named))
    assert {word.split(" ")[0] for word in named} == set(KINDS)


def test_a_topic_of_a_requirement_may_have_a_criterion_of_its_own() -> None:
    gpus, cores = (RequirementResource(name="x", topic=topic, minimum=8) for topic in ("gpus", "cores"))

    assert (criterion_of(gpus), criterion_of(cores)) == ("GPUs", "requirements")


def test_a_host_that_gave_no_answer_is_one_unknown_line(recorded: tuple[Desired[Resource], Snapshot]) -> None:
    desired, snapshot = recorded
    look = replace(
        snapshot.hosts["cluster2-ml-04"], unknown="no answer to the look within 120 s", hint="wait"
    )
    silent = replace(snapshot, hosts={**snapshot.hosts, "cluster2-ml-04": look})

    found = verified(desired, silent)

    (host,) = [host for host in found.hosts if host.host == "cluster2-ml-04"]
    assert host.checks == (
        Check("connection", Verdict.UNKNOWN, "no answer to the look within 120 s", "wait"),
    )
    assert checklist_status(found) is ExitStatus.PARTIAL


def test_a_section_that_was_cut_short_makes_its_criteria_unknown(
    recorded: tuple[Desired[Resource], Snapshot],
) -> None:
    desired, snapshot = recorded
    look = snapshot.hosts["cluster2-ml-01"].with_section(
        "containers", Answer("", unknown="no answer within 30 s")
    )
    cut = replace(snapshot, hosts={**snapshot.hosts, "cluster2-ml-01": look})

    found = verified(desired, cut)

    assert bad(found, Verdict.UNKNOWN) == {("cluster2-ml-01", "containers"), ("cluster2-ml-01", "images")}


def test_what_was_not_selected_is_no_check(recorded: tuple[Desired[Resource], Snapshot]) -> None:
    """The network host is red for its firewall; of it only the node on the selected host is told."""
    desired, snapshot = recorded
    selected = select(desired, hosts=["ml-02"], kinds=())
    assert selected is not None
    part = replace(desired, resources={a: item for a, item in desired.resources.items() if a in selected})

    found = verified(part, snapshot)

    names = {host.host: {check.name for check in host.checks} for host in found.hosts}
    assert set(names) == {NETWORK, "cluster2-ml-02"}
    nodes = {"node cluster2-ml-02", "GPU memory of cluster2-ml-02"}
    assert names[NETWORK] == {"connection", "nodes", "public API", *nodes}
    assert bad(found) == {("cluster2-ml-02", "configuration")}


def test_a_host_with_nothing_to_check_is_left_out(recorded: tuple[Desired[Resource], Snapshot]) -> None:
    """A host that was only asked for the phase of the chain."""
    desired, snapshot = recorded
    part = {a: item for a, item in desired.resources.items() if a.host == "cluster2-ml-01"}

    found = verified(replace(desired, resources=part), snapshot)

    assert [host.host for host in found.hosts] == ["cluster2-ml-01"]


def test_maintenance_warns_instead(recorded: tuple[Desired[Resource], Snapshot]) -> None:
    desired, snapshot = recorded
    until = datetime.fromisoformat(snapshot.taken).astimezone(UTC) + timedelta(days=1)
    worked_on = Maintenance(ends=until, reason="new cards", until=until.date().isoformat())
    resources = {
        address: replace(item, maintenance=worked_on) if address.host == "cluster2-ml-03" else item
        for address, item in desired.resources.items()
    }

    found = verified(replace(desired, resources=resources), snapshot)

    assert ("cluster2-ml-03", "containers") not in bad(found)
    assert ("cluster2-ml-03", "containers") in bad(found, Verdict.WARN)


@pytest.mark.parametrize(
    ("answer", "verdict", "evidence"),
    [
        (Answer(ANSWERED.replace("200 understood", "502 else", 1)), Verdict.FAILED, "/v1/status answers 502"),
        (
            Answer(ANSWERED.replace("understood", "else")),
            Verdict.FAILED,
            "answers something else than it should",
        ),
        (Answer(ANSWERED[:40]), Verdict.UNKNOWN, "the look was cut short"),
        (Answer("", unknown="no answer within 30 s"), Verdict.UNKNOWN, "no answer within 30 s"),
    ],
)
def test_the_public_api_has_to_answer(
    recorded: tuple[Desired[Resource], Snapshot], answer: Answer, verdict: Verdict, evidence: str
) -> None:
    desired, snapshot = recorded

    found = verified(desired, answering(snapshot, answer))

    (check,) = [check for host in found.hosts for check in host.checks if check.name == "public API"]
    assert (check.verdict, evidence in check.evidence) == (verdict, True), check


def test_the_public_api_is_asked_by_a_real_curl(tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415  (only here a program is run)

    (tmp_path / "v1").mkdir()
    (tmp_path / "v1/status").write_text('{"status":"ok"}')
    text = f"M={MARK}a\n{PRELUDE}\n{public_api.script(tmp_path.as_uri(), Look())}"
    said = subprocess.run(["sh"], input=text, capture_output=True, text=True, check=True).stdout

    status, participants = public_api.parse(said)

    # A file has no HTTP status: what matters is that it was read and looked into.
    assert status.problem == "answers 000"
    assert participants.problem.startswith("no answer: curl: ")


def node(**values: Any) -> list[Check]:  # noqa: ANN401  (what a look told of a node)
    usual = {
        "registered": True, "answers": True, "model": "m", "gpus": 8, "gpu_memory_used": 90, "gpu_memory": 100,
        "status": "INFERENCE", "intended_status": "INFERENCE", "failure": "", "before_first_poc": False,
    }  # fmt: skip
    return list(node_checks([Note("net", "node", "ml-01", "as it says", usual | values)], Limits()))


@pytest.mark.parametrize(
    ("values", "verdicts"),
    [
        ({}, [Verdict.OK, Verdict.OK]),
        ({"registered": False}, []),
        ({"answers": False}, [Verdict.FAILED]),
        ({"status": "FAILED", "failure": "out of memory"}, [Verdict.FAILED, Verdict.OK]),
        (
            {"status": "FAILED", "failure": "no epoch models", "before_first_poc": True},
            [Verdict.WARN, Verdict.OK],
        ),
        ({"status": "STOPPED"}, [Verdict.WARN, Verdict.OK]),
        ({"status": "STOPPED", "intended_status": "STOPPED"}, [Verdict.OK, Verdict.OK]),
        ({"gpu_memory_used": 70}, [Verdict.OK, Verdict.WARN]),
        ({"model": ""}, [Verdict.OK]),
    ],
)
def test_a_node_is_judged_by_what_is_intended_for_it(values: dict[str, Any], verdicts: list[Verdict]) -> None:
    assert [check.verdict for check in node(**values)] == verdicts


def test_containers_that_new_log_limits_do_not_reach_are_a_warning(
    recorded: tuple[Desired[Resource], Snapshot],
) -> None:
    desired, snapshot = recorded
    compared = Comparer(desired, KINDS).compare(snapshot)
    note = Note(NETWORK, "docker-daemon", docker_daemon.LOGS, "no limit for api", {"unlimited": ["api"]})
    told = replace(compared, plan=replace(compared.plan, notes=(*compared.plan.notes, note)))

    hosts = {host.host: host for host in verify(desired, snapshot, told, seconds=1.0).hosts}

    (check,) = [check for check in hosts[NETWORK].checks if check.name == "container logs"]
    assert (check.verdict, check.evidence) == (Verdict.WARN, "no limit for api")
    assert "--force-recreate" in check.hint
    others = [check.name for name, host in hosts.items() if name != NETWORK for check in host.checks]
    assert "container logs" not in others
