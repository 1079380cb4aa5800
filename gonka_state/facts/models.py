"""Which models the hub caches on a host hold, at which revision, and whether every byte is there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, ClassVar

from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Parts, Verification, pyinfra_fact, quote, split_parts
from gonka_state.facts.hub import hub_of, listed, listing_url
from gonka_state.facts.model_cache import Cached, Entry, Expected, ModelsState, folder
from gonka_state.facts.model_sums import read_sums, verification
from gonka_state.resources.model import ModelResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.resources.base import Resource

UNIT_PREFIX = "gonka-state-model-"
DEFAULT_HOME = "/mnt/shared"

# One find per home: -L gives the size of what a link resolves to and leaves dangling ones as type l. The
# client of 2026 keeps blobs themselves as links into a store that all models share, so sizes and identity
# must come from the end of the chain. -ignore_readdir_race: a running download renames files under us.
FUNCTIONS = r"""
unmounted() {
  [ -r /etc/fstab ] || return 0
  awk -v home="$1/" 'FNR == NR { mounted[$2] = 1; next }
    $1 !~ /^#/ && $2 ~ /^\/./ && $4 !~ /noauto/ && index(home, $2 "/") == 1 && !($2 in mounted) { print $2 }
  ' /proc/self/mounts /etc/fstab
}
files() {
  if ! [ -d "$1/hub" ]; then
    said=$(stat -L "$1/hub" 2>&1 >/dev/null)
    case $said in *'No such file'*) return 0 ;; esac
    echo "${said:-$1/hub is not a directory}" >&2; return 1
  fi
  cd "$1/hub" && find -L . -ignore_readdir_race -mindepth 1 -maxdepth 10 \
    \( -path './models--*' ! -name '*
*' ! -type d -printf '%y %s %b %D:%i %P\n' \) -o \( ! -path './models--*' -prune \)
}
shards() { grep -o '"[^"]*\.safetensors"' "$1" | tr -d '"' | sort -u; }
heads() {
  for f in "$1"/*.safetensors; do
    [ -f "$f" ] || continue
    n=$(od -An -tu8 --endian=little -N8 "$f" | tr -d ' ')
    case $n in '' | ?????????*) n=0 ;; esac
    end=$(tail -c +9 "$f" | head -c "$n" | grep -o '"data_offsets" *: *\[ *[0-9]* *, *[0-9]*' |
      sed 's/.*, *//' | sort -n | tail -n 1)
    echo "$((8 + n + ${end:-0})) ${f##*/}"
  done
}
free() {
  place=$1
  while ! [ -d "$place" ]; do place=$(dirname -- "$place"); done
  df -PB1 -- "$place" | awk 'NR == 2 { print $4 }'
}
# What is not here at all: the hub is asked for its size. What is here needs no hub.
offered() {
  [ -d "$1/hub/$2/snapshots/$3" ] || part "hub $2 $3 $1" curl -sSLf --connect-timeout 5 --max-time "$5" -- "$4"
}
named() { [ ! -f "$1/hub/$2/refs/$3" ] || part "ref $2 $3 $1" cat "$1/hub/$2/refs/$3"; }
revision() {
  snapshot="$1/hub/$2/snapshots/$3" tree="$1/hub/$2/trees/$3.json"
  case $(tail -c 4 "$tree" 2>/dev/null) in
    *'}'*) part "tree $2 $3 $1" cat "$tree" ;;
    *) [ ! -d "$snapshot" ] || part "heads $2 $3 $1" heads "$snapshot" ;;
  esac
  index="$snapshot/model.safetensors.index.json"
  [ ! -f "$index" ] || part "index $2 $3 $1" shards "$index"
}
home() { for _look in unmounted files free; do part "$_look $1" "$_look" "$1"; done; }
every_revision() {
  for s in "$1"/hub/models--*/snapshots/*; do
    [ -d "$s" ] || continue
    d=${s%/snapshots/*}
    revision "$1" "${d##*/}" "${s##*/}"
  done
}
"""
UNITS = (
    "part units sh -c 'command -v systemctl >/dev/null || exit 0;"
    f' systemctl list-units --all --plain --no-legend --full "{UNIT_PREFIX}*"\'\n'
)


class HubModelsFact(Fact[ModelsState]):
    """Models in hub layout under each `home` that is declared; `home=` when used alone."""

    section: ClassVar[str] = "models"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Homes once each, then what only a declared revision needs; the hub is asked where it is not here."""
        models = [resource for resource in wanted if isinstance(resource, ModelResource)]
        lines = [FUNCTIONS, UNITS]
        lines += [quote("home", home) + "\n" for home in sorted({model.home for model in models})]
        for model in models:
            at = (model.home, folder(model.name), model.revision)
            url = listing_url(hub_of(model), model.name, model.revision)
            lines += [quote("revision", *at), "\n", quote("offered", *at, url, str(look.http_timeout)), "\n"]
            lines += [quote("named", model.home, folder(model.name), model.ref), "\n"] if model.ref else []
        return "".join(lines)

    def standalone(self, **arguments: object) -> str:
        """`home` is an HF_HOME (default /mnt/shared); every revision found there is listed."""
        home = str(arguments.pop("home", DEFAULT_HOME))
        if arguments:
            raise FactError(f"{self.section} takes home=, got {', '.join(arguments)}")
        return f"{FUNCTIONS}{UNITS}{quote('home', home)}\n{quote('every_revision', home)}\n"

    def verification(self, wanted: Sequence[Resource], text: str, earlier: str) -> Verification | None:
        """Hash every file of the declared revisions."""
        models = [resource for resource in wanted if isinstance(resource, ModelResource)]
        return verification(self.parse(text), models, earlier)

    def parse(self, text: str) -> ModelsState:
        """Understand the section; a home that cannot be listed is kept as unreadable."""
        parts = split_parts(text)
        state = ModelsState(homes={}, unmounted={}, unreadable={}, units=_units(parts))
        for name in parts:
            kind, _, rest = name.partition(" ")
            if kind == "files":
                _read_files(parts, rest, state)
            elif kind == "unmounted" and parts[name].text.strip():
                state.unmounted[rest] = parts[name].lines[0]
            elif kind == "free" and parts[name].text.strip().isdecimal():
                state.free[rest] = int(parts[name].text)
        for name in parts:
            _read_revision(parts, name, state)
        return state


