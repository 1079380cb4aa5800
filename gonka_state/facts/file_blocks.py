"""Our blocks in files of others: what is between the marks, and what stands elsewhere in the file already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core import masking
from gonka_state.core.observation import Absent, Observation, Present, Unknown, Value, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts import files
from gonka_state.facts.base import Fact, Look, Part, Parts, pyinfra_fact, quote, split_parts
from gonka_state.resources.file_block import BEGIN, END, FileBlockResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

SHELL = (
    files.SHELL
    + files.MASKED
    + rf"""
BEGIN={quote(BEGIN)} END={quote(END)}
marks() {{ grep -anxF -e "$BEGIN" -e "$END" -- "$1" || [ $? = 1 ]; }}
# Fails where the marks do not make one block; $first is empty where there is none.
between() {{
  found=$(marks "$1") || return
  case $(printf '%s' "$found" | cut -d : -f 2- | tr '\n' ,) in '' | "$BEGIN,$END" | "$BEGIN,$END,") ;; *) return 1 ;; esac
  first=$(echo "$found" | sed -n '1s/:.*//p') last=$(echo "$found" | sed -n '2s/:.*//p')
}}
"""
    + r"""
outside() {
  if [ -z "$first" ]; then cat -- "$1"; else head -n $((first - 1)) -- "$1"; tail -n +$((last + 1)) -- "$1"; fi
}
"""
)
_LOOK = r"""
inside() { [ $((last - first)) -le 1 ] || sed -n "$((first + 1)),$((last - 1))p" -- "$1" | masked /dev/stdin ''; }
elsewhere() {
  path=$1 number=0; shift
  for line; do number=$((number + 1)); outside "$path" | grep -aqxF -e "$line" && echo "$number"; done
  return 0
}
block() {
  part "stat $1" status "$1"
  [ -f "$1" ] || return 0
  part "marks $1" marks "$1"
  between "$1" || return 0
  [ -z "$first" ] || part "inside $1" inside "$1"
  part "elsewhere $1" elsewhere "$@"
}
"""


@dataclass(frozen=True, slots=True)
class Block:
    """One file. `type` is as stat names it; `inside` is masked, None where there is no block.

    `elsewhere` are the numbers, from 1, of declared lines that stand outside the block. `damage` says what is wrong
    with the marks; `error` why the file could not be read.
    """

    type: str
    inside: str | None = None
    elsewhere: frozenset[int] = frozenset()
    damage: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class BlocksState:
    """Every file looked at. `salt` is the one its digests were made with."""

    salt: str
    blocks: Mapping[str, Block]


class FileBlocksFact(Fact[BlocksState]):
    """The blocks that are declared; `path=` when used alone."""

    section: ClassVar[str] = "file-blocks"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """One file after the other; nothing but the block leaves the host."""
        wishes = [resource for resource in wanted if isinstance(resource, FileBlockResource)]
        calls = [quote("block", wish.name, *wish.variables) for wish in wishes]
        salt = [f"SALT={quote(look.salt)}", 'part salt printf "%s\\n" "$SALT"']
        return "\n".join([SHELL, _LOOK, *salt, *calls]) + "\n"

    def standalone(self, **arguments: object) -> str:
        """`path=/a,/b`: the files to look at (default: /etc/environment)."""
        paths = str(arguments.pop("path", "/etc/environment")).split(",")
        if arguments:
            raise FactError(f"{self.section} takes path=")
        return self.script([FileBlockResource(name=path) for path in paths], Look())

    def parse(self, text: str) -> BlocksState:
        """Understand the section: blocks by path."""
        parts = split_parts(text)
        blocks = {path: _block(parts, path) for path in parts.about("stat")}
        return BlocksState(parts.need("salt").text.strip(), blocks)


def _block(parts: Parts, path: str) -> Block:
    stat = parts[f"stat {path}"]
    kind = stat.text.strip().partition("|")[0]
    if stat.failed or f"marks {path}" not in parts:
        return Block(kind, error=stat.failed)
    marks = parts[f"marks {path}"]
    if marks.failed or _damage(marks.lines):
        return Block(kind, damage=_damage(marks.lines), error=marks.failed)
    elsewhere = parts.told(f"elsewhere {path}")
    inside = parts.get(f"inside {path}", Part("", 1))
    return Block(
        kind,
        None if inside.failed else inside.text,
        frozenset(int(line) for line in elsewhere.lines if line.isdecimal()),
    )


def _damage(marks: Sequence[str]) -> str:
    """What is wrong with lines `NUMBER:MARK`; a block is one beginning and one end after it."""
    found = [line.partition(":")[2] for line in marks if line]
    if found in ([], [BEGIN, END]):
        return ""
    return f"its marks do not make one block (lines {', '.join(line.partition(':')[0] for line in marks if line)})"


def observe_block(state: BlocksState, resource: FileBlockResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """The block's masked lines; absent where there is no block and a line is missing."""
    found = state.blocks.get(resource.name)
    if found is None:
        return not_looked_at(resource.name)
    if found.error:
        return Unknown(f"{resource.name} cannot be read: {found.error}")
    if found.type != "absent" and "file" not in found.type:
        return Unknown(f"{resource.name} is a {found.type}, not a file", hint="move it away by hand")
    if found.damage:
        return Unknown(
            f"{resource.name}: {found.damage}", hint=f"leave one line {BEGIN!r} and one {END!r} after it"
        )
    lines = _missing(found, resource)
    if found.inside is None and (lines or resource.state == "absent" or found.type == "absent"):
        return Absent({"lines": list(lines)})
    return Present({"content": found.inside or ""}, {"lines": list(lines)})


def wanted_block(state: BlocksState, resource: FileBlockResource, here: Here) -> dict[str, Value]:  # noqa: ARG001 (every kind's signature)
    """The lines that do not stand elsewhere already, masked by the look's own salt."""
    found = state.blocks.get(resource.name, Block("absent"))
    text = "".join(f"{line}\n" for line in _missing(found, resource))
    return {"content": masking.mask(text, (), state.salt)}


def _missing(found: Block, resource: FileBlockResource) -> tuple[str, ...]:
    elsewhere = {line for number, line in enumerate(resource.variables, 1) if number in found.elsewhere}
    return tuple(line for line in resource.lines if line not in elsewhere)


FACT = FileBlocksFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("FileBlocks", FACT, name)
