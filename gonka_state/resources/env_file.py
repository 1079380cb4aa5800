"""A shell file of variables, declared variable by variable. Values that nobody declared never leave the host."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from gonka_state.core import env_text, masking
from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import MODE, AbsolutePath


class EnvFileResource(Resource):
    """`name` is the absolute path.

    `variables` maps a name to its value, or to None where no line may set it. A secret stands in a value
    as a placeholder (core.masking.placeholder), and `secrets` holds it by name. `layout` is what a new
    file is made of, comments and order, before the values are put in; an existing file keeps its own.
    `validate_with` is a command that gets the new file's path as `$1` and must exit 0 before the file is
    put in place.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    kind: ClassVar[str] = "env-file"
    plan_phase: ClassVar[int] = 3

    name: AbsolutePath
    variables: Annotated[dict[str, str | None], Attribute()] = Field(default_factory=dict)
    mode: Annotated[str | None, Field(pattern=MODE), Attribute()] = None
    owner: Annotated[str | None, Attribute()] = None
    group: Annotated[str | None, Attribute()] = None
    secrets: dict[str, SecretStr] = Field(default_factory=dict, repr=False)
    layout: str = ""
    validate_with: str | None = None

    @field_validator("variables")
    @classmethod
    def _names(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        for name in value:
            if not re.fullmatch(env_text.NAME, name):
                raise ValueError(f"{name!r} is no name of a variable")
        return value

    @model_validator(mode="after")
    def _writable(self) -> EnvFileResource:
        for name, value in self.revealed().items():
            try:
                env_text.written(value or "")
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
        return self

    def revealed(self) -> dict[str, str | None]:
        """The variables with their secrets in place."""
        secrets = {name: secret.get_secret_value() for name, secret in self.secrets.items()}
        return {
            name: None if value is None else masking.reveal(value, secrets)
            for name, value in self.variables.items()
        }

    def is_secret(self, name: str) -> bool:
        """Whether this variable is compared by a digest: a secret stands in it, or its name says so."""
        return masking.suspicious(name) or masking.holds_secret(self.variables.get(name) or "")

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """What a removed line held is gone for good; everything else is safe."""
        if any(change.name.startswith("variables.") and change.after is None for change in changes):
            return Effect.DESTRUCTIVE
        return super().effect(action, changes)
