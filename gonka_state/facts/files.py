"""Files and directories: type, mode, owner and, for declared files, masked content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core import masking
from gonka_state.core.observation import Absent, Observation, Present, Unknown, Value, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.file import FileResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource
    from gonka_state.resources.directory import DirectoryResource

LIMIT = 262_144
"""Bytes; larger files are compared by one digest."""

# `status` and `digest` are env-file's too. `holds_zero`: no awk can read such a file, nor keep it whole.
SHELL = r"""
digest() { { printf '%s' "$SALT"; cat; } | sha256sum | cut -c1-16; }
holds_zero() { [ "$(tr -d '\000' <"$1" | wc -c)" != "$(wc -c <"$1")" ]; }
status() {
  if [ -e "$1" ]; then stat -L -c '%F|%a|%U|%G|%s' -- "$1"
  elif [ -L "$1" ]; then echo 'dangling link|||'
  elif ls -d -- "$1" 2>&1 | grep -q 'No such file\|Not a directory'; then echo 'absent'
  else ls -d -- "$1" >/dev/null; fi
}
"""

# The awk half of core/masking.py: the same words, the same suspects, byte by byte (LC_ALL=C).
MASKED = r"""
masked() {
  awk -v words="$2" '
    BEGIN { n = split(words, word, " ") }
    {
      cut = 0
      for (i = 1; i <= n; i++) if ((at = index($0, word[i]))) { end = at + length(word[i]) - 1; if (!cut || end < cut) cut = end }
      if (match(tolower($0), /(passw|secret|token|mnemonic|private|passphrase|credential|api_?key)[a-z0-9_]*["\047]*[ \t]*[=:]/)) {
        end = RSTART + RLENGTH - 1; if (!cut || end < cut) cut = end }
      if (cut) { print "S" substr($0, 1, cut); print substr($0, cut + 1); next }
      print "L" $0
    }' "$1" | while IFS= read -r line; do
    case $line in
      L*) printf '%s\n' "${line#L}" ;;
      S*) IFS= read -r rest; printf '%s <secret %s>\n' "${line#S}" "$(printf '%s' "$rest" | digest)" ;;
    esac
  done
  [ -s "$1" ] && [ "$(tail -c1 "$1" | od -An -tx1)" != ' 0a' ] && printf '%s\n' '\ No newline at end of file'
  return 0
}
"""
_SCRIPT = r"""
whole() { printf 'W<%s bytes, digest %s>\n' "$(wc -c <"$1" | tr -d ' ')" "$(digest <"$1")"; }
content() {
  [ -f "$1" ] || return 0
  if [ "$2" = '*' ] || [ "$(wc -c <"$1")" -gt LIMIT ] || holds_zero "$1"; then whole "$1"
  else echo T; masked "$1" "$2"; fi
}
""".replace("LIMIT", str(LIMIT))


@dataclass(frozen=True, slots=True)
class Found:
    """One path. `type` as stat names it (`regular file`, `directory`), or `absent`.

    `content` is masked text, or one line of digest where `opaque`; None when nobody asked for it.
    """

    type: str
    mode: str = ""
    owner: str = ""
    group: str = ""
    size: int = 0
    content: str | None = None
    opaque: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class FilesState:
    """Every path looked at. `salt` is the one its digests were made with."""

    salt: str
    paths: Mapping[str, Found]


class FilesFact(Fact[FilesState]):
    """Paths that are asked for, with `stat` and masked content."""

    section = "files"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """One stat per path and the masked content of declared files."""
        lines = [SHELL, MASKED, _SCRIPT, f"SALT={quote(look.salt)}", 'part salt printf "%s\\n" "$SALT"']
        for resource in wanted:
            lines.append(f"part {quote('stat ' + resource.name)} status {quote(resource.name)}")
            if isinstance(resource, FileResource) and resource.content is not None:
                words = _words(resource)
                marks = "*" if words is None else " ".join(words)
                lines.append(
                    f"part {quote('content ' + resource.name)} content {quote(resource.name)} {quote(marks)}"
                )
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """`path=/a,/b`: the paths to look at, with their content."""
        paths = str(arguments.pop("path", "/etc/hostname")).split(",")
        if arguments:
            raise FactError(f"files takes path=/a,/b, got {', '.join(arguments)}")
        return self.script([FileResource(name=path, content="") for path in paths], Look())

    def parse(self, text: str) -> FilesState:
        """Every path by name; a path that could not be read carries its error."""
        parts = split_parts(text)
        paths: dict[str, Found] = {}
        for name, part in parts.items():
            verb, _, path = name.partition(" ")
            if verb == "stat":
                paths[path] = found_at(part.text, part.failed)
            elif verb == "content" and path in paths and part.text:
                found = paths[path]
                opaque = part.text.startswith("W")
                content = part.text[1:].strip() if opaque else part.text[2:]
                paths[path] = Found(
                    found.type, found.mode, found.owner, found.group, found.size, content, opaque, part.failed
                )
        return FilesState(parts.need("salt").text.strip(), paths)


def found_at(line: str, error: str) -> Found:
    """What `status` said about one path; `error` is what it said instead."""
    if error:
        return Found("unknown", error=error)
    kind, _, rest = line.strip().partition("|")
    fields = rest.split("|")
    if kind == "absent" or len(fields) != 4:  # noqa: PLR2004 (mode, owner, group, size)
        return Found(
            kind or "unknown", error="" if kind in {"absent", "dangling link"} else f"stat said {line!r}"
        )
    return Found(kind, fields[0].zfill(4), fields[1], fields[2], int(fields[3] or 0))


def see(found: Found | None, name: str, expected: str) -> Found | Observation:
    """The path as found, or what there is to say when it is not of the expected type."""
    if found is None:
        return not_looked_at(name)
    if found.error:
        return Unknown(f"{name} cannot be read: {found.error}")
    if found.type == "absent":
        return Absent()
    if expected not in found.type:
        return Unknown(
            f"{name} is a {found.type}, not a {expected}",
            hint="move it away by hand; it is never replaced by us",
        )
    return found


def observe_directory(state: FilesState, resource: DirectoryResource, here: Here) -> Observation:  # noqa: ARG001
    """Mode, owner and group of a directory."""
    seen = see(state.paths.get(resource.name), resource.name, "directory")
    if not isinstance(seen, Found):
        return seen
    return Present({"mode": like(resource.mode, seen.mode), "owner": seen.owner, "group": seen.group})


def observe_file(state: FilesState, resource: FileResource, here: Here) -> Observation:  # noqa: ARG001
    """Masked content, mode, owner and group of a file."""
    seen = see(state.paths.get(resource.name), resource.name, "file")
    if not isinstance(seen, Found):
        return seen
    attributes: dict[str, Value] = {
        "mode": like(resource.mode, seen.mode),
        "owner": seen.owner,
        "group": seen.group,
    }
    if resource.content is not None:
        attributes["content"] = seen.content or ""
    return Present(attributes, details={"opaque": seen.opaque})


def wanted_file(state: FilesState, resource: FileResource, here: Here) -> dict[str, Value]:  # noqa: ARG001
    """The declared attributes with the content masked by the look's own salt."""
    attributes = resource.attributes()
    if resource.content is None:
        return attributes
    secrets = {name: secret.get_secret_value() for name, secret in resource.secrets.items()}
    content = masking.reveal(resource.content, secrets)
    words = _words(resource)
    found = state.paths.get(resource.name)
    if words is None or (found is not None and found.opaque):
        attributes["content"] = masking.whole(state.salt, content)
    else:
        attributes["content"] = masking.mask(content, words, state.salt)
    return attributes


def _words(resource: FileResource) -> tuple[str, ...] | None:
    """The words that name the file's secrets; None when it must be compared as a whole."""
    several_lines = any("\n" in secret.get_secret_value() for secret in resource.secrets.values())
    return None if several_lines else masking.secret_words(resource.content or "")


def like(declared: str | None, mode: str) -> str:
    """A mode in the declared one's width: 755 and 0755 are the same."""
    return mode[1:] if declared and len(declared) == 3 and mode.startswith("0") else mode  # noqa: PLR2004


FACT = FilesFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Files", FACT, name)
