"""What stays unknown is looked at a second time before it is told, once, and only where that may help."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gonka_state.engine import again

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from gonka_state.engine.compare import Compared
    from gonka_state.facts.snapshot import Snapshot
    from tests.engine.conftest import Paper


def looked(paper: Paper, hosts: Collection[str], salt: str = "") -> Snapshot:
    from gonka_state.engine.observe import Observer  # noqa: PLC0415 (loads pyinfra)

    with paper.connected() as session:
        observer = Observer(
            session, paper.desired, paper.kinds, lambda _where, _text: None, salt=salt or "salt"
        )
        return observer.look(hosts)


def twice(paper: Paper) -> tuple[Compared, Compared, list[str]]:
    """The first look compared, the second one as well, and the hosts that were looked at again."""
    snapshot = looked(paper, paper.hosts)
    first = paper.comparer().compare(snapshot)
    hosts = again.unsure(paper.desired, first.plan)
    second = again.look_again(snapshot, hosts, lambda names: looked(paper, names, snapshot.salt), pause=0)
    return first, paper.comparer().compare(second), hosts


def test_a_lost_look_is_made_good_by_the_second(paper: Paper) -> None:
    paper.note("network", "a")
    paper.note("ml-01", "b")
    paper.has("network", a="text")
    paper.has("ml-01", b="text")
    paper.drop["network"] = lambda number: number == 1

    first, second, hosts = twice(paper)

    assert (len(first.plan.unknown), len(second.plan.unknown), second.plan.in_sync) == (1, 0, 2)
    assert hosts == ["network"]
    assert paper.execs == {"network": 2, "ml-01": 1}


def test_what_makes_no_sense_is_read_again(paper: Paper) -> None:
    paper.note("network", "a")
    paper.has("network", a="unreadable")

    first, second, hosts = twice(paper)

    assert (hosts, len(first.plan.unknown), len(second.plan.unknown)) == (["network"], 1, 1)


def test_what_waits_for_the_operator_or_lacks_a_key_is_not_looked_at_again(
    paper: Paper, tmp_path: Path
) -> None:
    paper.note("network", "a", withheld="account.pubkey")
    paper.off = ("ml-01",)
    desired = paper.desired
    plan = paper.look().plan

    assert again.unsure(desired, plan) == ["ml-01"]
    (tmp_path / "login").unlink()
    assert again.unsure(desired, plan) == []


def test_a_host_in_maintenance_is_left_alone(paper: Paper) -> None:
    paper.note("ml-01", "b")
    paper.off = ("ml-01",)
    paper.maintain("ml-01", ends=datetime.now(UTC) + timedelta(days=1))

    assert again.unsure(paper.desired, paper.look().plan) == []
