"""Programs of Python packages: the version in each environment, and whether the program answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Absent, Observation, Present, Unknown, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Part, Parts, pyinfra_fact, quote, split_parts
from gonka_state.resources.python_tool import PythonToolResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

# The version is read from what pip has written: an interpreter takes ten times as long. A program that is asked
# for its version writes no byte code and asks nobody for a newer one.
_FUNCTIONS = r"""
place() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then echo absent
  elif [ -f "$1/pyvenv.cfg" ]; then echo environment
  elif [ -d "$1" ] && [ -z "$(ls -A -- "$1")" ]; then echo absent
  else echo "other $(stat -Lc %F -- "$1" 2>/dev/null || echo 'a dangling link')"; fi
}
version() {
  for metadata in "$1"/lib/python3*/site-packages/*.dist-info/METADATA; do
    [ -f "$metadata" ] || continue
    awk -v want="$2" '
      function plain(name) { name = tolower(name); gsub(/[-_.]+/, "-", name); return name }
      /^\r?$/ { exit }
      /^Name: / { if (plain($2) != plain(want)) exit; mine = 1 }
      /^Version: / { version = $2 }
      END { if (mine) print version }' "$metadata"
  done
}
answers() {
  PYTHONDONTWRITEBYTECODE=1 HF_HUB_DISABLE_UPDATE_CHECK=1 HF_HUB_DISABLE_TELEMETRY=1 NO_COLOR=1 HOME=/nonexistent \
    timeout 20 "$1" --version </dev/null
}
link() {
  if [ -L "$1" ]; then echo "link $(readlink -- "$1")"; elif [ -e "$1" ]; then echo "$(stat -c %F -- "$1")"; fi
}
tool() {
  part "place $1" place "$2"
  [ -f "$2/pyvenv.cfg" ] || return 0
  part "version $1" version "$2" "$3"
  part "answers $1" answers "$2/bin/$4"
  [ -z "$5" ] || part "link $1" link "$5"
}
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """One environment. `place` is `absent`, `environment`, or what else is there.

    `version` is empty where the package is not in it; `silent` is why its program does not answer; `link` what is at
    the declared place of the link: `link TARGET`, a type, or empty for nothing.
    """

    place: str
    version: str = ""
    silent: str = ""
    link: str = ""


class PythonToolsFact(Fact[dict[str, Tool]]):
    """The tools that are declared; `path=`, `package=` and `program=` when used alone."""

    section: ClassVar[str] = "python-tools"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """One tool after the other."""
        wishes = [resource for resource in wanted if isinstance(resource, PythonToolResource)]
        return _FUNCTIONS + "".join(
            quote("tool", wish.name, wish.path, wish.package, wish.program, wish.link or "") + "\n"
            for wish in wishes
        )

    def standalone(self, **arguments: object) -> str:
        """The environment at `path`, its `package` and `program` (default: the hub's client)."""
        path = str(arguments.pop("path", "/opt/gonka-state/hf"))
        package = str(arguments.pop("package", "huggingface_hub"))
        program = str(arguments.pop("program", "hf"))
        if arguments:
            raise FactError(f"{self.section} takes path=, package= and program=")
        return _FUNCTIONS + quote("tool", program, path, package, program, "") + "\n"

    def parse(self, text: str) -> dict[str, Tool]:
        """Understand the section: tools by name."""
        parts = split_parts(text)
        return {name: _tool(parts, name) for name in parts.about("place")}


def _tool(parts: Parts, name: str) -> Tool:
    place = parts.need(f"place {name}").text.strip()
    if place != "environment":
        return Tool(place)
    version, answers = parts.need(f"version {name}"), parts.told(f"answers {name}")
    link = parts.get(f"link {name}", Part("", 0))
    found = version.lines[-1].strip() if version.text.strip() else ""
    return Tool(place, found, answers.failed, link.text.strip())


def observe_tool(state: dict[str, Tool], resource: PythonToolResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """Absent, unknown where something else is in the way, or the version that is installed."""
    found = state.get(resource.name)
    if found is None:
        return not_looked_at(resource.name)
    if found.place == "absent":
        return Absent()
    if found.place != "environment":
        return Unknown(
            f"{resource.path} is no Python environment but {found.place.removeprefix('other ')}",
            hint="move it away by hand, or declare another path",
        )
    at = found.link.removeprefix("link ")
    blocked = bool(found.link) and not found.link.startswith("link ")
    return Present(
        {
            "version": found.version or "not installed",
            "runs": not found.silent,
            "link": resource.link if at == resource.command else at or "nothing",
        },
        reason=f"{resource.command} does not answer: {found.silent}" if found.silent else "",
        human=f"{resource.link} is not replaced: move it away by hand" if blocked else "",
    )


FACT = PythonToolsFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("PythonTools", FACT, name)
