"""What one Admin API and the chain behind it answered, understood; each question may fail on its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.facts import picked
from gonka_state.facts.admin_api import is_entry
from gonka_state.facts.picked import Picked

if TYPE_CHECKING:
    from gonka_state.facts.base import Part, Parts

UPSERT_SINCE = (0, 2, 4)
"""The first API release with PUT, and with a POST that does not append a second entry."""

_OK, _NOT_FOUND = 200, 404


@dataclass(frozen=True, slots=True)
class MlNode:
    """What an ML node says about itself: the loaded model, and the memory of its cards in MB.

    `answers` is false where nobody does; cards are 0 where they are not told (mlnode before 3.0.10).
    """

    answers: bool = False
    loaded: str = ""
    version: str = ""
    cards: int = 0
    used: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class AdminApi:
    """One Admin API's answers, or the `problem` of reading its list.

    `silent` says that nothing answered at all. `upserts` tells the era: true since 0.2.4, None when the API's
    age is not known. `stored` are the nodes of its configuration, which outlives a restart; None when they
    are not known (`stored_problem`; an older API does not tell). `governance` are the models that may be
    registered, None when not known (`governance_problem`). `epoch` is None when not known. `taking_part` are
    the ids with which we are in the current epoch, None when we are not in it or it is not known. `now` is
    the host's clock, in seconds since 1970.
    """

    nodes: tuple[dict[str, Any], ...] = ()
    problem: str = ""
    silent: bool = False
    version: str = ""
    upserts: bool | None = None
    stored: tuple[dict[str, Any], ...] | None = None
    stored_problem: str = ""
    governance: frozenset[str] | None = None
    governance_problem: str = ""
    epoch: int | None = None
    phase: str = ""
    taking_part: frozenset[str] | None = None
    ml_nodes: dict[str, MlNode] = field(default_factory=dict)
    now: float = 0.0

    def find(self, name: str) -> list[dict[str, Any]]:
        """The entries of a node: one or none, or in a strange list several."""
        return [entry for entry in self.nodes if entry["node"].get("id") == name]

    def kept(self, name: str) -> list[dict[str, Any]]:
        """The node in the stored configuration, as entries of the same shape."""
        return [{"node": node} for node in self.stored or () if node.get("id") == name]


@dataclass(frozen=True, slots=True)
class NodesState:
    """Admin APIs by base URL."""

    apis: dict[str, AdminApi] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """The section's parts, by question and API."""

    parts: Parts

    def part(self, question: str, api: str) -> Part | None:
        """What was printed; None when this was not asked."""
        return self.parts.get(f"{question} {api}")

    def picked(self, question: str, api: str) -> Picked:
        """One answer; the empty one where it was not asked.

        Raises:
            FactError: it was cut short.
        """
        part = self.part(question, api)
        return picked.read(part.text) if part is not None and part.text.strip() else Picked()


def read_api(answers: Answers, api: str) -> AdminApi:
    """Understand everything about one API.

    Raises:
        FactError: an answer was cut short.
    """
    part = answers.parts[f"nodes {api}"]
    listed = answers.picked("nodes", api)
    problem = _problem(part, listed)
    if problem:
        return AdminApi(problem=problem, silent=not listed.status and "not installed" not in problem)
    version, upserts = _era(answers, api)
    stored, stored_problem = _stored(answers, api)
    governance, governance_problem = _governance(answers, api)
    epoch = answers.picked("epoch", api).value
    index = _at(epoch, "latest_epoch", "index")
    return AdminApi(
        nodes=tuple(entry for entry in listed.value or ()),
        version=version,
        upserts=upserts,
        stored=stored,
        stored_problem=stored_problem,
        governance=governance,
        governance_problem=governance_problem,
        epoch=index if isinstance(index, int) else None,
        phase=str(_at(epoch, "phase") or ""),
        taking_part=nodes_in_epoch(answers.picked("participants", api)),
        ml_nodes=_ml_nodes(answers.part("cards", api)),
        now=_clock(answers.parts.get("clock")),
    )


