"""The wish, in the form the flow works on: every declared resource under its address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from gonka_state.core.address import Address
    from gonka_state.core.chain import ChainSource

R = TypeVar("R")

SSH_PORT = 22

LAUNCH = "launch"
"""The throttle of steps that start an ML node."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was written: a file and its line and column, both from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is to be had, as it was written: exactly one of these is given. It is not had yet."""

    source: Source
    env: str | None = None
    file: str | None = None
    command: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Somebody works on this by hand: it is left alone, and no news, until the moment `ends`.

    `until` is that moment as it was written.
    """

    until: str
    ends: datetime
    reason: str

    def __str__(self) -> str:
        return f"in maintenance until {self.until}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Declared(Generic[R]):
    """One declared resource. `withheld` names the operator's value it waits for, and where.

    `why` says why it is declared, where nobody wrote it down.
    """

    address: Address
    resource: R
    source: Source | None = None
    withheld: str = ""
    maintenance: Maintenance | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach a host over SSH. `key` and `known_hosts` are absolute paths.

    `via` are the hosts to jump through, in order from here; theirs is empty.
    """

    host: str
    address: str
    user: str
    port: int
    key: str
    known_hosts: str
    via: tuple[Login, ...] = ()

    @property
    def pinned_as(self) -> str:
        """The name that its keys have in a known_hosts file."""
        return self.address if self.port == SSH_PORT else f"[{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Scraped:
    """A host whose metrics Prometheus reads, and `at` which address and port it finds them."""

    host: str
    role: str
    at: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a serving cluster is measured by: seconds to load a model, seconds to answer, part of the cards' memory."""

    load: float = 600.0
    latency: float = 5.0
    gpu_memory: float = 0.8


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `section` is per section of a look, `host` for one host's whole look.

    `sync` is for a chain node to catch up, `registration` for the chain to show what was sent.
    """

    connect: int = 10
    section: int = 30
    host: int = 120
    pull: int = 3600
    model: int = 7200
    verify: int = 7200
    healthy: int = 600
    step: int = 120
    sync: int = 3600
    registration: int = 300


@dataclass(frozen=True, slots=True)
class Run:
    """How a cluster is worked on.

    `parallel` hosts are looked at at once; `retries` are for connecting, reading and pulls. At most `throttle`
    steps that launch an ML node run at once, and one while the cluster serves; at most `downloads` steps
    that fetch a model. The history keeps `history` days.
    """

    parallel: int = 16
    throttle: int = 2
    downloads: int = 4
    retries: int = 3
    history: int = 365
    timeouts: Timeouts = field(default_factory=Timeouts)

    def limits(self, *, serving: bool) -> dict[str, int]:
        """How many steps of each throttle run at once; of a cluster that serves, one ML node at a time."""
        return {LAUNCH: 1 if serving else self.throttle, "download": self.downloads}


@dataclass(frozen=True, slots=True)
class Desired(Generic[R]):
    """One cluster's wish. `missing` are the operator's values that are not set, with file:line.

    `maintenance` is by host, whether or not it has ended. `prune` are the kinds, by host, of which everything
    that nobody declared is to go. `notify` is where the URLs are that are told of what drift found.
    """

    cluster: str
    file: str
    lab: bool
    hosts: Mapping[str, Login]
    resources: Mapping[Address, Declared[R]]
    run: Run = field(default_factory=Run)
    limits: Limits = field(default_factory=Limits)
    missing: tuple[str, ...] = ()
    chain: ChainSource | None = None
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)
    prune: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notify: SecretSource | None = None
    scraped: tuple[Scraped, ...] = ()

    def contacts(self, hosts: Collection[str]) -> list[str]:
        """The hosts to connect to for a look at `hosts`: the one that knows the phase of the chain, then these."""
        first = [] if self.chain is None else [self.chain.host]
        return list(dict.fromkeys([*first, *hosts]))
