"""What the words of a cluster file are made of: shapes of values, and what they mean in plain words."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from gonka_state.core.units import parse_until
from gonka_state.resources.directory import ABSOLUTE, MODE

_COMMIT = r"^[0-9a-f]{40}$"
_HOST = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_MODEL = r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$"
_USER = r"^[a-z_][a-z0-9_-]{0,30}$"
_WORD = r"^[A-Za-z0-9._-]+$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_PORT = r"^(\d{1,5}(:\d{1,5})?|any)(/(tcp|udp|any))?$"
_CONTAINER_PORT = r"^\d{1,5}(/(tcp|udp))?$"
_EXPOSED_PORT = r"^\d{1,5}(/tcp)?$"
_LOG_SIZE = r"^[1-9][0-9]*[kmg]$"
_JOURNAL_SIZE = r"^[1-9][0-9]*[KMGT]$"
_AGE = r"^[1-9][0-9]*(h|d|w|month|y)$"

MEANING = {
    ABSOLUTE: "an absolute path",
    MODE: 'an octal mode such as "0755"',
    _COMMIT: "a commit: 40 characters of 0-9 and a-f",
    _HOST: "a name of a-z, 0-9 and inner hyphens",
    _MODEL: "a model id such as ORG/NAME",
    _USER: "a user's name",
    _WORD: "a name of letters, digits, dots, hyphens and underscores",
    _VARIABLE: "a name of letters, digits and underscores",
    _PORT: "a port such as 22/tcp, 53/udp or 60000:61000/udp",
    _CONTAINER_PORT: "a port such as 5050/tcp",
    _EXPOSED_PORT: "a TCP port such as 5050/tcp",
    _LOG_SIZE: "a size as Docker writes it, such as 100m or 1g",
    _JOURNAL_SIZE: "a size as systemd writes it, such as 500M or 2G",
    _AGE: "an age such as 12h, 30d, 8w or 1y",
}
"""What each pattern asks for, as an operator would say it."""


def _ports(key: str) -> str:
    numbers = [int(number) for number in key.partition("/")[0].split(":") if number.isdigit()]
    if any(not 1 <= number <= LAST_PORT for number in numbers) or numbers != sorted(numbers):
        raise ValueError(f"is not a port from 1 to {LAST_PORT}, or a range of these")
    return key


def _until(text: str) -> str:
    parse_until(text)
    return text


LAST_PORT = 65535
Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(gt=0)]
Commit = Annotated[str, Field(pattern=_COMMIT)]
HostName = Annotated[str, Field(pattern=_HOST)]
ModelId = Annotated[str, Field(pattern=_MODEL)]
AbsolutePath = Annotated[str, Field(pattern=ABSOLUTE)]
Mode = Annotated[str, Field(pattern=MODE)]
UserName = Annotated[str, Field(pattern=_USER)]
Word = Annotated[str, Field(pattern=_WORD)]
VariableName = Annotated[str, Field(pattern=_VARIABLE)]
PortKey = Annotated[str, Field(pattern=_PORT), AfterValidator(_ports)]
ExposedPort = Annotated[str, Field(pattern=_EXPOSED_PORT), AfterValidator(_ports)]
ContainerPortKey = Annotated[str, Field(pattern=_CONTAINER_PORT), AfterValidator(_ports)]
LogSize = Annotated[str, Field(pattern=_LOG_SIZE)]
JournalSize = Annotated[str, Field(pattern=_JOURNAL_SIZE)]
Age = Annotated[str, Field(pattern=_AGE)]
Moment = Annotated[str, AfterValidator(_until)]
State = Literal["present", "absent"]


class Words(BaseModel):
    """Unknown words are errors, and nothing is converted: `3.10` is no text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Reference(Words):
    """A value that only the operator knows: from the environment, a file, or a command's output."""

    env: VariableName | None = None
    file: str | None = None
    command: Annotated[list[str], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Reference:
        if sum(item is not None for item in (self.env, self.file, self.command)) != 1:
            raise ValueError("give exactly one of env, file and command")
        return self


def _which(value: object) -> str:
    return "reference" if isinstance(value, (dict, Reference)) else "text"


Text = Annotated[Annotated[str, Tag("text")] | Annotated[Reference, Tag("reference")], Discriminator(_which)]
"""A text, or a reference to one."""

Variable = Annotated[
    Annotated[str | int | bool, Tag("text")] | Annotated[Reference, Tag("reference")], Discriminator(_which)
]
"""A value for a template. One that is a reference is held as a secret."""


def one_or_many(value: object) -> object:
    """A single text stands for a list of one."""
    return [value] if isinstance(value, str) else value


def only_sources(value: object) -> object:
    """A rule that is only its sources may be written as these alone."""
    return {"from": value} if isinstance(value, (str, list)) else value


Texts = Annotated[list[str], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]
"""One text or a list of them."""


def is_name(text: str) -> bool:
    """True for what a host or a cluster can be called."""
    return re.fullmatch(_HOST, text) is not None


def is_user(text: str) -> bool:
    """True for what a user of a host can be called."""
    return re.fullmatch(_USER, text) is not None
