"""The two readers of a file of variables, for real: dash and docker compose on a lab host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.env_text import read, written
from tests.e2e.world import ML

if TYPE_CHECKING:
    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

SPECIAL = "aZ09_-./:@%+,=!^]#'\"\\$`;&|<>()*?[{}~ ä"
VALUES = [
    *SPECIAL,
    *(f"a{one}b" for one in SPECIAL),
    *(f"a {one}{two} b" for one in SPECIAL for two in "$'#"),
]
LINES = [
    "X", "='a b'", "a  # note", "'a' # note", '"it\'s"', '"a # b"', "a#b", "#a", "'$a`b\"c\\d'", "a]b", "",
    "'' # note", "a=b", "'a\\b'", "a b", "a\t# note", "'a'#b", "a\\b", "~/a", "$A", "'a'b", " # note",
]  # fmt: skip

# Sources the file, asks compose about the same, and prints both answers, each ended by a zero byte.
BOTH = r"""
d=$(mktemp -d); trap 'rm -rf "$d"' EXIT; cd "$d"
cat >e <<'END'
TEXT
END
{ printf 'services:\n  a:\n    image: x\n    environment:\n'; for n in NAMES; do printf '      %s: ${%s}\n' "$n" "$n"; done; } >c.yml
env -i dash -c '. ./e; for n in NAMES; do eval "printf %s\\\\0 \"\$$n\""; done'
env -i PATH="$PATH" HOME=/root docker compose --env-file e -f c.yml config --format json
"""


def test_sh_and_compose_read_what_we_write_and_what_we_understand(cluster: Cluster) -> None:
    lines: dict[str, tuple[str, str]] = {}
    for value in VALUES:
        try:
            lines[f"V{len(lines)}"] = (written(value), value)
        except ValueError:
            continue
    for raw in LINES:
        (item,) = read(f"V={raw}")
        if item.value is not None:
            lines[f"V{len(lines)}"] = (raw, item.value)
    assert len(lines) > len(VALUES) * 0.8
    text = "\n".join(f"export {name}={raw}" for name, (raw, _) in lines.items())

    out = cluster.shell(ML[0], BOTH.replace("TEXT", text).replace("NAMES", " ".join(lines)))

    *sh, compose = out.split("\0")
    environment = json.loads(compose)["services"]["a"]["environment"]
    wanted = [value for _, value in lines.values()]
    assert sh == wanted
    assert [environment[name].replace("$$", "$") for name in lines] == wanted
