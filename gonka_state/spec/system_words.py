"""The words for what a host's system has before anything of Gonka: packages, programs, units and settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gonka_state.resources.package import PACKAGE, VERSION
from gonka_state.resources.service import UNIT
from gonka_state.resources.sysctl import PARAMETER
from gonka_state.spec.vocabulary import AbsolutePath, State, UserName, Word, Words

PackageName = Annotated[str, Field(pattern=PACKAGE)]
UnitName = Annotated[str, Field(pattern=UNIT)]
Parameter = Annotated[str, Field(pattern=PARAMETER)]
SHA256 = r"^[0-9a-f]{64}$"


class Package(Words):
    """A package of the distribution; `minimum` is the oldest version that will do."""

    minimum: Annotated[str, Field(pattern=VERSION)] | None = None


class Tool(Words):
    """A program of a Python package, in an environment of its own at `path`."""

    package: Word
    version: str
    path: AbsolutePath
    program: Word | None = None
    link: AbsolutePath | None = None
    wheels: str | None = None


class Unit(Words):
    """A unit of systemd; `restart_on` are files that it reads when it starts."""

    running: bool | None = None
    enabled: bool | None = None
    restart_on: list[AbsolutePath] | None = None


class FileBlock(Words):
    """Lines of ours in a file of somebody else."""

    content: str = ""
    state: State = "present"


class Binary(Words):
    """A program file that somebody else puts in place."""

    sha256: Annotated[str, Field(pattern=SHA256)]


def only_names(value: Any) -> Any:  # noqa: ANN401  (whatever somebody wrote)
    """Packages without conditions may be written as a list of names."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    return value


class System(Words):
    """What a host's system has."""

    packages: Annotated[
        dict[PackageName, Package],
        BeforeValidator(only_names, json_schema_input_type=list[str] | dict[str, Package]),
    ] = Field(default_factory=dict)
    tools: dict[Word, Tool] = Field(default_factory=dict)
    units: dict[UnitName, Unit] = Field(default_factory=dict)
    sysctl: dict[Parameter, str] = Field(default_factory=dict)
    docker_daemon: dict[str, Any] = Field(default_factory=dict)
    blocks: dict[AbsolutePath, FileBlock] = Field(default_factory=dict)
    authorized_keys: dict[UserName, list[str]] = Field(default_factory=dict)
    binaries: dict[AbsolutePath, Binary] = Field(default_factory=dict)
