"""Which upgrade a chain program waits for, and which binaries cosmovisor has, as one section of the network host.

Source: cosmovisor's own tree (`cosmovisor/upgrades/NAME/bin`, NAME escaped as in a URL; `current` leads to the one that
runs) and `data/upgrade-info.json`, which the chain's program writes at the height where it stops.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gonka_state.errors import FactError
from gonka_state.facts.base import Parts, quote, split_parts
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.snapshot import HostLook

SECTION = "cosmovisor"

# Of the plan only its name and height leave the host: what stands beside them may be anything.
_SCRIPT = r"""
planned() {
  [ -e "$1/data/upgrade-info.json" ] || return 0
  cat -- "$1/data/upgrade-info.json" | tr '\n' ' ' |
    grep -aoE '"(name|height)" *: *("[A-Za-z0-9._+-]{1,60}"|"?[0-9]{1,12}"?)'
}
binaries() {
  for d in "$1"/cosmovisor/upgrades/*/; do
    [ -d "$d" ] || continue
    n=0; for f in "$d"bin/*; do [ ! -f "$f" ] || [ ! -x "$f" ] || n=$((n + 1)); done
    d=${d%/}; printf '%s %s\n' "$n" "${d##*/}"
  done
}
running() { [ ! -L "$1/cosmovisor/current" ] || readlink -- "$1/cosmovisor/current"; }
"""


@dataclass(frozen=True, slots=True)
class Home:
    """One program's home. `upgrade` at `height` is the last one that it asked for, empty where it never did.

    `ready` are the upgrades whose binary is there, `empty` those whose directory holds none; `current` is the
    upgrade that runs, empty for the first binary of all.
    """

    upgrade: str = ""
    height: int = 0
    ready: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    current: str = ""


def script(homes: Sequence[str]) -> str:
    """POSIX sh: three looks at each home."""
    lines = [_SCRIPT]
    for home in homes:
        lines += [quote("part", f"{word} {home}", word, home) for word in ("planned", "binaries", "running")]
    return "\n".join(lines)


def parse(text: str) -> dict[str, Home]:
    """Homes by their path.

    Raises:
        FactError: the section was cut short.
    """
    parts = split_parts(text)
    return {home: _home(parts, home) for home in parts.about("planned")}


def _home(parts: Parts, home: str) -> Home:
    planned = parts.told(f"planned {home}").text
    name = re.search(r'"name" *: *"([^"]+)"', planned)
    height = re.search(r'"height" *: *"?(\d+)', planned)
    rows = [line.split(" ", 1) for line in parts.need(f"binaries {home}").lines if line]
    try:
        counted = {unquote(name): int(count) for count, name in rows}
    except ValueError as error:
        raise FactError(f"the binaries of {home} cannot be understood: {error}") from error
    _, found, current = parts.told(f"running {home}").text.strip().partition("upgrades/")
    return Home(
        name[1] if name else "",
        int(height[1]) if height else 0,
        tuple(name for name, count in counted.items() if count),
        tuple(name for name, count in counted.items() if not count),
        unquote(current.partition("/")[0]) if found else "",
    )


def read(look: HostLook | None) -> dict[str, Home] | str:
    """What a host's look says, or why it says nothing."""
    return understood(look, SECTION, parse)
