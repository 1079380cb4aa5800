"""Diagnoses from a look at six real hosts that was recorded for the demo, and of every symptom by what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.diagnosis import Diagnosis, Verdict, diagnosis_status
from gonka_state.core.observation import Unmanaged
from gonka_state.core.report import ExitStatus
from gonka_state.engine.case import Case, Extra
from gonka_state.engine.compare import Comparer
from gonka_state.engine.doctor import examine, further
from gonka_state.engine.symptoms import SYMPTOMS
from gonka_state.engine.told import judged
from gonka_state.facts.chain_shell import Node
from gonka_state.facts.cosmovisor import Home
from gonka_state.facts.crashes import Crashes, Ended
from gonka_state.facts.disk_use import DiskUse, FileSystem, Taken
from gonka_state.facts.kernel_log import KernelLog
from gonka_state.facts.participation import NOTHING, Participation
from gonka_state.facts.public_api import Answer as Said
from gonka_state.facts.snapshot import Answer, Snapshot
from gonka_state.facts.validator import Standing
from gonka_state.registry import KINDS
from tests.recorded import recorded_look, recorded_wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.desired import Desired
    from gonka_state.core.diagnosis import Finding
    from gonka_state.engine.compare import Compared
    from gonka_state.resources.base import Resource

NETWORK, ML = "cluster2-network", "cluster2-ml-01"
Recorded = tuple["Desired[Resource]", Snapshot]


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    desired = recorded_wish()
    snapshot = recorded_look()
    return replace(desired, file="cluster2.yaml"), snapshot


@pytest.fixture(scope="module")
def compared(recorded: Recorded) -> Compared:
    return Comparer(recorded[0], KINDS).compare(recorded[1])


def diagnosed(desired: Desired[Resource], snapshot: Snapshot) -> Diagnosis:
    compared = Comparer(desired, KINDS).compare(snapshot)
    return examine(desired, snapshot, compared, {}, seconds=1.5)


def hurts(found: Diagnosis, verdict: Verdict = Verdict.FOUND) -> set[tuple[str, str]]:
    return {
        (host.host, line.symptom)
        for host in found.hosts
        for line in host.lines
        if line.finding.verdict is verdict
    }


@pytest.fixture
def case(recorded: Recorded, compared: Compared) -> Callable[..., Case]:
    """A host of the recorded cluster, with what a doctor's own sections would say."""

    def made(host: str = NETWORK, changes: tuple[Change, ...] = (), **extra: Any) -> Case:  # noqa: ANN401  (Extra's words)
        desired, snapshot = recorded
        now = replace(compared, changes={**compared.changes, **{c.address: c for c in changes}})
        seen = tuple(judged(desired, now, host))
        return Case(desired, desired.hosts[host], snapshot.hosts[host], now, seen, Extra(**extra))

    return made


def ask(name: str, case: Case) -> Finding | None:
    (symptom,) = (symptom for symptom in SYMPTOMS if symptom.name == name)
    return symptom.ask(case)


def test_what_was_done_to_the_hosts_is_found_and_nothing_else(recorded: Recorded) -> None:
    found = diagnosed(*recorded)

    assert hurts(found) == {(NETWORK, "open ports"), ("cluster2-ml-03", "containers")}
    assert hurts(found, Verdict.UNKNOWN) == set()
    assert diagnosis_status(found) is ExitStatus.PENDING
    (line,) = [
        one
        for host in found.hosts
        for one in host.lines
        if one.symptom == "containers" and host.host.endswith("03")
    ]
    assert line.finding.fix.splitlines() == [
        "gonka-state logs cluster2-ml-03 inference --path cluster2.yaml",
        "gonka-state converge cluster2.yaml --host cluster2-ml-03 --kind compose-service",
    ]


def test_a_host_without_an_answer_hurts_and_everything_else_there_is_unknown(recorded: Recorded) -> None:
    desired, snapshot = recorded
    look = replace(snapshot.hosts[ML], unknown="no answer from 10.77.0.12 port 22", hint="is the host on?")
    found = diagnosed(desired, replace(snapshot, hosts={**snapshot.hosts, ML: look}))

    (host,) = [host for host in found.hosts if host.host == ML]
    (line,) = host.lines
    assert (line.symptom, line.finding.verdict, host.reached) == ("connection", Verdict.FOUND, False)
    assert line.finding.fix.splitlines()[0] == "is the host on?"
    assert line.finding.fix.splitlines()[1].startswith("ssh -v -i ")
    assert (NETWORK, "ML nodes") not in hurts(found), "its node is silent because it is"
    assert diagnosis_status(found) is ExitStatus.PARTIAL


