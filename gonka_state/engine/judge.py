"""What one host's look says about each resource that is declared on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.change import Action, Change
from gonka_state.core.diff import compare
from gonka_state.core.observation import OBSERVE_AGAIN, Note, Observation, Present, Unknown, Unmanaged
from gonka_state.errors import FactError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gonka_state.core.address import Address
    from gonka_state.core.desired import Declared
    from gonka_state.facts.here import Here
    from gonka_state.facts.snapshot import HostLook
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource


class HostJudge:
    """One host's sections, each parsed once, and what they say about each resource."""

    def __init__(
        self,
        kinds: Mapping[str, Kind[Any, Any]],
        look: HostLook | None,
        declared: Mapping[Address, Declared[Resource]],
        here: Here,
    ) -> None:
        self._kinds = kinds
        self._look = look
        self._declared = declared
        self._here = here
        self._states: dict[str, Any] = {}

    def _state(self, kind: Kind[Any, Any]) -> Any:  # noqa: ANN401 (each fact has its own)
        """The parsed section, or the Unknown that stands for it."""
        section = kind.fact.section
        if section not in self._states:
            self._states[section] = self._parse(kind)
        return self._states[section]

    def _parse(self, kind: Kind[Any, Any]) -> Any:  # noqa: ANN401
        if self._look is None:
            return Unknown("the host is not part of this look", OBSERVE_AGAIN)
        if self._look.unknown:
            return Unknown(self._look.unknown, self._look.hint)
        answer = self._look.sections.get(kind.fact.section)
        if answer is None:
            return Unknown(f"nothing was asked about {kind.fact.section}", OBSERVE_AGAIN)
        if answer.unknown:
            return Unknown(answer.unknown, _hint(answer.unknown))
        try:
            return kind.fact.parse(answer.text)
        except FactError as error:
            return Unknown(str(error), error.hint)

    def judge(self, item: Declared[Resource]) -> tuple[Change, Observation]:
        """One resource's change, before order and gates."""
        kind = self._kinds[item.address.kind]
        seen, wanted = self._observe(kind, item)
        resource = item.resource
        gone = resource.state == "absent"
        if gone and isinstance(seen, Present) and seen.before_removal:
            wanted, gone = dict(seen.before_removal), False
        action, attributes = compare(wanted, seen, wanted_absent=gone)
        if isinstance(seen, Unknown):
            return Change(item.address, action, reason=seen.reason, hint=seen.hint), seen
        if action is Action.CREATE:
            attributes = ()
        by_hand = seen.human
        change = Change(
            item.address,
            action,
            attributes,
            effect=resource.on_follow if action is Action.NONE else resource.effect(action, attributes),
            reason="; ".join(filter(None, [item.why, seen.reason or by_hand])),
            hint=seen.hint,
            human=bool(by_hand) or (resource.human and action is not Action.NONE),
            warning=resource.warns,
            consent=resource.consent,
            blocks=not isinstance(seen, Present) or seen.blocks,
        )
        return change, seen

    def _observe(self, kind: Kind[Any, Any], item: Declared[Resource]) -> tuple[Observation, dict[str, Any]]:
        if item.withheld:
            return Unknown(f"waits for {item.withheld}", "set it, or leave it out of the YAML"), {}
        state = self._state(kind)
        if isinstance(state, Unknown):
            return state, {}
        try:
            return kind.observe(state, item.resource, self._here), kind.wanted(
                state, item.resource, self._here
            )
        except FactError as error:
            return Unknown(str(error), error.hint), {}

    def _per_kind(self) -> list[tuple[Kind[Any, Any], Any, dict[Address, Resource]]]:
        known = []
        for kind in self._kinds.values():
            mine = {
                a: d.resource for a, d in self._declared.items() if a.kind == kind.name and not d.withheld
            }
            if mine and not isinstance(state := self._state(kind), Unknown):
                known.append((kind, state, mine))
        return known

    def refusals(self) -> dict[Address, str]:
        """Changes that a kind refuses for the host as a whole."""
        found: dict[Address, str] = {}
        for kind, state, mine in self._per_kind():
            found.update(kind.refuse(state, mine, self._here))
        return found

    def unmanaged(self) -> list[Unmanaged]:
        """What is on the host and nobody declared, for the kinds that were looked at."""
        return [
            item
            for kind, state, mine in self._per_kind()
            for item in kind.unmanaged(state, list(mine.values()), self._here)
        ]

    def notes(self) -> list[Note]:
        """What a report tells at its end."""
        return [
            note
            for kind, state, mine in self._per_kind()
            for note in kind.notes(state, list(mine.values()), self._here)
        ]

    def strangers(self, kinds: Collection[str]) -> list[Resource]:
        """What is there of these kinds and nobody declared, as resources that shall be absent.

        Where nothing of a kind is declared, nothing was asked about it.
        """
        return [
            stranger
            for kind, state, mine in self._per_kind()
            if kind.name in kinds
            for stranger in kind.strangers(state, list(mine.values()), self._here)
        ]


def _hint(reason: str) -> str:
    if "sudo" in reason:
        return "give the login user passwordless sudo, or log in as root"
    if "within" in reason:
        return "a slow section gets more time with run.timeouts.section"
    return ""
