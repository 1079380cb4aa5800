"""How each host is reached: user, port, key, and the hosts on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core.desired import Login
from gonka_state.spec.checks import is_host
from gonka_state.spec.layers import beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonka_state.spec.problems import Problems
    from gonka_state.spec.tree import Node
    from gonka_state.spec.words import Cluster

HOP = re.compile(
    r"(?:(?P<user>[^@\s]+)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:@\s\[\]]+))(?::(?P<port>[0-9]{1,5}))?"
)

SSH = 22


def logins(words: Cluster, tree: Node, env: Mapping[str, str], problems: Problems) -> dict[str, Login]:
    """The login of every host, by name."""
    ways = _Ways(words, tree, env, problems)
    return {name: ways.login(name, jumps=True) for name in words.hosts}


@dataclass(slots=True)
class _Ways:
    words: Cluster
    tree: Node
    env: Mapping[str, str]
    problems: Problems

    def login(self, name: str, *, jumps: bool = False) -> Login:
        host, ssh = self.words.hosts[name], self.words.ssh
        key = (
            self._path(["hosts", name, "key"], host.key) if host.key else self._path(["ssh", "key"], ssh.key)
        )
        return Login(
            host=name,
            address=host.address,
            user=host.user or ssh.user,
            port=host.port or ssh.port,
            key=key,
            known_hosts=self._path(["ssh", "known_hosts"], ssh.known_hosts),
            via=tuple(self._via(name)) if jumps else (),
        )

    def _path(self, place: list[str | int], text: str) -> str:
        node = self.tree.deepest(place)
        try:
            return str(beside(node.source, text, self.env))
        except ValueError as error:
            self.problems.add(node.source, str(error))
            return ""

    def _via(self, name: str) -> Iterator[Login]:
        """The hops in order; a host that others jump through is reached by what stands before it."""
        own = self.words.hosts[name].proxy_jump is not None
        node = self.tree.deepest(["hosts", name, "proxy_jump"] if own else ["ssh", "proxy_jump"])
        given = self.words.hosts[name].proxy_jump if own else self.words.ssh.proxy_jump
        for index, text in enumerate(given or ()):
            if text == name:
                return
            hop = self.login(text) if text in self.words.hosts else self._hop(text)
            if hop is None:
                what = f"{text!r} is neither a host of this cluster nor [USER@]HOST[:PORT]"
                self.problems.add(node.deepest([index]).source, what)
                return
            yield hop

    def _hop(self, text: str) -> Login | None:
        parts = HOP.fullmatch(text)
        address = "" if parts is None else (parts["v6"] or parts["host"])
        if parts is None or not is_host(address) or not 0 < int(parts["port"] or SSH) < 1 << 16:
            return None
        ssh = self.words.ssh
        return Login(
            host=address,
            address=address,
            user=parts["user"] or ssh.user,
            port=int(parts["port"] or SSH),
            key=self._path(["ssh", "key"], ssh.key),
            known_hosts=self._path(["ssh", "known_hosts"], ssh.known_hosts),
        )