def test_nobody_answers(recorded: Recorded) -> None:
    desired, snapshot = recorded
    hosts = {name: replace(look, unknown="no answer") for name, look in snapshot.hosts.items()}

    assert diagnosis_status(diagnosed(desired, replace(snapshot, hosts=hosts))) is ExitStatus.ERROR


def test_a_section_that_was_cut_short_is_unknown_and_not_clear(recorded: Recorded) -> None:
    desired, snapshot = recorded
    look = snapshot.hosts[NETWORK].with_section("nodes", Answer("", unknown="no answer within 30 s"))
    found = diagnosed(desired, replace(snapshot, hosts={**snapshot.hosts, NETWORK: look}))

    unknown = {name for _, name in hurts(found, Verdict.UNKNOWN)}
    assert unknown == {
        "nodes registered otherwise",
        "nodes not stored",
        "nodes switched off or on",
        "ML nodes",
    }
    assert diagnosis_status(found) is ExitStatus.PARTIAL


def test_what_only_a_doctor_asks_for_is_asked_where_it_is(recorded: Recorded) -> None:
    asked = {host: [section.name for section in sections] for host, sections in further(recorded[0]).items()}

    assert asked[ML] == ["crashes", "kernel-log", "disk-use", "ways"]
    assert asked[NETWORK] == [
        "crashes", "kernel-log", "disk-use", "cosmovisor", "public-api", "validator", "participation", "ways",
    ]  # fmt: skip
    sections = {section.name: section.body for section in further(recorded[0])[ML]}
    assert sections["ways"].endswith("part reach probes http://10.77.0.11:9100")


def ended(name: str = "node", **values: Any) -> Ended:  # noqa: ANN401  (Ended's words)
    usual: dict[str, Any] = {
        "status": "running",
        "exit": 0,
        "killed_for_memory": False,
        "restarts": 0,
        "age": 3600.0,
    }
    return Ended(name, name, **(usual | values))


def crashed(*containers: Ended, **values: Any) -> dict[str, Any]:  # noqa: ANN401  (Crashes' words)
    return {"crashes": Crashes(containers=containers, **values)}


def said(message: str, text: str, count: int = 1) -> dict[str, Any]:
    return crashed(ended(said={message: {text: count}}))


DISK = DiskUse((FileSystem("/", 50, 50),), (), ())
GIB = 2**30
DUE = Participation(epoch=42, claimed=False, height=1000, claims=800)

