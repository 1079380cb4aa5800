"""The ML nodes that a network host's Admin API knows, how old that API is, and what the chain says about it.

Source of the shapes: Gonka's decentralized-api (GET /admin/v1/nodes and /admin/v1/config, /v1/versions,
/v1/governance/models, /v1/epochs/latest, /v1/epochs/current/participants) and its ML node (/api/v1/state,
/api/v1/gpu/devices). The configuration holds a private key, and a node may have a token: only the values
named here leave the host (`facts/picked.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.admin_api import NODES
from gonka_state.facts.api_answers import Answers, NodesState, read_api
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.facts.picked import ANSWERED, PICK, pick, wanted
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.resources.base import Resource

_FIELDS = ("id", "host", "inference_port", "poc_port", "inference_segment", "poc_segment", "max_concurrent")
_STATE = (
    "intended_status",
    "current_status",
    "failure_reason",
    "status_timestamp",
    "lock_count",
    "admin_state/enabled",
    "admin_state/epoch",
    "ml_node_version",
    "epoch_ml_nodes/**",
)
LISTED = wanted(
    "error/**",
    "*/node/models/**",
    *(f"*/node/{name}" for name in _FIELDS),
    *(f"*/state/{name}" for name in _STATE),
)
STORED = wanted("nodes/*/models/**", *(f"nodes/*/{name}" for name in _FIELDS))
_VERSION = wanted("api_version/version")
_MODELS = wanted("models/*/id")
_EPOCH = wanted("latest_epoch/index", "phase", "block_height")
_GROUP = "active_participants/participants/*"
PARTICIPANTS = wanted(f"{_GROUP}/index", f"{_GROUP}/inference_url", f"{_GROUP}/ml_nodes/*/ml_nodes/*/node_id")
_CARDS = wanted(*(f"devices/*/{name}" for name in ("total_memory_mb", "used_memory_mb", "is_available")))
_LOADED = wanted("state", "loaded_model", "version")

# Of all participants only the one that names us, by address or by URL.
OWN = r"""
own() { pick "$1" "$2" "$3" | awk -F '\t' -v one="\"$4\"" -v other="\"$5\"" '
  /^end / { if (mine) printf "%s", lines; print; next }
  $3 != at { if (mine) printf "%s", lines; lines = ""; mine = 0; at = $3 }
  { lines = lines $0 "\n"; if ($NF == one || $NF == other) mine = 1 }
  END { exit 0 }'
}
"""

# All ML nodes at once, and each answer in one write: a dead one must not make the look wait for the next.
_CARDS_OF = r"""
cards() { pick 3 "$2/api/v1/state" "$3" "$1 state " && pick 3 "$2/api/v1/gpu/devices" "$4" "$1 cards "; }
ml_nodes() {
  loaded=$1; devices=$2; shift 2
  while [ $# -gt 0 ]; do { found=$(cards "$1" "$2" "$loaded" "$devices" 2>/dev/null); printf '%s\n' "$found"; } & shift 2; done
  wait
}
"""


class NodesFact(Fact[NodesState]):
    """What every declared Admin API says. As a plain fact it takes `api=` and `public_api=`."""

    section = "nodes"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """POSIX sh: about six requests per API, and two per ML node, all from the network host itself.

        An API that does not answer the first one is not asked on.
        """
        declared = [item for item in wanted if isinstance(item, NodeResource)]
        lines = [PICK, OWN, _CARDS_OF, "part clock date +%s"]
        for api in sorted({item.api for item in declared}):
            lines += _questions([item for item in declared if item.api == api], look.http_timeout)
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """The script for one API, by default the usual one on the network host."""
        given = {key: str(value) for key, value in arguments.items()}
        node = NodeResource(name="any", host="any", inference_port=1, poc_port=1, models={"any": {}}, **given)  # type: ignore[arg-type] # the rest are the texts just made
        return self.script((node,), Look())

    def parse(self, text: str) -> NodesState:
        """Understand the section; an API that answers nonsense is a problem of its own nodes only."""
        parts = split_parts(text)
        answers = Answers(parts)
        return NodesState({name: read_api(answers, name) for name in parts.about("nodes")})


def _questions(declared: Sequence[NodeResource], seconds: int) -> list[str]:
    node = declared[0]
    api, public, short = node.api, node.public_api, max(seconds // 2, 1)

    def ask(what: str, call: str) -> str:
        return f"part {quote(f'{what} {api}')} {call}"

    seeds = [item.seed_api for item in declared if item.seed_api]
    own = quote(node.account or "-", node.public_url or "-")
    lines = [ask("nodes", pick(seconds, api + NODES, LISTED)), f'if [ "$_rc" -lt {ANSWERED} ]; then']
    lines += [ask("config", pick(short, f"{api}/admin/v1/config", STORED))]
    lines += [ask("versions", pick(short, f"{public}/v1/versions", _VERSION))]
    lines += [
        f'if [ "$_rc" -lt {ANSWERED} ]; then',
        ask("models", pick(short, f"{public}/v1/governance/models", _MODELS)),
    ]
    lines += [
        "governed=$_rc",
        f'if [ "$_rc" -lt {ANSWERED} ]; then',
        ask("epoch", pick(short, f"{public}/v1/epochs/latest", _EPOCH)),
    ]
    people = pick(short, f"{public}/v1/epochs/current/participants", PARTICIPANTS).removeprefix("pick ")
    lines += [ask("participants", f"own {people} {own}"), "fi", "else governed=4", "fi"]
    if seeds:
        lines += [
            f'[ "$governed" = 0 ] || {ask("seed", pick(short, f"{seeds[0]}/v1/governance/models", _MODELS))}'
        ]
    places = [word for item in declared if item.management for word in (item.name, item.management)]
    lines += [ask("cards", f"ml_nodes {quote(_LOADED, _CARDS, *places)}")] if places else []
    return [*lines, "fi"]


FACT = NodesFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Nodes", FACT, name)
