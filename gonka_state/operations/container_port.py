"""Restricting a port that Docker publishes: files for the next boot, and the same rules loaded now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.facts.base import quote
from gonka_state.facts.container_ports import (
    DIRECT,
    DIRECTORY,
    LOADER,
    LOADER_TEXT,
    TRANSLATED,
    UNIT,
    UNIT_FILE,
    UNIT_TEXT,
    files,
)
from gonka_state.operations.base import Do
from gonka_state.operations.firewall import delete_offenders, reload_files

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.firewall import ContainerPortResource

# `put` renames, so that no half file can be loaded; the loader reads only *.v4 and *.v6.
_HEAD = f"""\
set -eu
umask 077
mkdir -p {DIRECTORY}
chmod 0700 {DIRECTORY}
put() {{ printf '%s' "$2" >"$1.new"; mv -f -- "$1.new" "$1"; }}
"""

_LOAD = f"""\
chmod 0644 {UNIT_FILE}
systemctl daemon-reload
systemctl enable --quiet {UNIT}
sh {LOADER}
"""

# The last restriction is gone: nothing of ours stays behind.
_CLEAN = f"""\
set -- {DIRECTORY}/*.v[46]
if [ -e "$1" ]; then sh {LOADER}; exit; fi
systemctl disable --quiet {UNIT} 2>/dev/null || :
rm -rf -- {UNIT_FILE} {DIRECTORY}
systemctl daemon-reload
for tables in iptables ip6tables; do
  for jump in 'DOCKER-USER -j {TRANSLATED}' 'INPUT -j {DIRECT}'; do
    while "$tables" -w 10 -D $jump 2>/dev/null; do :; done
  done
  for chain in {TRANSLATED} {DIRECT}; do
    ! "$tables" -w 10 -F $chain 2>/dev/null || "$tables" -w 10 -X $chain
  done
done
"""


def apply(step: Step[ContainerPortResource]) -> Commands:
    """Write this port's own files, load all ports' rules in one transaction, remove what comes before them."""
    port = step.resource
    lines = [_HEAD]
    for name, text in files(port.port, port.protocol, port.sources).items():
        path = quote(f"{DIRECTORY}/{name}")
        keeps = bool(text) and step.change.action is not Action.DELETE
        lines.append(f"put {path} {quote(text)}" if keeps else f"rm -f -- {path}")
    if step.change.action is Action.DELETE:
        lines.append(_CLEAN)
    else:
        yield from reload_files(step)
        lines += [f"put {LOADER} {quote(LOADER_TEXT)}", f"put {UNIT_FILE} {quote(UNIT_TEXT)}", _LOAD]
        lines += delete_offenders(step)
    yield Do("load the rules for published ports", "\n".join(lines), deadline=step.timeouts.step)