FOUND = [
    ("Docker daemon", crashed(problem="the Docker engine is stopped", daemon={"start": {"failed to start daemon": 2}}),
     "the Docker engine is stopped; failed to start daemon (2 times)"),
    ("disk space", {"disk": replace(DISK, file_systems=(FileSystem("/", 95 * GIB, 5 * GIB),))}, "/ is 95% full, 5.4 GB free"),
    ("disk space", {"disk": DISK, **said("disk-full", "no space left on device")}, "node found no room"),
    ("disk errors", {"kernel": KernelLog(said={"disk": {"I/O error, dev sda": 7}})}, "I/O error, dev sda (7 times)"),
    ("old data backups", {"disk": replace(DISK, backups=(Taken("/d/data-backup-1", 10**11, 8 * 86400.0),))},
     "/d/data-backup-1, 100.0 GB, 8 d old"),
    ("application.db", {"disk": replace(DISK, databases=(Taken("/d/application.db", 3 * 10**11),))}, "/d/application.db, 300.0 GB"),
    ("containers", crashed(ended("api", restarts=4, age=42.0)), "api restarted 4 times, the last time 42 s ago"),
    ("out of memory", crashed(ended("api", killed_for_memory=True)), "api was killed for memory"),
    ("out of memory", crashed(ended("api", memory="40GiB", share=0.6)), "api uses 40GiB, 60%"),
    ("out of memory", {"kernel": KernelLog(said={"killed": {"Out of memory: Killed process 7 (api)": 1}})}, "in the last day"),
    ("GPU errors", {"kernel": KernelLog(said={"xid": {"NVRM: Xid (PCI:0000:01:00): 79": 1}})}, "NVRM: Xid (PCI:0000:01:00): 79"),
    ("GPUs", said("gpu-runtime", "could not select device driver"), "node: could not select device driver"),
    ("GPU memory", said("gpu-memory", "CUDA out of memory", 3), "node: CUDA out of memory (3 times)"),
    ("GPU lost", said("gpu-lost", "GPU is lost"), "node: GPU is lost"),
    ("port taken", said("port-taken", "port is already allocated"), "node: port is already allocated"),
    ("model files", said("model-files", "LocalEntryNotFoundError"), "node: LocalEntryNotFoundError"),
    ("signing info", said("signing-info", "no validator signing info found"), "node: no validator signing info found"),
    ("app hash", said("app-hash", "wrong Block.Header.AppHash"), "node: wrong Block.Header.AppHash"),
    ("passphrase", said("passphrase", "incorrect passphrase"), "node: incorrect passphrase"),
    ("seed node", {"ways": {"tcp://seed:5000": "Connection refused", "http://seed": "ok"}}, "tcp://seed:5000: Connection refused"),
    ("upgrade without binary", {"homes": {"/h": Home("v0.2.14", 900, ready=("v0.2.13",))}},
     "/h: v0.2.14 was due at block 900, and its binary is not there"),
    ("upgrade without binary", {"homes": {"/h": Home()},
     **crashed(ended(status="restarting", said={"upgrade": {'UPGRADE "v9" NEEDED at height: 5': 1}}))},
     'node: UPGRADE "v9" NEEDED at height: 5'),
    ("jailed", {"standing": Standing(jailed=True)}, "the chain holds its validator as jailed"),
    ("reward", {"participation": DUE}, "epoch 41: its reward is not claimed"),
    ("API", {"public": (Said("/v1/status", "answers 502"),)}, "/v1/status answers 502"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "extra", "evidence"), FOUND, ids=[f"{one[0]}: {one[2][:30]}" for one in FOUND]
)
def test_a_symptom_is_found_with_its_evidence_and_a_fix(
    case: Callable[..., Case], name: str, extra: dict[str, Any], evidence: str
) -> None:
    finding = ask(name, case(**extra))

    assert finding is not None
    assert (finding.verdict, evidence in finding.evidence) == (Verdict.FOUND, True), finding
    assert finding.fix
    assert "{" not in finding.fix.replace("{{.", "").replace("{.", "").replace('{"', "")


WELL = [
    ("Docker daemon", crashed(ended())),
    ("disk space", {"disk": DISK}),
    ("disk errors", {"kernel": KernelLog()}),
    ("old data backups", {"disk": replace(DISK, backups=(Taken("/d/data-backup-1", 1, 6 * 86400.0),))}),
    ("application.db", {"disk": replace(DISK, databases=(Taken("/d/application.db", 10**11),))}),
    ("containers", crashed(ended(restarts=2, age=42.0), ended(restarts=9))),
    ("out of memory", crashed(ended(memory="1GiB", share=0.4))),
    ("GPU errors", {"kernel": KernelLog()}),
    ("signing info", crashed(ended())),
    ("seed node", {"ways": {"http://seed": "ok"}}),
    ("upgrade without binary", {"homes": {"/h": Home("v0.2.13", 9, ready=("v0.2.13",), current="v0.2.13")}}),
    (
        "upgrade without binary",
        {"homes": {"/h": Home()}, **said("upgrade", 'UPGRADE "v9" NEEDED at height: 5')},
    ),
    ("jailed", {"standing": Standing(jailed=False)}),
    ("jailed", {"standing": Standing()}),
    ("reward", {"participation": replace(DUE, claimed=True)}),
    ("reward", {"participation": replace(DUE, height=900)}),
    ("reward", {"participation": NOTHING}),
    ("API", {"public": (Said("/v1/status"),)}),
]


@pytest.mark.parametrize(("name", "extra"), WELL)
def test_it_is_clear_where_it_was_looked_for_in_vain(
    case: Callable[..., Case], name: str, extra: dict[str, Any]
) -> None:
    finding = ask(name, case(**extra))

    assert finding is not None
    assert finding.verdict is Verdict.CLEAR, finding


