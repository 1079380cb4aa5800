"""One host as a doctor sees it, and the questions that several symptoms ask in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gonka_state.core.change import Action
from gonka_state.core.diagnosis import Finding, clear, found, unknown
from gonka_state.core.units import MINUTE, human_duration
from gonka_state.engine.told import advice, listed, reasons, unseen
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from gonka_state.core.change import Change
    from gonka_state.core.desired import Desired, Login
    from gonka_state.engine.compare import Compared
    from gonka_state.facts.base import Fact
    from gonka_state.facts.cosmovisor import Home
    from gonka_state.facts.crashes import Crashes, Ended
    from gonka_state.facts.disk_use import DiskUse
    from gonka_state.facts.kernel_log import KernelLog
    from gonka_state.facts.participation import Participation
    from gonka_state.facts.public_api import Answer
    from gonka_state.facts.snapshot import HostLook
    from gonka_state.facts.validator import Standing
    from gonka_state.resources.base import Resource

    Ask = Callable[["Case"], Finding | None]

RESTLESS, RECENTLY = 3, 15 * MINUTE
"""Restarts by Docker, and seconds since the last: who comes to that will end again."""

S = TypeVar("S")
R = TypeVar("R", bound="Resource")


@dataclass(frozen=True, slots=True)
class Extra:
    """What only a doctor asks for; a text says why it is not known, and None that it was not asked here."""

    crashes: Crashes | str | None = None
    kernel: KernelLog | str | None = None
    disk: DiskUse | str | None = None
    homes: Mapping[str, Home] | str | None = None
    ways: Mapping[str, str] | str | None = None
    standing: Standing | str | None = None
    participation: Participation | None = None
    public: tuple[Answer, ...] | str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One host. `seen` is everything declared on it that was selected, and what became of it.

    `follows` are ML nodes of hosts that are red already: that they are silent follows from it.
    """

    desired: Desired[Resource]
    login: Login
    look: HostLook
    compared: Compared
    seen: tuple[tuple[Resource, Change], ...]
    extra: Extra
    follows: Collection[str] = ()

    @property
    def host(self) -> str:
        """Its name."""
        return self.login.host

    def all(self, model: type[R]) -> list[tuple[R, Change]]:
        """Everything declared here of one model."""
        return [(resource, change) for resource, change in self.seen if isinstance(resource, model)]

    def section(self, fact: Fact[S]) -> S | str:
        """A section of the look, understood by the fact that owns it; else why it is not known."""
        return understood(self.look, fact.section, fact.parse)

    def command(self, *kinds: str) -> str:
        """The converge that closes what differs here of these kinds."""
        words = " ".join(f"--kind {kind}" for kind in kinds)
        return f"gonka-state converge {self.desired.file} --host {self.host} {words}"

    def containers(self) -> Iterator[Ended]:
        """The containers whose ends are known."""
        crashes = self.extra.crashes
        yield from () if crashes is None or isinstance(crashes, str) else crashes.containers


def differs(
    *kinds: str,
    when: Callable[[Change], bool] = lambda _: True,
    only: Callable[[Any], bool] = lambda _: True,
) -> Ask:
    """Found where something declared of these kinds differs; `only` narrows what counts, `when` how it differs."""

    def ask(case: Case) -> Finding | None:
        mine = [change for resource, change in case.seen if resource.kind in kinds and only(resource)]
        if not mine:
            return None
        hurts = [change for change in mine if change.pending and when(change)]
        if hurts:
            return found(listed(hurts), advice(hurts, case.desired, case.host))
        dark = unseen(mine)
        return unknown(*reasons(dark)) if dark else clear(f"{len(mine)} looked at")

    return ask


def in_attributes(*names: str) -> Callable[[Change], bool]:
    """Whether one of these attributes differs."""
    return lambda change: any(item.name.split(".")[0] in names for item in change.attributes)


def missing(change: Change) -> bool:
    """Whether it is not there at all."""
    return change.action is Action.CREATE


def says(message: str, fix: str) -> Ask:
    """Found where the log of a container has a known message; `{host}` and `{container}` stand in the fix."""

    def ask(case: Case) -> Finding | None:
        crashes = case.extra.crashes
        if crashes is None or isinstance(crashes, str):
            return None if crashes is None else unknown(crashes)
        hits = [(one, one.said[message]) for one in crashes.containers if one.said and message in one.said]
        if hits:
            name = hits[0][0].name
            return found(messages(hits), fix.replace("{container}", name).replace("{host}", case.host))
        unread = [one.name for one in crashes.containers if one.said is None]
        if unread:
            return unknown(f"the log of {', '.join(unread)} cannot be read", "docker logs on this host")
        return clear() if crashes.containers else None

    return ask


def messages(hits: list[tuple[Ended, dict[str, int]]]) -> str:
    """Who said what, how often."""
    return "; ".join(f"{one.name}: {times(said)}" for one, said in hits)


def times(said: Mapping[str, int]) -> str:
    """Texts with how often they were said."""
    return ", ".join(f"{text} ({count} times)" if count > 1 else text for text, count in said.items())


def ending(one: Ended) -> str:
    """How a container ended that does not run; nothing where it runs, or was stopped."""
    if one.status == "running" or not (one.exit or one.killed_for_memory):
        return ""
    memory = "killed for memory, " if one.killed_for_memory else ""
    return f"{one.name} ended with status {one.exit}, {memory}restarted {one.restarts} times"


def again(one: Ended) -> str:
    """That a container ended by itself time and again; nothing where it did not, or long ago."""
    if one.restarts < RESTLESS or one.age >= RECENTLY:
        return ""
    return f"{one.name} restarted {one.restarts} times, the last time {human_duration(one.age)} ago"