def _problem(part: Part, listed: Picked) -> str:
    """Why there is no list of nodes; empty when there is one."""
    if not listed.status:
        silent = re.sub(r"^curl: \(\d+\) ", "", part.stderr.strip()) or "no connection"
        return silent if "not installed" in silent or "not found" in silent else f"does not answer: {silent}"
    if listed.status != _OK:
        return f"answers {listed.status}: {listed.error or 'no reason given'}"
    if not listed.whole:
        return "answers with something that is no JSON, or with a part of it only"
    nodes = listed.value
    if nodes is not None and not (isinstance(nodes, list) and all(is_entry(item) for item in nodes)):
        return "answers with something that is no list of nodes"
    return ""


def _at(value: object, *path: str) -> Any:  # noqa: ANN401 (JSON)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _items(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _era(answers: Answers, api: str) -> tuple[str, bool | None]:
    """The API's version as it says itself, else only whether it has a configuration to show."""
    version = str(_at(answers.picked("versions", api).value, "api_version", "version") or "")
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if numbers:
        return version, tuple(map(int, numbers.groups())) >= UPSERT_SINCE
    status = answers.picked("config", api).status
    return version, {_OK: True, _NOT_FOUND: False}.get(status)


def _stored(answers: Answers, api: str) -> tuple[tuple[dict[str, Any], ...] | None, str]:
    config = answers.picked("config", api)
    if config.status != _OK or not config.whole:
        said = f"answers {config.status}" if config.status else "does not answer"
        return None, "" if config.status == _NOT_FOUND else f"GET /admin/v1/config {said}"
    return tuple(_items(_at(config.value, "nodes"))), ""


def _governance(answers: Answers, api: str) -> tuple[frozenset[str] | None, str]:
    """The models that governance knows, by our own API or else by the seed's."""
    asked = [answers.picked(question, api) for question in ("models", "seed")]
    for answer in asked:
        found = frozenset(str(item["id"]) for item in _items(_at(answer.value, "models")) if "id" in item)
        if answer.status == _OK and answer.whole and found:
            return found, ""
    status = next((answer.status for answer in asked if answer.status), 0)
    return None, f"answers {status} without a model" if status else "does not answer"


def nodes_in_epoch(answer: Picked) -> frozenset[str] | None:
    """The node ids of our own participant."""
    ours = _items(_at(answer.value, "active_participants", "participants"))
    if answer.status != _OK or not ours:
        return None
    groups = [group for item in ours for group in _items(item.get("ml_nodes"))]
    return frozenset(str(node.get("node_id")) for group in groups for node in _items(group.get("ml_nodes")))


def _clock(part: Part | None) -> float:
    return float(part.text.strip()) if part is not None and part.text.strip().isdecimal() else 0.0


def _ml_nodes(part: Part | None) -> dict[str, MlNode]:
    """Lines `NODE state …` and `NODE cards …`, each ending as `pick` ends."""
    texts: dict[str, dict[str, list[str]]] = {}
    for line in part.lines if part is not None else ():
        name, _, rest = line.partition(" ")
        question, _, answer = rest.partition(" ")
        texts.setdefault(name, {}).setdefault(question, []).append(answer)
    return {name: _ml_node(said) for name, said in texts.items() if name}


def _ml_node(said: dict[str, list[str]]) -> MlNode:
    state = picked.read("\n".join(said["state"])) if "state" in said else Picked()
    cards = picked.read("\n".join(said["cards"])) if "cards" in said else Picked()
    devices = [item for item in _items(_at(cards.value, "devices")) if item.get("is_available") is not False]
    numbers = [
        (item["used_memory_mb"], item["total_memory_mb"])
        for item in devices
        if all(isinstance(item.get(key), int) for key in ("used_memory_mb", "total_memory_mb"))
    ]
    return MlNode(
        answers=state.status == _OK,
        loaded=str(_at(state.value, "loaded_model") or ""),
        version=str(_at(state.value, "version") or ""),
        cards=len(numbers),
        used=sum(used for used, _ in numbers),
        total=sum(total for _, total in numbers),
    )
