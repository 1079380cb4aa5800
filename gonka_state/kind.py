"""A kind: a resource model and the fact that observes it, typed so that they must fit.

What changes a host is bound to a kind elsewhere (`operations/table.py`), so that reading commands
cannot even import it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gonka_state.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.observation import Note, Observation, Unmanaged, Value
    from gonka_state.facts.base import Fact
    from gonka_state.facts.here import Here

R = TypeVar("R", bound=Resource)
S = TypeVar("S")


def same_host(mine: Any, theirs: Any) -> bool:  # noqa: ANN401, ARG001 (every pair of resources)
    """The plainest dependency: everything of that kind on my host."""
    return True


@dataclass(frozen=True, slots=True)
class Need:
    """My kind needs resources of another kind on the same host, where `when(mine, theirs)` holds.

    `refresh` says that when theirs changes, mine may have to change too (a container made from a file);
    `only` narrows that to some of their attributes. `first` needs it only to be made for the first time:
    what was there already may be started or renewed without it. `loose` orders the two where both run, and
    holds mine back no more where theirs was not selected.
    """

    kind: str
    when: Callable[[Any, Any], bool] = same_host
    refresh: bool = False
    only: tuple[str, ...] = ()
    first: bool = False
    loose: bool = False


def _declared(state: Any, resource: Resource, here: Here) -> dict[str, Value]:  # noqa: ANN401, ARG001
    return resource.attributes()


def _nothing(state: Any, declared: Any, here: Here) -> list[Unmanaged]:  # noqa: ANN401, ARG001
    return []


def _no_notes(state: Any, declared: Any, here: Here) -> list[Note]:  # noqa: ANN401, ARG001
    return []


def _no_strangers(state: Any, declared: Any, here: Here) -> list[Any]:  # noqa: ANN401, ARG001
    return []


def _no_refusals(state: Any, declared: Any, here: Here) -> dict[Address, str]:  # noqa: ANN401, ARG001
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[R, S]):
    """Joins a model, a fact and what depends on what.

    Attributes:
        resource: the model; its `kind` is the kind's name.
        fact: the section it reads. Kinds may share one.
        observe: (state, resource, here) -> what the look says about this resource.
        wanted: (state, resource, here) -> the desired attributes in the observation's shape; only kinds
            whose wish depends on the look (a salted digest, names of hosts) need their own.
        unmanaged: (state, declared of this kind on this host, here) -> what nobody declared.
        strangers: (state, declared of this kind on this host, here) -> what nobody declared, as resources that
            are absent; only kinds that `prune` may name have them.
        notes: (state, declared of this kind on this host, here) -> what a report tells at its end.
        refuse: (state, {address: resource} of this kind on this host, here) -> changes that must not run,
            with the reason (a ruleset that would lock us out).
        needs: what must be in place first.
        side_by_side: steps of this kind may run at the same time on one host; its operation takes turns
            (`Do.turn`) where it must.
    """

    resource: type[R]
    fact: Fact[S]
    observe: Callable[[S, R, Here], Observation]
    wanted: Callable[[S, R, Here], dict[str, Value]] = field(default=_declared)
    unmanaged: Callable[[S, Sequence[R], Here], Sequence[Unmanaged]] = field(default=_nothing)
    strangers: Callable[[S, Sequence[R], Here], Sequence[R]] = field(default=_no_strangers)
    notes: Callable[[S, Sequence[R], Here], Sequence[Note]] = field(default=_no_notes)
    refuse: Callable[[S, Mapping[Address, R], Here], Mapping[Address, str]] = field(default=_no_refusals)
    needs: tuple[Need, ...] = ()
    side_by_side: bool = False

    @property
    def name(self) -> str:
        """The kind's name, as in YAML and addresses."""
        return self.resource.kind
