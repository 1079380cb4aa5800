"""What a look found that somebody should know, who moved, and what stays open because nobody could look."""

from __future__ import annotations

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.incident import Finding, Origin, Seen, findings, known_of, origin, still_open
from gonka_state.core.plan import HostLooked, Plan


def change(host: str, name: str, action: Action = Action.UPDATE, **more: object) -> Change:
    return Change(Address(host, "file", name), action, **more)  # type: ignore[arg-type]  # a change's own words


def plan(*changes: Change, **unknown: str) -> Plan:
    hosts = [HostLooked(host, unknown=unknown.get(host, "")) for host in ("a", "b")]
    synced = (Address("a", "file", "/y"),)
    return Plan("c", lab=False, hosts=tuple(hosts), changes=changes, in_sync=1, synced=synced)


@pytest.mark.parametrize(
    ("wish", "last", "who"),
    [
        ("1", "1", Origin.DRIFT),
        ("2", "1", Origin.PENDING),
        ("1", None, Origin.PENDING),
        (None, None, Origin.DRIFT),
    ],
)
def test_who_moved(wish: str | None, last: str | None, who: Origin) -> None:
    assert origin(Finding("a/file:/x", unknown=False), wish, last) is who
    assert origin(Finding("a/file:/x", unknown=True), wish, last) is Origin.UNKNOWN


def test_what_may_follow_warns_or_is_in_maintenance_is_no_finding() -> None:
    found = findings(
        plan(
            change("a", "/x"),
            change("a", "/follows", conditional=True),
            change("a", "/warns", warning=True),
            change("a", "/worked-on", maintenance="by hand"),
            change("a", "/worked-on-unseen", Action.UNKNOWN, maintenance="by hand"),
            change("a", "/unseen", Action.UNKNOWN, reason="no answer"),
        )
    )

    assert [(item.subject, item.unknown) for item in found] == [
        ("a/file:/x", False),
        ("a/file:/unseen", True),
    ]


def test_a_silent_host_is_one_finding() -> None:
    looked = plan(change("b", "/x", Action.UNKNOWN), change("b", "/y", Action.UNKNOWN), b="is off")

    assert findings(looked) == (Finding("b", unknown=True, reason="is off"),)


def test_what_could_not_be_judged_stays_as_it_was() -> None:
    looked = plan(change("b", "/x", Action.UNKNOWN), change("a", "/z", Action.UNKNOWN), b="is off")

    assert still_open("b/file:/x", unknown=False, stray=False, plan=looked)
    assert still_open("b/file:/x", unknown=True, stray=False, plan=looked)
    assert still_open("a/file:/z", unknown=False, stray=False, plan=looked)
    assert not still_open("a/file:/y", unknown=False, stray=False, plan=looked)
    assert not still_open("a/file:/y", unknown=True, stray=False, plan=looked)
    assert not still_open("a", unknown=True, stray=False, plan=looked)


def test_what_nobody_declared_is_not_over_while_its_kind_is_not_seen() -> None:
    stray = "a/file:/stray"

    assert still_open(stray, unknown=False, stray=True, plan=plan(change("a", "/z", Action.UNKNOWN)))
    assert still_open("b/file:/stray", unknown=False, stray=True, plan=plan(b="is off"))
    assert not still_open(
        stray, unknown=False, stray=False, plan=plan(change("a", "/z"), change("b", "/x", Action.UNKNOWN))
    )


def test_what_was_unknown_and_now_only_may_follow_was_not_seen() -> None:
    assert still_open("a/file:/x", unknown=True, stray=False, plan=plan(change("a", "/x", conditional=True)))
    assert not still_open("a/file:/x", unknown=True, stray=False, plan=plan(change("a", "/x")))


def test_a_resource_of_a_silent_host_is_known_by_its_host() -> None:
    since = Seen(Origin.UNKNOWN, 7.0)

    assert known_of(change("b", "/x", Action.UNKNOWN), {"b": since}) == since
    assert known_of(change("b", "/x"), {"b": since}) is None
