"""The words for one host and for what all hosts of a role have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from gonka_state.resources.firewall import Policy  # noqa: TC001  (pydantic reads it at run time)
from gonka_state.resources.requirement import Topic  # noqa: TC001  (pydantic reads it at run time)
from gonka_state.spec.upkeep_words import Upkeep
from gonka_state.spec.vocabulary import (
    AbsolutePath,
    ContainerPortKey,
    ExposedPort,
    Mode,
    ModelId,
    Moment,
    Port,
    PortKey,
    Positive,
    State,
    Texts,
    UserName,
    Variable,
    VariableName,
    Word,
    Words,
    only_sources,
)

NETWORK, ML = "network", "ml"
"""The two roles the tool itself knows; what they have is written in YAML."""


class Requirement(Words):
    """A condition of a host; `topic` is the entry's name unless given."""

    topic: Topic | None = None
    minimum: str | int | None = None
    maximum: str | int | None = None
    equals: str | int | bool | None = None
    at_most: Annotated[float, Field(ge=0)] | None = None
    path: AbsolutePath | None = None
    targets: Texts | None = None
    ports: list[ContainerPortKey] | None = None
    level: Literal["block", "warn"] = "block"
    blocks: list[str] = Field(default_factory=list)
    until: AbsolutePath | None = None


class Rule(Words):
    """Who may reach a port; a rule that is only sources may be written as these alone."""

    sources: Texts = Field(alias="from")
    comment: str | None = None
    action: Literal["allow", "limit", "deny", "reject"] | None = None
    interface: str | None = None
    direction: Literal["in", "out"] | None = None
    state: State = "present"


class ContainerPort(Words):
    """Who may reach a port that Docker publishes; the sources alone may be written."""

    sources: Texts = Field(alias="from")
    state: State = "present"


class Firewall(Words):
    """ufw and its rules by `port`, `port/protocol` or `from:to/protocol`."""

    enabled: bool | None = None
    incoming: Policy | None = None
    outgoing: Policy | None = None
    routed: Policy | None = None
    rules: dict[
        PortKey, Annotated[Rule, BeforeValidator(only_sources, json_schema_input_type=str | list[str] | Rule)]
    ] = Field(default_factory=dict)


class Directory(Words):
    """A directory of a host."""

    mode: Mode | None = None
    owner: UserName | None = None
    group: UserName | None = None
    state: State = "present"


class File(Words):
    """A file from a template, or with the content written here."""

    template: str | None = None
    content: str | None = None
    vars: dict[VariableName, Variable] = Field(default_factory=dict)
    mode: Mode | None = None
    owner: UserName | None = None
    group: UserName | None = None
    validate_with: str | None = None
    state: State = "present"

    @model_validator(mode="after")
    def _content(self) -> File:
        if self.template is not None and self.content is not None:
            raise ValueError("give template or content, not both")
        if self.vars and self.template is None:
            raise ValueError("vars are for a template")
        return self


class NoVariable(Words):
    """A variable that no line may set."""

    state: Literal["absent"]


def _which(value: object) -> str:
    if isinstance(value, NoVariable) or (isinstance(value, dict) and "state" in value):
        return "absent"
    return "value"


class EnvFile(Words):
    """A file of variables: those of a template, and on top those written here."""

    template: str | None = None
    vars: dict[VariableName, Variable] = Field(default_factory=dict)
    variables: dict[
        VariableName,
        Annotated[
            Annotated[Variable, Tag("value")] | Annotated[NoVariable, Tag("absent")], Discriminator(_which)
        ],
    ] = Field(default_factory=dict)
    mode: Mode | None = None
    owner: UserName | None = None
    group: UserName | None = None
    validate_with: str | None = None

    @model_validator(mode="after")
    def _something(self) -> EnvFile:
        if self.vars and self.template is None:
            raise ValueError("vars are for a template")
        return self


class Service(Words):
    """A service of a compose project. `models`: it serves the host's; `admin`: it answers the Admin API.

    `gpus` of a service that serves models: how many cards its container must see; `all` of the host unless
    the host lists its own, `any` is not counted.
    """

    models: bool = False
    admin: bool = False
    url: Texts = Field(default_factory=list)
    healthy_within: Positive | None = None
    gpus: Positive | Literal["all", "any"] | None = None
    restart_on: list[str] | None = None
    image_follows: bool | None = None
    phase: Annotated[int, Field(ge=3, le=5)] | None = None
    needs: list[str] = Field(default_factory=list)
    state: State = "present"


class Project(Words):
    """A compose project, named by its directory."""

    files: Annotated[list[str], Field(min_length=1)] | None = None
    env_file: str | None = None
    project: str | None = None
    services: dict[str, Service]


class Maintenance(Words):
    """A host or node that somebody works on by hand: reported, and left alone. A date of `until` counts whole."""

    until: Moment
    reason: Annotated[str, Field(min_length=1)]


class RegisteredNode(Words):
    """How this host's ML node is registered in the Admin API. `needs` are on this host."""

    id: Word | None = None
    host: str | None = None
    inference_port: Port = 5050
    poc_port: Port = 8080
    max_concurrent: Positive = 500
    inference_segment: str | None = None
    poc_segment: str | None = None
    enabled: bool | None = None
    needs: list[str] = Field(default_factory=list)
    maintenance: Maintenance | None = None
    state: State = "present"


PRUNABLE = ("compose-service", "firewall-rule", "node")
"""Kinds of which a look lists everything there is, and which may be removed."""


def _prunable(kind: str) -> str:
    if kind not in PRUNABLE:
        listed = " Nobody can list a host's files: declare those state: absent." if kind == "file" else ""
        raise ValueError(f"{kind!r} cannot be pruned; {', '.join(PRUNABLE)} can.{listed}")
    return kind


class Role(Upkeep):
    """What every host of a role has; a host may say the same words, which are laid over its role's."""

    requirements: dict[str, Requirement] = Field(default_factory=dict)
    firewall: Firewall | None = None
    container_ports: dict[
        ContainerPortKey,
        Annotated[
            ContainerPort,
            BeforeValidator(only_sources, json_schema_input_type=str | list[str] | ContainerPort),
        ],
    ] = Field(default_factory=dict)
    exposure: dict[ExposedPort, Texts] = Field(default_factory=dict)
    directories: dict[AbsolutePath, Directory] = Field(default_factory=dict)
    files: dict[AbsolutePath, File] = Field(default_factory=dict)
    env_files: dict[AbsolutePath, EnvFile] = Field(default_factory=dict)
    services: dict[AbsolutePath, Project] = Field(default_factory=dict)
    node: RegisteredNode | None = None
    resources: list[dict[str, Any]] = Field(default_factory=list)
    prune: list[Annotated[str, AfterValidator(_prunable)]] = Field(default_factory=list)


class Host(Role):
    """One host. `model` is served, `cache` is only kept on disk."""

    address: str
    role: str
    model: ModelId | None = None
    cache: list[ModelId] = Field(default_factory=list)
    gpus: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = None
    user: UserName | None = None
    port: Port | None = None
    key: str | None = None
    proxy_jump: Texts | None = None
    maintenance: Maintenance | None = None

    @property
    def models(self) -> list[str]:
        """Every model that it keeps on disk, the served one first."""
        return list(dict.fromkeys([*([self.model] if self.model else []), *self.cache]))
