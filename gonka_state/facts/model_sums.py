"""Checksums of a model's files: what they are on disk, against what their names and the hub's listing say.

The cache names a large file's content by its sha256 and a small one's as git does (sha1 of a header and the
content), so every file can be judged without asking anybody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonka_state.facts.base import Verification, quote
from gonka_state.facts.model_cache import Sum, folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.base import Part
    from gonka_state.facts.model_cache import Cached, ModelsState
    from gonka_state.resources.model import ModelResource

# A line per file: SIZE MTIME INODE ALGORITHM HASH BLOB PATH. A file that is as it was at an earlier look of the
# same run ($KNOWN) is not read again. One that is no link says nothing by its name: both sums are told.
_FUNCTIONS = r"""
JOBS=$(nproc); [ "$JOBS" -le 4 ] || JOBS=4
QUIETLY="nice -n 19"; ! command -v ionice >/dev/null || QUIETLY="$QUIETLY ionice -c 3"
ONE='
path=$1
now=$(stat -L -c "%s %.9Y %i" -- "$path") || exit 0
old=$(printf "%s\n" "$KNOWN" | NOW="$now " END=" $path" awk '\''
  index($0, ENVIRON["NOW"]) == 1 && substr($0, length($0) - length(ENVIRON["END"]) + 1) == ENVIRON["END"]'\'')
if [ -n "$old" ]; then printf "%s\n" "$old"; exit 0; fi
blob=$(readlink -- "$path"); blob=${blob##*/}
tell() { read -r hash _ && printf "%s %s %s %s %s\n" "$now" "$1" "$hash" "${blob:--}" "$path"; }
[ "${#blob}" = 40 ] || sha256sum < "$path" | tell sha256
[ "${#blob}" = 64 ] || { printf "blob %s\0" "${now%% *}"; cat < "$path"; } | sha1sum | tell git
'
export KNOWN
sums() {
  cd "$3/hub/$1/snapshots/$2" && find -L . -type f ! -name '*
*' -printf '%P\0' | xargs -0 -r -n 1 -P "$JOBS" $QUIETLY sh -c "$ONE" sh
}
"""
_LINE = re.compile(r"(\d+) (\d+\.\d+ \d+) (sha256|git) ([0-9a-f]+) (\S+) (.+)")


def verification(state: ModelsState, models: Sequence[ModelResource], earlier: str) -> Verification | None:
    """What it takes to hash the declared revisions that are here; None where there is none."""
    body, total, names = [], 0, []
    for model in models:
        cached = state.homes.get(model.home, {}).get(model.name)
        if cached is None or model.revision not in cached.snapshots:
            continue
        where = (folder(model.name), model.revision, model.home)
        body.append(f"part {quote(' '.join(('sums', *where)))} {quote('sums', *where)}\n")
        total += cached.size_of(model.revision)
        names.append(model.name)
    if not body:
        return None
    known = "\n".join(line for line in earlier.splitlines() if _LINE.fullmatch(line))
    return Verification("".join([f"KNOWN={quote(known)}", _FUNCTIONS, *body]), total, ", ".join(names))


def read_sums(part: Part, model: Cached, commit: str) -> None:
    """Read one `sums` part."""
    found = model.sums.setdefault(commit, {})
    for line in part.lines:
        if match := _LINE.fullmatch(line):
            _, _, algorithm, value, blob, path = match.groups()
            found.setdefault(path, []).append(Sum(algorithm, value, blob))
