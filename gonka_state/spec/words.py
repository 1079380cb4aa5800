"""The words of a cluster file: what an operator may write, before it becomes resources."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from gonka_state.spec.backup_words import Backup  # noqa: TC001  (pydantic reads it at run time)
from gonka_state.spec.host_words import Host, Requirement, Role  # noqa: TC001  (pydantic reads it at run time)
from gonka_state.spec.network_words import (  # noqa: TC001  (pydantic reads them at run time)
    ChainSync,
    Grants,
    Registration,
    Seed,
    SetupReport,
)
from gonka_state.spec.vocabulary import (
    AbsolutePath,
    Commit,
    HostName,
    ModelId,
    Port,
    Positive,
    Reference,
    Text,
    Texts,
    UserName,
    Word,
    Words,
)


class Ssh(Words):
    """How to log in. Paths are relative to the file they are written in."""

    user: UserName
    key: str
    known_hosts: str
    port: Port = 22
    proxy_jump: Texts | None = None


class Account(Words):
    """The cluster's account (cold) key: its public half only. `keyring` is the home of the operator's own."""

    pubkey: Text | None = None
    key_name: Word | None = None
    keyring: str | None = None


class WarmKey(Words):
    """The warm key: where its mnemonic is kept on this machine, instead of being shown on the terminal."""

    mnemonic_file: str | None = None


class Network(Words):
    """What the cluster is to the chain. `managed: elsewhere` names a network node that is not ours."""

    managed: Literal["here", "elsewhere"] = "here"
    address: str | None = None
    public_host: Text | None = None
    account: Account = Account()
    ml_key_name: Word | None = None
    warm_key: WarmKey = WarmKey()
    seed: Seed | None = None
    rpc_servers: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    chain_sync: ChainSync | None = None
    registration: Registration | None = None
    grants: Grants | None = None
    setup_report: SetupReport | None = None
    keyring_password: Text | None = None


class Repository(Words):
    """The checkout that holds the compose files, on every host. It is the login user's unless `owner` is given."""

    url: str
    ref: Commit
    path: AbsolutePath = "/opt/gonka"
    owner: UserName | None = None


class Hub(Words):
    """Where models are kept on a host (`home` is HF_HOME) and fetched from."""

    home: AbsolutePath
    endpoint: str | None = None
    client: str = "hf"


class Model(Words):
    """A model's commit on the hub and what vLLM is started with, one token per list item.

    `ref` is the name, such as `main`, under which the cache must know this commit.
    """

    revision: Commit | None = None
    ref: Word | None = None
    args: list[str] = Field(default_factory=list)


class Timeouts(Words):
    """Seconds; the plan's figures where nothing is said."""

    connect: Positive = 10
    section: Positive = 30
    host: Positive = 120
    pull: Positive = 3600
    model: Positive = 7200
    verify: Positive = 7200
    healthy: Positive = 600
    step: Positive = 120
    sync: Positive = 3600
    registration: Positive = 300


class Limits(Words):
    """What `verify --performance` measures by: the plan's benchmarks where nothing is said.

    `load` and `latency` are seconds, `gpu_memory` is the part of the cards' memory that a loaded model holds at least.
    """

    load: Annotated[float, Field(gt=0)] = 600.0
    latency: Annotated[float, Field(gt=0)] = 5.0
    gpu_memory: Annotated[float, Field(ge=0, le=1)] = 0.8


class Notify(Words):
    """Who is told of what drift found: where the URLs are, one a line."""

    urls: Reference

    @field_validator("urls")
    @classmethod
    def _elsewhere(cls, value: Reference) -> Reference:
        if "://" in (value.file or (value.command or [""])[0]):
            raise ValueError("is a URL itself; give the file, variable or command that holds it")
        return value


class Run(Words):
    """How a cluster is worked on. `history` is in days."""

    parallel: Positive = 16
    throttle: Positive = 2
    downloads: Positive = 4
    retries: Annotated[int, Field(ge=0)] = 3
    history: Annotated[int, Field(ge=1, le=36500)] = 365
    timeouts: Timeouts = Timeouts()


class Cluster(Words):
    """A whole cluster file, its `extends` and overlays merged in."""

    extends: Texts = Field(default_factory=list)
    cluster: HostName
    lab: bool = False
    ssh: Ssh
    network: Network = Network()
    repository: Repository | None = None
    backup: Backup | None = None
    hub: Hub | None = None
    requirements: dict[str, Requirement] = Field(default_factory=dict)
    models: dict[ModelId, Model] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)
    hosts: Annotated[dict[HostName, Host], Field(min_length=1)]
    run: Run = Run()
    limits: Limits = Limits()
    notify: Notify | None = None

    def keeper(self, host: str) -> str:
        """Whom the checkout on a host belongs to."""
        given = self.repository.owner if self.repository else None
        return given or self.hosts[host].user or self.ssh.user
