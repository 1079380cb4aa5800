"""One look: one exec per host, all hosts at once."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import gevent

from gonka_state.engine.asked import facts_of
from gonka_state.engine.probing import Prober
from gonka_state.engine.retry import pauses
from gonka_state.engine.unreachable import words
from gonka_state.errors import FactError
from gonka_state.facts import chain_phase, exposure, snapshot
from gonka_state.facts.base import Look

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from gonka_state.core.chain import Chain
    from gonka_state.core.desired import Desired
    from gonka_state.engine.session import Session
    from gonka_state.engine.verify import Verifier
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Observer:
    """What every look of one run has in common. `salt` stays the same, so that looks can be compared.

    `further` are sections, by host, that belong to no kind.
    """

    session: Session
    desired: Desired[Resource]
    kinds: Mapping[str, Kind[Any, Any]]
    on_event: Callable[[str, str], None]
    verifier: Verifier | None = None
    further: Mapping[str, Sequence[snapshot.Section]] = field(default_factory=dict)
    salt: str = field(default_factory=lambda: secrets.token_hex(16))

    def look(self, hosts: Collection[str]) -> snapshot.Snapshot:
        """Look at `hosts`. A host that gives no answer carries the reason; the others go on.

        The phase of the chain is read in the same look, from the host that knows it: of one that is not among
        `hosts` nothing else is asked.
        """
        taken = datetime.now(UTC).isoformat(timespec="seconds")
        asked = [host for host in self.desired.contacts(hosts) if host in self.session.hosts]
        reachable = [host for host in asked if host not in self.session.unreachable]
        before = dict(self.session.execs)
        probing = gevent.spawn(Prober(self.session, self.desired).probe, hosts)
        looks = self.session.each(
            reachable, lambda host: self.ask(host, self._sections(host, whole=host in hosts))
        )
        if self.verifier is not None:
            verify = self.verifier.verify
            there = [host for host in reachable if host in hosts]
            looks |= self.session.each(there, lambda host: verify(host, looks[host]))
        for host in asked:
            if host not in looks:
                problem = self.session.unreachable[host]
                looks[host] = snapshot.HostLook(unknown=problem.reason, hint=problem.hint)
        for host, answer in probing.get().items():
            looks[host] = looks[host].with_section(exposure.FACT.section, answer)
        for host in reachable:
            execs = self.session.execs.get(host, 0) - before.get(host, 0)
            looks[host] = replace(looks[host], execs=execs)
        return snapshot.Snapshot(
            self.desired.cluster, taken, self.salt, {host: looks[host] for host in asked}
        )

    def chain(self) -> Chain | None:
        """What the chain is doing now; None where there is none to ask."""
        source = self.desired.chain
        if source is None:
            return None
        if source.host in self.session.unreachable or source.host not in self.session.hosts:
            return chain_phase.read(None)
        return chain_phase.read(self.ask(source.host, self._sections(source.host, whole=False)))

    def ask(self, host: str, sections: Sequence[snapshot.Section]) -> snapshot.HostLook:
        """One host's answer to these sections."""
        started = time.monotonic()
        look = snapshot.HostLook(unknown="not asked")
        for wait in pauses(self.session.run.retries):
            if wait:
                self.on_event(host, f"looking again: {look.unknown}")
                time.sleep(wait)
                self.session.reconnect(host)
            look, again = self._try(host, sections)
            if not again:
                break
        seconds = time.monotonic() - started
        self.on_event(host, look.unknown or f"looked, {seconds:.1f} s")
        return replace(look, seconds=round(seconds, 3))

    def _try(self, host: str, sections: Sequence[snapshot.Section]) -> tuple[snapshot.HostLook, bool]:
        """One exec. A lost connection may be tried again; a host that is too slow is not asked twice."""
        nonce = secrets.token_hex(6)
        deadline = self.desired.run.timeouts.host
        started = time.monotonic()
        try:
            script, sent = snapshot.compose(sections, nonce), time.time()
            lines = self.session.look(host, script, deadline)
            if lines is not None:
                return snapshot.decode(lines, nonce, (sent, time.time())), False
        except FactError as error:
            hint = "does the login shell print something or refuse?"
            return snapshot.HostLook(unknown=str(error), hint=hint), False
        except Exception as error:  # noqa: BLE001 (a dying connection raises many kinds; one host must not end the look)
            return snapshot.HostLook(unknown=f"the connection was lost: {words(error)}"), True
        if time.monotonic() - started < deadline:
            return snapshot.HostLook(unknown="the connection was lost during the look"), True
        return snapshot.HostLook(
            unknown=f"no answer to the look within {deadline} s",
            hint="a slow host gets more time with run.timeouts.host",
        ), False

    def _sections(self, host: str, *, whole: bool) -> list[snapshot.Section]:
        look = Look(salt=self.salt)
        default = self.desired.run.timeouts.section
        sections = [
            snapshot.Section(fact.section, fact.script(mine, look), fact.deadline or default, root=fact.root)
            for fact, mine in (facts_of(self.desired, self.kinds, host) if whole else ())
        ]
        sections += self.further.get(host, ()) if whole else ()
        source = self.desired.chain
        if source is not None and source.host == host:
            script = chain_phase.script(source, look)
            sections.append(snapshot.Section(chain_phase.SECTION, script, default, root=True))
        return sections
