"""The words for what a host's system has before anything of Gonka: packages and programs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gonka_state.resources.package import PACKAGE, VERSION
from gonka_state.spec.vocabulary import AbsolutePath, Word, Words

PackageName = Annotated[str, Field(pattern=PACKAGE)]


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
