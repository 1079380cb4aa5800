"""Who is told: URLs that are read when something is to be sent, and that no message repeats."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from gonka_state.errors import InputError
from gonka_state.spec.layers import beside
from gonka_state.spec.references import References, Withheld

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.desired import SecretSource

OTHERS = stat.S_IRWXG | stat.S_IRWXO
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9]{0,19})://\S")
_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is told. `name` says which of them it is, without the URL."""

    url: SecretStr
    name: str


def receivers(asked: SecretSource, env: Mapping[str, str]) -> tuple[Receiver, ...]:
    """Everybody who is told; read now.

    Raises:
        InputError: the URLs are not there, can be read by others, or are none. No URL is in the message.
    """
    where = _checked_file(asked, env)
    found = References(env).text(asked)
    if isinstance(found, Withheld):
        raise InputError([f"the URLs to notify: {found.reason}"])
    lines = [(number, line.strip()) for number, line in enumerate(found.splitlines(), 1)]
    urls = [(number, line) for number, line in lines if line and not line.startswith("#")]
    odd = [f"line {number} of {where} is no URL" for number, line in urls if not _URL.match(line)]
    if odd or not urls:
        raise InputError(odd or [f"{where} holds no URL"], hint="one URL a line; lines with # are comments")
    return tuple(
        Receiver(SecretStr(line), _name(position, len(urls), where, line))
        for position, (_, line) in enumerate(urls, 1)
    )


def _checked_file(asked: SecretSource, env: Mapping[str, str]) -> str:
    """What holds the URLs, in words."""
    if asked.env is not None:
        return f"the variable {asked.env}"
    if asked.file is None:
        return f"what {Path((asked.command or ('',))[0]).name!r} prints"
    try:
        file = beside(asked.source, asked.file, env)
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, ValueError):
        return asked.file  # whoever reads it says why not
    if mode & OTHERS:
        raise InputError(
            [f"the URLs to notify: others may use {file} ({asked.source}), its mode is {mode:04o}"],
            hint=f"they are secrets: chmod 600 {file}",
        )
    return str(file)


def _name(position: int, count: int, where: str, url: str) -> str:
    match = _URL.match(url)
    scheme = match["scheme"].lower() if match else ""
    which = "the only URL" if count == 1 else f"the {_ordinal(position)} of {count}"
    return f"{which} in {where} ({scheme})"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
