"""Every kind against what real programs printed: one case is one file in tests/kinds/<section>/.

A case holds the declared resources, the decoded output of one section as recorded from a host, and what
must come of it: the action, every attribute that differs, and what is unmanaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gonka_state.core.address import Address
from gonka_state.core.change import Action
from gonka_state.core.desired import Declared, Desired, Login
from gonka_state.engine.compare import Compared, Comparer
from gonka_state.engine.prune import pruning
from gonka_state.facts.snapshot import Answer, HostLook, Snapshot
from gonka_state.registry import KINDS
from gonka_state.spec.host_words import PRUNABLE

HERE = Path(__file__).parent / "kinds"
CASES = sorted(HERE.glob("*/*.yaml"))
REQUIRED = {"in_sync", "update", "unknown"}


@dataclass(frozen=True)
class Case:
    """One file, ready to be compared."""

    expect: dict[str, dict[str, Any]]
    unmanaged: list[str]
    comparer: Comparer
    snapshot: Snapshot

    @property
    def compared(self) -> Compared:
        """What the comparer makes of the look."""
        return self.comparer.compare(self.snapshot)


def read(path: Path) -> Case:
    data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    here = data.get("here", {})
    host = here.get("host", "ml-01")
    addresses = {host: "10.77.0.99", **here.get("addresses", {})}
    declared: dict[Address, Declared[Any]] = {}
    for item in data["resources"]:
        words = dict(item)
        resource = KINDS[words.pop("kind")].resource.model_validate(words)
        address = Address(host, resource.kind, resource.name)
        declared[address] = Declared(address, resource)
    logins = {name: Login(name, at, "ubuntu", 22, "/key", "/known_hosts") for name, at in addresses.items()}
    prune = {host: PRUNABLE}
    desired: Desired[Any] = Desired(
        "case", str(path), lab=True, hosts=logins, resources=declared, prune=prune
    )
    answer = Answer(data["output"], unknown=data.get("unknown", ""))
    look = HostLook({path.parent.name: answer}, peer=here.get("peer", ""), skew=here.get("skew"))
    snapshot = Snapshot("case", "2026-11-24T00:00:00+00:00", "salt", {host: look})
    return Case(
        data["expect"],
        data.get("unmanaged", []),
        Comparer(desired, KINDS, selected=frozenset(declared)),
        snapshot,
    )


@pytest.mark.parametrize("path", CASES, ids=[f"{path.parent.name}/{path.stem}" for path in CASES])
def test_case(path: Path) -> None:
    case = read(path)
    changes = {address.local: change for address, change in case.compared.changes.items()}

    assert set(case.expect) == set(changes)
    for local, expected in case.expect.items():
        change = changes[local]
        found = {item.name: [item.before, item.after] for item in change.attributes}
        assert (change.action, found) == (Action(expected["action"]), expected.get("changes", {})), change
        assert expected.get("reason", "") in change.reason
        if "held" in expected:
            assert change.held.startswith(expected["held"]), change
            assert bool(change.held) is bool(expected["held"])
        if "effect" in expected:
            assert change.effect == expected["effect"]
        assert change.human == expected.get("human", False)
    assert sorted(f"{item.kind}:{item.name}" for item in case.compared.plan.unmanaged) == sorted(
        case.unmanaged
    )


@pytest.mark.parametrize("path", CASES, ids=[f"{path.parent.name}/{path.stem}" for path in CASES])
def test_what_would_be_pruned_is_there(path: Path) -> None:
    case = read(path)
    before = {(item.kind, item.name) for item in case.compared.plan.unmanaged}

    comparer = pruning(case.comparer, case.snapshot, lambda _: None)
    changes = comparer.compare(case.snapshot).changes
    added = changes.keys() - case.compared.changes.keys()
    after = {(item.kind, item.name) for item in comparer.compare(case.snapshot).plan.unmanaged}

    assert all(address.kind in PRUNABLE for address in added)
    for address in added:
        leaves = changes[address].action is Action.UPDATE  # a node is disabled first
        assert leaves or changes[address].action is Action.DELETE, changes[address]
    assert len(after) <= len(before)
    assert bool(added) or after == before


@pytest.mark.parametrize("section", sorted({kind.fact.section for kind in KINDS.values()}))
def test_every_section_shows_the_usual_cases(section: str) -> None:
    names = {path.stem for path in (HERE / section).glob("*.yaml")}

    assert names >= REQUIRED, f"tests/kinds/{section} lacks {', '.join(sorted(REQUIRED - names))}"


@pytest.mark.parametrize("path", CASES, ids=[f"{path.parent.name}/{path.stem}" for path in CASES])
def test_every_case_says_where_it_was_recorded(path: Path) -> None:
    data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))

    assert data["recorded"].strip()