UNSEEN = [
    ("Docker daemon", {"crashes": "no answer within 30 s"}),
    ("disk space", {"disk": "no answer within 60 s"}),
    ("disk errors", {"kernel": "cut short"}),
    ("old data backups", {"disk": "no answer"}),
    ("application.db", {"disk": "no answer"}),
    ("out of memory", {"crashes": "no answer"}),
    ("GPU errors", {"kernel": "cut short"}),
    ("signing info", {"crashes": "no answer"}),
    ("signing info", crashed(ended(said=None))),
    ("seed node", {"ways": "no answer"}),
    ("upgrade without binary", {"homes": "no answer"}),
    ("jailed", {"standing": "no answer"}),
    ("jailed", {"standing": Standing(problem="the chain node does not say: it answers 500")}),
    ("reward", {"participation": Participation("no API answers")}),
    ("API", {"public": "no answer"}),
]


@pytest.mark.parametrize(("name", "extra"), UNSEEN)
def test_what_could_not_be_seen_is_unknown(
    case: Callable[..., Case], name: str, extra: dict[str, Any]
) -> None:
    finding = ask(name, case(**extra))

    assert finding is not None
    assert finding.verdict is Verdict.UNKNOWN, finding


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.name)
def test_without_a_section_of_its_own_it_says_nothing_of_it(case: Callable[..., Case], symptom: Any) -> None:  # noqa: ANN401
    """As on a network host that is there only for what is about another one."""
    finding = symptom.ask(case())

    assert finding is None or finding.verdict is not Verdict.UNKNOWN


def test_a_container_shows_no_kernel_log_and_is_not_called_well(case: Callable[..., Case]) -> None:
    inside = case(kernel=KernelLog(inside="systemd-nspawn"))

    assert ask("GPU errors", inside) is None
    assert ask("disk errors", inside) is None


def test_a_chain_node_that_does_not_run_is_a_symptom_of_its_container(
    case: Callable[..., Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = Node(height=900, age=3600, peers=0, catching_up=True)
    seen = case()
    for node, verdict in (
        (behind, Verdict.FOUND), (Node("is exited", down=True), None), (Node("there is none", absent=True), None),
        (Node("does not answer: refused", silent=True), Verdict.FOUND), (Node("answers 500"), Verdict.UNKNOWN),
    ):  # fmt: skip
        monkeypatch.setattr(Case, "section", lambda _self, _fact, node=node: node)
        finding = ask("chain node behind", seen)
        assert (finding and finding.verdict) == verdict
    monkeypatch.setattr(Case, "section", lambda _self, _fact: behind)
    finding = ask("chain node behind", seen)
    assert finding is not None
    assert "without a peer" in finding.fix


def changed(recorded: Recorded, kind: str, *attributes: str, host: str = NETWORK, **values: Any) -> Change:  # noqa: ANN401
    address = next(a for a in recorded[0].resources if (a.host, a.kind) == (host, kind))
    changes = tuple(AttributeChange(name, "before", "after") for name in attributes)
    return Change(address, Action.UPDATE if attributes else Action.CREATE, changes, **values)


@dataclass(frozen=True)
class Differing:
    """A difference of a kind on a host, and the symptom that it is."""

    symptom: str
    host: str
    kind: str
    attributes: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)


HUMAN = {"human": True, "hint": "as the hint says"}
DIFFERING = [
    Differing("models", ML, "model", ("revision",), {"reason": "partial, 12"}),
    Differing("registered URL", NETWORK, "registration", ("url",), HUMAN),
    Differing("consensus key", NETWORK, "registration", ("consensus_key",), HUMAN),
    Differing("registration", NETWORK, "registration"),
    Differing("grants", NETWORK, "grants", ("expiring",), HUMAN),
    Differing("warm key", NETWORK, "warm-key", (), HUMAN),
    Differing("account key", NETWORK, "account", ("on_this_host",), HUMAN),
    Differing("nodes registered otherwise", NETWORK, "node", ("host",)),
    Differing("nodes not stored", NETWORK, "node", ("persisted",)),
    Differing("nodes switched off or on", NETWORK, "node", ("enabled",)),
    Differing("PoC callback", NETWORK, "env-file", ("variables.DAPI_API__POC_CALLBACK_URL",)),
    Differing("GPUs", ML, "compose-service", ("gpus",)),
    Differing("containers", ML, "compose-service", ("running",), {"reason": "exited with status 137"}),
    Differing("open ports", ML, "exposure", ("sources",), HUMAN),
]


@pytest.mark.parametrize("one", DIFFERING, ids=lambda one: one.symptom)
def test_what_differs_hurts_under_its_own_name_alone(
    recorded: Recorded, case: Callable[..., Case], one: Differing
) -> None:
    before = {symptom.name for symptom in SYMPTOMS if _found(symptom.ask(case(one.host)))}
    change = changed(recorded, one.kind, *one.attributes, host=one.host, **one.values)
    seen = case(one.host, (change,))

    assert {symptom.name for symptom in SYMPTOMS if _found(symptom.ask(seen))} - before == {one.symptom}


def _found(finding: Finding | None) -> bool:
    return finding is not None and finding.verdict is Verdict.FOUND


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"http://10.77.0.11:9100": "No route to host"}, Verdict.FOUND),
        ({"http://10.77.0.11:9100": "ok"}, Verdict.CLEAR),
        ("late", Verdict.UNKNOWN),
    ],
)
def test_results_need_a_way_back_from_each_ml_host(
    case: Callable[..., Case], said: str | dict[str, str], verdict: Verdict
) -> None:
    finding = ask("PoC callback", case(ML, ways=said))

    assert finding is not None
    assert finding.verdict is verdict