def _units(parts: Parts) -> dict[str, str]:
    """Rows of `systemctl list-units --plain`: UNIT LOAD ACTIVE SUB DESCRIPTION. Only for display."""
    rows = (line.split(None, 4) for line in parts.told("units").lines)
    return {
        row[0].removeprefix(UNIT_PREFIX).removesuffix(".service"): row[3]
        for row in rows
        if len(row) >= 4 and row[0].startswith(UNIT_PREFIX)  # noqa: PLR2004 (the columns named above)
    }


_FILE = re.compile(r"(\S) (\d+) (\d+) (\S+) models--([^/]+)/(.+)")


def _read_files(parts: Parts, home: str, state: ModelsState) -> None:
    part = parts[f"files {home}"]
    if part.failed:
        state.unreadable[home] = part.failed
        return
    models = state.homes.setdefault(home, {})
    for line in part.lines:
        match = _FILE.fullmatch(line)
        if match is None:
            raise FactError(f"models: a line that find does not print: {line[:120]!r}")
        kind, size, blocks, identity, model, path = match.groups()
        entry = Entry(None if kind == "l" else int(size), int(blocks) * 512, identity)
        _place(models.setdefault(model.replace("--", "/"), Cached()), path, entry)


def _place(model: Cached, path: str, entry: Entry) -> None:
    where, _, rest = path.partition("/")
    if where == "blobs":
        (model.unfinished if rest.endswith(".incomplete") else model.blobs)[rest] = entry
    elif where == "snapshots":
        commit, _, name = rest.partition("/")
        model.snapshots.setdefault(commit, {})[name] = entry


def _read_revision(parts: Parts, name: str, state: ModelsState) -> None:
    """What is known of a revision beside its files: `tree|heads|index|hub|sums FOLDER COMMIT HOME`, `ref FOLDER REF HOME`."""
    kind, *rest = name.split(" ", 3)
    if kind not in {"tree", "heads", "index", "hub", "ref", "sums"} or len(rest) != 3:  # noqa: PLR2004 (the words above)
        return
    model_folder, commit, home = rest
    known = state.homes.get(home, {})
    model = known.setdefault(model_folder.removeprefix("models--").replace("--", "/"), Cached())
    part = parts[name]
    if kind == "sums":
        read_sums(part, model, commit)
    elif kind == "ref":
        model.refs[commit] = part.text.strip()
    elif kind == "hub":
        sizes = None if part.failed else listed(part.text)
        if sizes is not None:
            model.offered[commit] = sizes
    elif kind == "index":
        model.shards[commit] = tuple(part.lines)
    elif kind == "heads":
        rows = (line.partition(" ") for line in part.lines)
        model.heads[commit] = {file: int(size) for size, _, file in rows if size.isdecimal()}
    elif tree := _tree(part.text):
        model.trees[commit] = tree


def _tree(text: str) -> dict[str, Expected]:
    """The client's `trees/<commit>.json`, format 1; empty when it is another format or damaged."""
    try:
        listing = json.loads(text)
        return {
            str(path): Expected(
                int(info.get("lfs_size") or info["size"]), str(info.get("lfs_sha256") or info["blob_id"])
            )
            for path, info in listing["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


FACT = HubModelsFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("HubModels", FACT, name)
