"""Packages: what dpkg says of those that are declared, and whether it was left in the middle of its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Absent, Observation, Present
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.package import PackageResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

# dpkg-query ends with 1 where it knows nothing of a name, and still tells the others. What dpkg has begun and not
# ended lies in `updates`; while somebody holds its lock that is work in progress.
_FUNCTIONS = r"""
packages() {
  command -v dpkg-query >/dev/null || { echo 'no dpkg-query'; return; }
  dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Version}\n' -- "$@"; s=$?
  [ "$s" -le 1 ] || return "$s"
}
older() {
  for pair; do
    version=$(dpkg-query -W -f '${Version}\n' -- "${pair%% *}" 2>/dev/null | head -n 1)
    [ -z "$version" ] || ! dpkg --compare-versions "$version" lt "${pair#* }" || echo "${pair%% *}"
  done
}
dpkg_work() {
  [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || { echo done; return; }
  inode=$(stat -c %i /var/lib/dpkg/lock) || return 1
  if grep -q ":$inode " /proc/locks; then echo running; else echo interrupted; fi
}
"""

_STATES = {
    "H": "half-installed",
    "U": "unpacked",
    "F": "half-configured",
    "W": "",  # it waits for another package's triggers: apt counts it as installed
    "t": "",
    "i": "",
}


@dataclass(frozen=True, slots=True)
class PackagesState:
    """`packages` maps the name of each that is there to its state (empty for installed) and version.

    `older` are those below the version they are wanted at. `work` is dpkg's own: `done`, `running`, or `interrupted`
    where it was stopped in the middle.
    """

    packages: dict[str, tuple[str, str]]
    older: frozenset[str]
    work: str


class PackagesFact(Fact[PackagesState]):
    """The packages that are declared; `name=git,curl` when used alone."""

    section: ClassVar[str] = "packages"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """One dpkg-query for all of them."""
        wishes = [resource for resource in wanted if isinstance(resource, PackageResource)]
        pairs = [f"{wish.name} {wish.minimum}" for wish in wishes if wish.minimum is not None]
        lines = [
            quote("part", "packages", "packages", *(wish.name for wish in wishes)),
            quote("part", "older", "older", *pairs),
            "part work dpkg_work",
        ]
        return _FUNCTIONS + "\n".join(lines) + "\n"

    def standalone(self, **arguments: object) -> str:
        """`name=git,curl`: the packages to look at."""
        names = str(arguments.pop("name", "apt")).split(",")
        if arguments:
            raise FactError(f"packages takes name=, got {', '.join(arguments)}")
        return self.script([PackageResource(name=name) for name in names], Look())

    def parse(self, text: str) -> PackagesState:
        """Understand the section.

        Raises:
            FactError: no dpkg, or one that cannot read its own database.
        """
        parts = split_parts(text)
        lines = parts.need("packages").lines
        if "no dpkg-query" in lines:
            raise FactError(
                "this host has no dpkg: packages are managed on Debian and Ubuntu only",
                hint="take packages out of the YAML for this host",
            )
        return PackagesState(
            dict(filter(None, map(_package, lines))),
            frozenset(parts.need("older").lines),
            parts.need("work").text.strip(),
        )


def _package(line: str) -> tuple[str, tuple[str, str]] | None:
    """A line of dpkg-query; None for a package that is not there (removed, or only a name that others provide)."""
    status, _, rest = line.partition("|")
    name, _, version = rest.partition("|")
    if not name or len(status) < 2 or status[1] not in _STATES:  # noqa: PLR2004 (what is wanted, what is)
        return None
    state = "half-installed" if status[2:3] == "R" else _STATES[status[1]]
    return name, (state, version)


def observe_package(state: PackagesState, resource: PackageResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """Installed or not, or what dpkg left half done."""
    human = hint = ""
    if state.work == "interrupted":
        human = "dpkg was interrupted and will do nothing before somebody lets it end its work"
        hint = "on the host:\nsudo dpkg --configure -a"
    found = state.packages.get(resource.name)
    if found is None:
        return Absent(human=human, hint=hint)
    left, version = found
    met = resource.name not in state.older
    return Present(
        {"installed": left or True, "minimum": resource.minimum if met else version},
        reason=_why(left, state, human),
        human="" if met and not left else human,
        hint="" if met and not left else hint,
    )


def _why(left: str, state: PackagesState, human: str) -> str:
    if left and state.work == "running":
        return "apt or dpkg works there now"
    return f"dpkg left it {left}; {human}".removesuffix("; ") if left else human


FACT = PackagesFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Packages", FACT, name)
