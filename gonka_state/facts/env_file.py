"""Files of variables: declared values, digests of declared secrets, and of all others the names alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.core import masking
from gonka_state.core.observation import Absent, Observation, Present, Unknown, Unmanaged, Value
from gonka_state.errors import FactError
from gonka_state.facts import env_awk, files
from gonka_state.facts.base import Fact, Look, Parts, pyinfra_fact, quote, split_parts
from gonka_state.resources.env_file import EnvFileResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

SHELL = (
    files.SHELL
    + env_awk.FUNCTIONS
    + r"""
env_variables() {
  [ -f "$1" ] || return 0
  ! holds_zero "$1" || { echo 'it holds zero bytes' >&2; return 1; }
  { printf '%s\n#@#\n' "$2"; cat -- "$1"; } | env_look | while IFS= read -r line; do
    case $line in
      s*) IFS= read -r rest; printf '%s\t%s\n' "$line" "$(printf '%s' "$rest" | digest)" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}
env_file() { part "stat $1" status "$1"; part "variables $1" env_variables "$1" "$2"; }
"""
)


@dataclass(slots=True)
class EnvFile:
    """One file. Line numbers count from 1; of a variable set twice the last one counts.

    `values` and `digests` are of declared variables, `twisted` are those that sh and compose read
    differently, `meddled` those that a line of another kind may set, `lines` where each name is set.
    `open` is the line of a quote that is never closed, 0 for none.
    """

    found: files.Found
    values: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    twisted: dict[str, int] = field(default_factory=dict)
    meddled: dict[str, int] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    undeclared: list[str] = field(default_factory=list)
    open: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class EnvFilesState:
    """Every file looked at, and the salt of its digests."""

    salt: str
    files: Mapping[str, EnvFile]


class EnvFilesFact(Fact[EnvFilesState]):
    """The files that are declared; `path=` and `names=A,B` when used alone."""

    section = "env-files"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """One stat and one awk per file."""
        lines = [SHELL, f"SALT={quote(look.salt)}", 'part salt printf "%s\\n" "$SALT"']
        for item in wanted:
            if isinstance(item, EnvFileResource):
                asked = "\n".join(f"{'!' if item.is_secret(name) else '?'}{name}" for name in item.variables)
                lines.append(quote("env_file", item.name, asked))
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """`path` is the file (default: /opt/gonka/deploy/join/config.env), `names` whose values are shown."""
        path = str(arguments.pop("path", "/opt/gonka/deploy/join/config.env"))
        names = str(arguments.pop("names", ""))
        if arguments:
            raise FactError(f"{self.section} takes path= and names=A,B")
        asked: dict[str, str | None] = dict.fromkeys(filter(None, names.split(",")), "")
        return self.script([EnvFileResource(name=path, variables=asked)], Look())

    def parse(self, text: str) -> EnvFilesState:
        """Every file by path; one that could not be read carries its error."""
        parts = split_parts(text)
        found = {path: _file(parts, path) for path in parts.about("stat")}
        return EnvFilesState(parts.need("salt").text.strip(), found)


def _file(parts: Parts, path: str) -> EnvFile:
    stat, part = parts[f"stat {path}"], parts.told(f"variables {path}")
    file = EnvFile(files.found_at(stat.text, stat.failed), error=part.failed)
    for line in part.text.split("\n"):
        fields = line.split("\t", 3)
        if len(fields) > 1 and not fields[1].isdecimal():
            raise FactError(f"the variables of {path} cannot be understood: {fields[0]!r} of no line")
        if fields[0] == "open":
            file.open = int(fields[1])
        elif len(fields) > 2:  # noqa: PLR2004 (what, line, name)
            _line(file, fields[0], int(fields[1]), *fields[2:])
    return file


def _line(file: EnvFile, what: str, number: int, name: str, value: str = "") -> None:
    """Note one line; the last one of a name wins."""
    if what == "o":
        file.meddled[name] = number
        return
    file.lines.setdefault(name, []).append(number)
    for known in (file.values, file.digests, file.twisted):
        known.pop(name, None)
    match what:
        case "v":
            file.values[name] = value
        case "s":
            file.digests[name] = value
        case "w":
            file.twisted[name] = number
        case "u":
            file.undeclared.append(name)


def observe_env_file(state: EnvFilesState, resource: EnvFileResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """Each declared variable, mode, owner and group."""
    file = state.files.get(resource.name)
    seen = files.see(file.found if file else None, resource.name, "file")
    if file is None or not isinstance(seen, files.Found):
        return seen  # type: ignore[return-value]
    if trouble := _trouble(file, resource):
        return trouble
    if resource.state == "absent":
        return _left(file, resource)
    attributes: dict[str, Value] = {
        "variables": {name: _value(file, name) for name in resource.variables},
        "mode": files.like(resource.mode, seen.mode),
        "owner": seen.owner,
        "group": seen.group,
    }
    return Present(attributes, reason="; ".join(_remarks(file, resource)))


def _left(file: EnvFile, resource: EnvFileResource) -> Observation:
    """What is to be removed: our variables. What nobody declared keeps the file."""
    ours = sorted(set(resource.variables) & file.lines.keys())
    others = ", ".join(dict.fromkeys(file.undeclared))
    stays = f"the file stays: nobody declared {others}" if others else ""
    if others and not ours:
        return Absent(reason=stays)
    return Present({"variables": ours}, reason=stays)


def _trouble(file: EnvFile, resource: EnvFileResource) -> Unknown | None:
    if file.error:
        return Unknown(f"{resource.name} cannot be read: {file.error}")
    if file.open:
        return Unknown(
            f"{resource.name}:{file.open}: a quote begins here and is never closed",
            hint="correct the file by hand: neither the shell nor compose can read it",
        )
    for name in resource.variables:
        if name in file.meddled:
            return Unknown(
                f"{resource.name}:{file.meddled[name]} is more than NAME=value and speaks of {name}",
                hint=f"write {name}=value on a line of its own: sh and compose read this line differently",
            )
    return None


def _value(file: EnvFile, name: str) -> str | None:
    if name in file.twisted:
        return f"<line {file.twisted[name]}, not plain: sh and compose may differ>"
    if name in file.digests:
        return masking.shown(file.digests[name])
    return file.values.get(name)


def _remarks(file: EnvFile, resource: EnvFileResource) -> list[str]:
    """What explains a difference beyond the values."""
    return [
        f"{name} is set in lines {', '.join(map(str, file.lines[name]))}; the last one counts"
        for name in resource.variables
        if len(file.lines.get(name, ())) > 1
    ]


def wanted_env_file(state: EnvFilesState, resource: EnvFileResource, here: Here) -> dict[str, Value]:  # noqa: ARG001 (every kind is asked alike)
    """The declared attributes with each secret as a digest of the look's own salt."""
    variables = {
        name: masking.hidden(state.salt, value.encode("utf-8", "surrogateescape"))
        if value is not None and resource.is_secret(name)
        else value
        for name, value in resource.revealed().items()
    }
    return resource.attributes() | {"variables": variables}


def unmanaged_variables(
    state: EnvFilesState, declared: Sequence[EnvFileResource], here: Here
) -> list[Unmanaged]:
    """Variables that nobody declared, by name."""
    return [
        Unmanaged(here.host, "env-file", f"{item.name} {name}", "a variable; its value stays on the host")
        for item in declared
        if item.name in state.files
        for name in dict.fromkeys(state.files[item.name].undeclared)
    ]


FACT = EnvFilesFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("EnvFiles", FACT, name)
