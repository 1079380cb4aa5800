"""A wish and a snapshot become a plan: unknown in every form, withheld values, needs, selections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.change import Action, Change, Effect
from gonka_state.core.observation import Unmanaged
from gonka_state.core.order import Edge
from gonka_state.engine.compare import Comparer
from gonka_state.engine.needs import edges
from gonka_state.engine.select import select
from gonka_state.errors import InputError
from gonka_state.facts.snapshot import Answer, HostLook, Snapshot, dump, restore
from gonka_state.kind import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.plan import Plan
    from tests.engine.conftest import Paper


def answer(notes: Mapping[str, str]) -> Answer:
    parts = [f"#@x part {name}\n{text}\n#@x rc 0 \n" for name, text in [*notes.items(), ("end", "")]]
    return Answer("".join(parts))


def snapshot(hosts: Mapping[str, Mapping[str, str] | HostLook]) -> Snapshot:
    looks = {
        host: look if isinstance(look, HostLook) else HostLook({"notes": answer(look)}, execs=1)
        for host, look in hosts.items()
    }
    return Snapshot("paper", "2026-11-24T00:00:00+00:00", "salt", looks)


def changes(plan: Plan) -> dict[str, Change]:
    return {str(change.address): change for change in plan.changes}


def only(paper: Paper, look: Mapping[str, str] | HostLook, **words: object) -> Change:
    """The one change on `network`; every other host answers with nothing."""
    hosts = {host: look if host == "network" else {} for host in paper.hosts}
    comparer = Comparer(paper.desired, paper.kinds, **words)  # type: ignore[arg-type]  # the comparer's own words
    found = changes(comparer.compare(snapshot(hosts)).plan)
    assert len(found) == 1, found
    return next(iter(found.values()))


def test_a_plan_counts_everything_it_looked_at(paper: Paper) -> None:
    paper.note("network", "same", "x")
    paper.note("network", "other", "x")
    paper.note("ml-01", "new")

    compared = paper.comparer().compare(
        snapshot({"network": {"same": "x", "other": "y", "stray": "z"}, "ml-01": {}}), seconds=1.5
    )
    plan = compared.plan

    assert {address: change.action for address, change in changes(plan).items()} == {
        "network/note:other": Action.UPDATE,
        "ml-01/note:new": Action.CREATE,
    }
    assert (plan.in_sync, plan.seconds, plan.cluster, plan.lab) == (1, 1.5, "paper", True)
    assert plan.unmanaged == (Unmanaged("network", "note", "stray"),)
    assert [(looked.host, looked.execs) for looked in plan.hosts] == [("network", 1), ("ml-01", 1)]
    assert plan.addresses == {"network": "10.77.0.11", "ml-01": "10.77.0.12"}
    assert set(compared.observations) == set(compared.changes) == set(paper.declared)


def test_a_change_explains_itself(paper: Paper) -> None:
    paper.note("network", "a", "new", effect_of=Effect.DISRUPTIVE)

    change = only(paper, {"a": "old"})

    assert [(item.name, item.before, item.after) for item in change.attributes] == [("text", "old", "new")]
    assert (change.effect, change.runnable) == (Effect.DISRUPTIVE, True)


def test_what_is_not_there_says_why_and_names_no_attributes(paper: Paper) -> None:
    paper.note("network", "a")

    change = only(paper, {})

    assert (change.action, change.attributes, change.reason) == (Action.CREATE, (), "nobody wrote it")


OFF = HostLook(unknown="is off", hint="switch it on")


@pytest.mark.parametrize(
    ("look", "reason", "hint"),
    [
        (OFF, "is off", "switch it on"),
        (HostLook(), "nothing was asked about notes", "take a new snapshot: gonka-state observe"),
        (
            HostLook({"notes": Answer("", unknown="sudo without a password was refused")}),
            "sudo without a password was refused",
            "give the login user passwordless sudo, or log in as root",
        ),
        (
            HostLook({"notes": Answer("", unknown="no answer within 5 s")}),
            "no answer within 5 s",
            "a slow section gets more time with run.timeouts.section",
        ),
        (HostLook({"notes": Answer("", unknown="the answer was cut short")}), "the answer was cut short", ""),
        (HostLook({"notes": Answer("MOTD")}), "the answer does not start with a frame: 'MOTD'", ""),
        (HostLook({"notes": answer({"a": "garbage"})}), "the notes make no sense", "read them"),
        (HostLook({"notes": answer({"a": "unreadable"})}), "a cannot be read", "look closer"),
    ],
)
def test_unknown_is_never_absent_and_says_why(paper: Paper, look: HostLook, reason: str, hint: str) -> None:
    paper.note("network", "a", state="absent")

    change = only(paper, look)

    assert (change.action, change.reason, change.hint) == (Action.UNKNOWN, reason, hint)


def test_a_host_that_is_not_in_the_snapshot_is_unknown(paper: Paper) -> None:
    paper.note("network", "a")

    plan = paper.comparer().compare(snapshot({"ml-01": {}})).plan

    assert changes(plan)["network/note:a"].reason == "the host is not part of this look"
    assert [looked.unknown for looked in plan.hosts] == ["not part of this look", ""]


def test_an_unknown_host_takes_nobody_elses_plan_along(paper: Paper) -> None:
    paper.note("network", "a")
    paper.note("ml-01", "b")
    paper.note("network", "c", needs=("ml-01/note:b",))

    found = changes(paper.comparer().compare(snapshot({"network": {}, "ml-01": OFF})).plan)

    assert found["network/note:a"].runnable
    assert found["network/note:c"].held == "waits for ml-01/note:b, which is unknown"


def test_a_value_that_is_not_set_holds_back_what_needs_it_and_is_named(paper: Paper) -> None:
    paper.note("network", "a", withheld="account.pubkey (cluster.yaml:7)")
    paper.note("network", "b", needs=("note:a",))
    paper.note("network", "c")

    found = changes(paper.comparer().compare(snapshot({"network": {}, "ml-01": {}})).plan)

    assert found["network/note:a"].reason == "waits for account.pubkey (cluster.yaml:7)"
    assert found["network/note:a"].action is Action.UNKNOWN
    assert found["network/note:b"].held
    assert found["network/note:c"].runnable


def test_what_a_kind_leaves_to_a_human_is_never_run(paper: Paper) -> None:
    paper.note("network", "a", "new")

    change = only(paper, {"a": "signed"})

    assert (change.human, change.runnable, change.reason) == (True, False, "only its author may")


def test_a_look_may_say_that_a_difference_holds_nothing_back(paper: Paper) -> None:
    need = paper.note("network", "a", "new")
    paper.note("network", "b", needs=("note:a",))

    plan = paper.comparer().compare(snapshot({"network": {"a": "harmless"}, "ml-01": {}})).plan

    assert changes(plan)[str(need)].human
    assert changes(plan)["network/note:b"].runnable


@pytest.mark.parametrize(("level", "warning", "pending"), [("block", False, True), ("warn", True, False)])
def test_a_requirement_is_closed_by_a_human_and_may_only_warn(
    paper: Paper, level: str, *, warning: bool, pending: bool
) -> None:
    paper.requirement("network", "cores", "8", level=level)

    change = only(paper, {"cores": "4"})

    assert (change.human, change.warning, change.pending) == (True, warning, pending)


def test_a_kind_may_refuse_for_the_whole_host_by_who_is_looking(paper: Paper) -> None:
    paper.note("network", "a")
    notes = {"locked": "10.77.0.254"}

    assert only(paper, HostLook({"notes": answer(notes)}, peer="10.77.0.254")).held == "10.77.0.254 locked it"
    assert only(paper, HostLook({"notes": answer(notes)}, peer="10.77.0.1")).runnable


def test_what_is_in_sync_is_never_refused(paper: Paper) -> None:
    paper.note("network", "a", "x")
    look = HostLook({"notes": answer({"a": "x", "locked": "10.77.0.254"})}, peer="10.77.0.254")

    assert paper.comparer().compare(snapshot({"network": look, "ml-01": {}})).plan.changes == ()


def test_only_what_is_selected_is_planned_and_what_it_needs_is_named(paper: Paper) -> None:
    paper.note("network", "a")
    paper.copy("network", "c", of="a")
    paper.note("ml-01", "b")
    selected = select(paper.desired, hosts=("network",), kinds=("copy",))

    plan = paper.comparer(selected=selected).compare(snapshot({"network": {}, "ml-01": {}})).plan

    assert list(changes(plan)) == ["network/copy:c"]
    assert changes(plan)["network/copy:c"].held == "waits for network/note:a, which was not selected"
    assert [looked.host for looked in plan.hosts] == ["network"]


def test_what_is_selected_runs_where_its_needs_are_in_place(paper: Paper) -> None:
    paper.note("network", "a", "x")
    paper.copy("network", "c", of="a")
    selected = select(paper.desired, hosts=(), kinds=("copy",))

    plan = paper.comparer(selected=selected).compare(snapshot({"network": {"a": "x"}, "ml-01": {}})).plan

    assert changes(plan)["network/copy:c"].runnable


@pytest.mark.parametrize(
    ("there", "held", "hosts"),
    [
        ({"b": "text", "stray": "x"}, "", ["network"]),
        ({"stray": "x"}, "waits for ml-01/note:b, which was not selected", ["network"]),
        (OFF, "waits for ml-01/note:b, which is unknown", ["network", "ml-01"]),
        (None, "waits for ml-01/note:b, which is unknown", ["network", "ml-01"]),
    ],
)
def test_a_need_on_a_host_of_which_nothing_is_selected_counts(
    paper: Paper, there: Mapping[str, str] | HostLook | None, held: str, hosts: list[str]
) -> None:
    paper.note("ml-01", "b")
    node = paper.note("network", "node", needs=("ml-01/note:b",))
    looks: dict[str, Mapping[str, str] | HostLook] = {"network": {}}
    looks |= {} if there is None else {"ml-01": there}

    plan = paper.comparer(selected={node}).compare(snapshot(looks)).plan

    assert [(change.address, change.held) for change in plan.changes] == [(node, held)]
    assert [looked.host for looked in plan.hosts] == hosts
    assert plan.unmanaged == ()


def test_what_is_to_go_waits_for_nothing_on_another_host(paper: Paper) -> None:
    paper.note("ml-01", "b")
    node = paper.note("network", "node", state="absent", needs=("ml-01/note:b", "note:own"))
    own = paper.note("network", "own")

    plan = paper.comparer().compare(snapshot({"network": {"node": "x", "own": "text"}, "ml-01": OFF})).plan

    assert changes(plan)[str(node)].runnable
    assert edges(paper.desired, paper.kinds)[node] == [Edge(own)]


def test_a_silent_host_that_keeps_nothing_waiting_is_not_told_of(paper: Paper) -> None:
    paper.note("ml-01", "b")
    node = paper.note("network", "node", needs=("ml-01/note:b",))

    plan = paper.comparer(selected={node}).compare(snapshot({"network": {"node": "text"}, "ml-01": OFF})).plan

    assert (plan.changes, [looked.host for looked in plan.hosts]) == ((), ["network"])


def test_needs_come_from_the_kind_from_the_wish_and_from_requirements(paper: Paper) -> None:
    api, other = paper.note("network", "api"), paper.note("ml-01", "other")
    reply = paper.reply("network", "r")
    copy = paper.copy("network", "c", of="api")
    mine = paper.note("network", "mine", needs=("note:api", "ml-01/note:other"))
    cores = paper.requirement("network", "cores", "8", blocks=("copy", "reply"))
    far = paper.copy("ml-01", "far", of="api")

    found = edges(paper.desired, paper.kinds)

    assert found == {
        api: [],
        other: [],
        reply: [Edge(api), Edge(cores)],
        copy: [Edge(api, refresh=True), Edge(cores)],
        mine: [Edge(other), Edge(api)],
        cores: [],
        far: [],
    }


def test_a_need_of_the_first_time_is_for_always_where_the_wish_says_so(paper: Paper) -> None:
    note = paper.note("network", "api")
    reply = paper.reply("network", "r")
    kinds = dict(paper.kinds)
    kinds["reply"] = replace(kinds["reply"], needs=(Need("note", first=True),))

    assert edges(paper.desired, kinds)[reply] == [Edge(note, first=True)]

    paper.declared[reply] = replace(
        paper.declared[reply],
        resource=paper.declared[reply].resource.model_copy(update={"needs": ("note:api",)}),
    )

    assert edges(paper.desired, kinds)[reply] == [Edge(note)]


def test_needs_in_a_circle_are_refused(paper: Paper) -> None:
    paper.note("network", "a", needs=("note:b",))
    paper.note("network", "b", needs=("note:a",))

    with pytest.raises(InputError, match="needs go in a circle"):
        paper.comparer().compare(snapshot({"network": {}, "ml-01": {}}))


NOTES = st.dictionaries(
    st.sampled_from(["a", "b", "api", "copy-c", "stray"]), st.sampled_from(["x", "y", ""])
)


@given(network=NOTES, ml=NOTES)
def test_a_plan_is_the_same_twice_and_in_any_order_of_resources(
    paper: Paper, network: dict[str, str], ml: dict[str, str]
) -> None:
    paper.declared.clear()
    paper.note("network", "a", "x", needs=("ml-01/note:b",))
    paper.note("network", "api", "x")
    paper.reply("network", "r")
    paper.copy("network", "c", of="a")
    paper.note("ml-01", "b", "y")
    looked = snapshot({"network": network, "ml-01": ml})
    backwards = replace(paper.desired, resources=dict(reversed(paper.declared.items())))
    upside_down = replace(looked, hosts=dict(reversed(list(looked.hosts.items()))))

    first = paper.comparer().compare(looked).plan

    assert paper.comparer().compare(looked).plan == first
    assert Comparer(backwards, paper.kinds).compare(upside_down).plan == first
    assert paper.comparer().compare(restore(dump(looked), "file")).plan == first


@given(network=NOTES, ml=NOTES)
def test_after_every_change_is_made_nothing_differs(
    paper: Paper, network: dict[str, str], ml: dict[str, str]
) -> None:
    paper.declared.clear()
    paper.note("network", "a", "x")
    paper.note("network", "api", "y")
    paper.reply("network", "r")
    paper.copy("network", "c", of="a")
    paper.note("ml-01", "b", "y", state="absent")
    now = {"network": dict(network), "ml-01": dict(ml)}
    for _ in range(3):
        plan = paper.comparer().compare(snapshot(now)).plan
        for change in plan.runnable:
            _make(now[change.address.host], change)

    assert paper.comparer().compare(snapshot(now)).plan.changes == ()


def _make(notes: dict[str, str], change: Change) -> None:
    """What a step of this change does to a host of paper."""
    if change.conditional:
        return
    name = change.address.name
    if change.address.kind == "copy":
        notes[f"copy-{name}"] = notes["a"]
    elif change.address.kind == "reply":
        notes[f"reply-{name}"] = "hello"
    elif change.action is Action.DELETE:
        notes.pop(name, None)
    else:
        notes[name] = {"a": "x", "api": "y"}[name]


def test_here_knows_everything_declared_on_the_host_and_every_address(paper: Paper) -> None:
    paper.note("network", "a")
    paper.note("ml-01", "b")

    here = paper.comparer().here("network", HostLook(peer="10.77.0.254", skew=2.5))

    assert [resource.name for resource in here.declared] == ["a"]
    assert here.addresses == {"network": "10.77.0.11", "ml-01": "10.77.0.12"}
    assert (here.peer, here.skew) == ("10.77.0.254", 2.5)


@pytest.mark.parametrize(
    ("mine", "theirs", "first"),
    [("present", "present", "theirs"), ("absent", "present", "theirs"), ("absent", "absent", "mine")],
)
def test_what_is_to_go_goes_before_what_it_needed(paper: Paper, mine: str, theirs: str, first: str) -> None:
    needy = paper.note("network", "mine", state=mine, needs=["note:theirs"])
    needed = paper.note("network", "theirs", state=theirs)

    found = edges(paper.desired, paper.kinds)

    assert found[needy] == ([Edge(needed)] if first == "theirs" else [])
    assert found[needed] == ([] if first == "theirs" else [Edge(needy)])