def test_a_key_that_a_first_converge_makes_is_no_symptom(
    recorded: Recorded, case: Callable[..., Case]
) -> None:
    finding = ask("warm key", case(NETWORK, (changed(recorded, "warm-key"),)))

    assert finding is not None
    assert finding.verdict is Verdict.CLEAR


def test_how_a_container_ended_is_told_with_it(recorded: Recorded, case: Callable[..., Case]) -> None:
    change = changed(recorded, "compose-service", "running", host=ML, reason="exited with status 137")
    gone = ended("x", status="exited", exit=137, killed_for_memory=True, restarts=4)
    gone = replace(gone, service=change.address.name)

    finding = ask("containers", case(ML, (change,), **crashed(gone)))

    assert finding is not None
    assert finding.evidence.endswith("x ended with status 137, killed for memory, restarted 4 times")


@pytest.mark.parametrize("action", [Action.UNKNOWN, Action.UPDATE])
def test_between_its_ends_a_container_is_neither_well_nor_unknown(
    recorded: Recorded, case: Callable[..., Case], action: Action
) -> None:
    change = replace(changed(recorded, "compose-service", "healthy", host=ML), action=action)
    restless = replace(ended("x", restarts=4, age=42.0), service=change.address.name)

    finding = ask("containers", case(ML, (change,), **crashed(restless)))

    assert finding is not None
    assert finding.verdict is Verdict.FOUND
    assert finding.evidence.endswith("x restarted 4 times, the last time 42 s ago")


def test_what_stands_before_a_container_that_ends_all_the_time_does_not_hide_it(
    recorded: Recorded, case: Callable[..., Case]
) -> None:
    before = changed(recorded, "compose-service", "healthy", host=ML, reason="does not answer")
    restless = replace(ended("x", restarts=4, age=42.0), service="another")

    finding = ask("containers", case(ML, (before,), **crashed(restless)))

    assert finding is not None
    assert finding.evidence.endswith("does not answer; x restarted 4 times, the last time 42 s ago")
    assert "logs cluster2-ml-01 another " in finding.fix


def test_files_of_killed_downloads(recorded: Recorded, case: Callable[..., Case]) -> None:
    seen = case(ML)
    left = Unmanaged(ML, "model", "Qwen/Qwen3-32B-FP8 (unfinished)", "1.2 GB in 1 unfinished file")
    plan = replace(seen.compared.plan, unmanaged=(left,))

    finding = ask("unfinished downloads", replace(seen, compared=replace(seen.compared, plan=plan)))

    assert finding is not None
    assert finding.evidence == "Qwen/Qwen3-32B-FP8: 1.2 GB in 1 unfinished file"
    assert recorded[0].file in finding.fix
