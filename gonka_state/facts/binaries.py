"""Program files by their digest, and which upgrade cosmovisor's `current` leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote

from gonka_state.core.observation import Observation, Present, Unknown, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Parts, pyinfra_fact, quote, split_parts
from gonka_state.resources.binary import BinaryResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

# cosmovisor links `current` to an absolute path of its container, which is another one on the host: what comes
# after its own directory is the same.
_FUNCTIONS = r"""
real() {
  case $1 in
    */current/*)
      base=${1%%/current/*}
      if to=$(readlink -- "$base/current"); then
        case $to in /*) to=${to##*/cosmovisor/} ;; esac
        printf '%s\n' "$base/$to/${1#*/current/}"; return
      fi ;;
  esac
  printf '%s\n' "$1"
}
sum() { [ -e "$1" ] || { echo absent; return; }; sha256sum -- "$1" | cut -d ' ' -f 1; }
binary() { file=$(real "$1"); part "file $1" echo "$file"; part "sum $1" sum "$file"; }
"""


@dataclass(frozen=True, slots=True)
class Binary:
    """The file a path leads to on the host, and its sha256: empty where it is not there; `error` why not read."""

    file: str
    sha256: str = ""
    error: str = ""

    @property
    def upgrade(self) -> str:
        """Such as `upgrade v0.2.13`, `genesis`, or empty where it is none of cosmovisor's."""
        _, found, rest = self.file.partition("/upgrades/")
        if found:
            return f"upgrade {unquote(rest.partition('/')[0])}"
        return "genesis" if "/genesis/" in self.file else ""


class BinariesFact(Fact[dict[str, Binary]]):
    """The files that are declared; `path=` when used alone."""

    section: ClassVar[str] = "binaries"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """One file after the other."""
        names = [resource.name for resource in wanted if isinstance(resource, BinaryResource)]
        return _FUNCTIONS + "".join(quote("binary", name) + "\n" for name in names)

    def standalone(self, **arguments: object) -> str:
        """`path=/a,/b`: the files to look at (default: /usr/bin/env)."""
        paths = str(arguments.pop("path", "/usr/bin/env")).split(",")
        if arguments:
            raise FactError(f"{self.section} takes path=")
        return _FUNCTIONS + "".join(quote("binary", path) + "\n" for path in paths)

    def parse(self, text: str) -> dict[str, Binary]:
        """Understand the section: files by their declared path."""
        parts = split_parts(text)
        return {path: _binary(parts, path) for path in parts.about("file")}


def _binary(parts: Parts, path: str) -> Binary:
    file = parts.need(f"file {path}").text.strip()
    sum_ = parts.told(f"sum {path}")
    said = sum_.text.strip()
    return Binary(file, "" if said == "absent" else said, sum_.failed or ("" if said else "no answer"))


def observe_binary(state: dict[str, Binary], resource: BinaryResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """The digest, and the upgrade it comes from."""
    found = state.get(resource.name)
    if found is None:
        return not_looked_at(resource.name)
    if found.error:
        return Unknown(f"{resource.name} cannot be read: {found.error}")
    if not found.sha256:
        return Unknown(
            f"{found.file} is not there",
            hint="cosmovisor makes it when the container starts for the first time",
            pending_on="compose-service",
        )
    return Present(
        {"sha256": found.sha256},
        reason=f"{found.upgrade}: {found.file}" if found.upgrade else found.file,
        hint="compare with the release's own sha256 before anything else",
    )


FACT = BinariesFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Binaries", FACT, name)
