"""Who gets an answer from whom: every host tries the others' ports, this machine tries all of them.

One exec per observer, beside its look. Not part of the look, because attempts that meet a firewall's silence take
their whole time, and what they say belongs to other hosts.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import gevent

from gonka_state.errors import FactError, said_by
from gonka_state.facts import exposure, snapshot
from gonka_state.facts.base import MARK
from gonka_state.facts.exposure import Try
from gonka_state.resources.exposure import ExposureResource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gonka_state.core.desired import Desired
    from gonka_state.engine.session import Session
    from gonka_state.resources.base import Resource

DEADLINE = 20
"""Seconds for all attempts of one observer, which run at once."""


@dataclass(frozen=True, slots=True)
class Prober:
    """Tries the declared exposures of some hosts, from all connected hosts and from here."""

    session: Session
    desired: Desired[Resource]

    def probe(self, hosts: Collection[str]) -> dict[str, snapshot.Answer]:
        """The `exposure` section of every host among `hosts` that declares one.

        Silence where there should be an answer is tried again, longer, before it is believed: a packet that was lost
        twice, or a machine without a moment for us, is no firewall.
        """
        targets = {host: found for host in hosts if (found := self._declared(host))}
        if not targets:
            return {}
        tries, listens = self._tried(targets, exposure.WAIT)
        doubted = {
            target: found
            for target, items in targets.items()
            if (found := [item for item in items if self._doubts(item, tries[target], listens.get(target))])
        }
        if doubted:
            again, _ = self._tried(doubted, exposure.LONG_WAIT)
            for target, items in doubted.items():
                ports = {item.port for item in items}
                tries[target] = [one for one in tries[target] if one.port not in ports] + again[target]
        return {
            target: snapshot.Answer(_section(rows, listens.get(target))) for target, rows in tries.items()
        }

    def _tried(
        self, targets: dict[str, list[ExposureResource]], wait: int
    ) -> tuple[dict[str, list[Try]], dict[str, frozenset[int] | None]]:
        """All attempts on each target, and on which ports each observer listens."""
        observers = [host for host in self.session.hosts if host not in self.session.unreachable]
        here = gevent.spawn(self._from_here, targets, wait)
        said = self.session.each(observers, lambda host: self._from_host(host, targets, wait))
        tries: dict[str, list[Try]] = here.get()
        listens: dict[str, frozenset[int] | None] = {}
        addresses = {self.desired.hosts[target].address: target for target in targets}
        for observer, answer in said.items():
            if isinstance(answer, str):
                for target, items in targets.items():
                    tries[target] += [Try(observer, "-", item.port, answer) for item in items]
                continue
            listens[observer] = answer[1]
            for address, port, result in answer[0]:
                tries[addresses[address]].append(Try(observer, address, port, result))
        return tries, listens

    def _doubts(self, item: ExposureResource, tries: list[Try], listens: frozenset[int] | None) -> bool:
        """Whether an observer heard nothing from a port that listens and may answer it.

        This machine's address is not known here: its silence counts where anybody may have an answer.
        """
        if listens is None or item.port not in listens:
            return False
        silent = [one.observer for one in tries if one.port == item.port and one.result == exposure.SILENT]
        logins = self.desired.hosts
        return any(item.answers(logins[name].address if name in logins else "") for name in silent)

    def _declared(self, host: str) -> list[ExposureResource]:
        return [
            item.resource
            for address, item in self.desired.resources.items()
            if address.host == host and isinstance(item.resource, ExposureResource) and not item.withheld
        ]

    def _from_host(
        self, observer: str, targets: dict[str, list[ExposureResource]], wait: int
    ) -> tuple[list[tuple[str, int, str]], frozenset[int] | None] | str:
        """What one host saw of the others, or why it could not try."""
        asked = [
            (self.desired.hosts[target].address, item.port)
            for target, items in targets.items()
            if target != observer
            for item in items
        ]
        nonce = secrets.token_hex(6)
        section = snapshot.Section(exposure.FACT.section, exposure.script(asked, wait), DEADLINE, root=False)
        try:
            lines = self.session.look(observer, snapshot.compose([section], nonce), DEADLINE)
            if lines is None:
                return "failed: the connection was lost"
            answer = snapshot.decode(lines, nonce).sections[section.name]
            return exposure.own_words(answer.text) if not answer.unknown else f"failed: {answer.unknown}"
        except (FactError, KeyError) as error:
            return f"failed: {error}"
        except Exception as error:  # noqa: BLE001 (a dying connection raises many kinds; one observer must not end the look)
            return f"failed: {type(error).__name__}"

    def _from_here(self, targets: dict[str, list[ExposureResource]], wait: int) -> dict[str, list[Try]]:
        jobs: list[tuple[str, str, int, Any]] = [
            (target, address, item.port, gevent.spawn(attempt, address, item.port, wait))
            for target, items in targets.items()
            for item in items
            for address in self._addresses(target, item)
            if not is_own(address)
        ]
        gevent.joinall([job for *_, job in jobs])
        found: dict[str, list[Try]] = {target: [] for target in targets}
        for target, address, port, job in jobs:
            found[target].append(Try(exposure.THIS_MACHINE, address, port, job.get()))
        return found

    def _addresses(self, target: str, item: ExposureResource) -> list[str]:
        own = self.desired.hosts[target].address
        return [own, item.also] if item.also and item.also != own else [own]


def is_own(address: str) -> bool:
    """Whether this machine is that host: it then hears answers that nobody outside gets.

    A loopback address says nothing: another host's port may be forwarded to it.
    """
    try:
        family, _, _, _, at = socket.getaddrinfo(address, 0, type=socket.SOCK_DGRAM)[0]
        if ipaddress.ip_address(at[0]).is_loopback:
            return False
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind(at)  # the kernel gives no socket a foreign address
    except OSError:
        return False
    return True


def attempt(address: str, port: int, wait: int = exposure.WAIT) -> str:
    """One TCP connection from this machine: open, refused, silent, or failed and why."""
    try:
        socket.create_connection((address, port), timeout=wait).close()
    except ConnectionRefusedError:
        return exposure.REFUSED
    except TimeoutError:
        return exposure.SILENT
    except OSError as error:
        return f"failed: {said_by(error)}"
    return exposure.OPEN


def _section(rows: Iterable[Try], listens: frozenset[int] | None) -> str:
    lines = "\n".join("\t".join(map(str, astuple(row))).replace("\n", " ") for row in rows)
    text = f"{MARK}x part tries\n{lines}\n{MARK}x rc 0 \n"
    if listens is not None:
        ports = "\n".join(map(str, sorted(listens)))
        text += f"{MARK}x part listens\n{ports}\n{MARK}x rc 0 \n"
    return text
