"""Taking away the containers of one compose service, and with the last of a project its networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.facts.node_observed import API
from gonka_state.operations.base import Commands, Do, Pause, Say, Step
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from gonka_state.resources.compose_service import ComposeServiceResource

STORED_WITHIN = 60
"""Seconds after which the API has stored what was changed about its nodes (gonka-contract 1.6)."""

# Compose's own networks go with the last container of their project; volumes never.
_GONE = r"""
[ $# = 0 ] || { docker stop "$@" >/dev/null && docker rm "$@" >/dev/null; } || exit 1
[ -n "$PROJECT" ] || exit 0
[ -z "$(docker ps --all --quiet --filter "label=com.docker.compose.project=$PROJECT")" ] || exit 0
for network in $(docker network ls --quiet --filter "label=com.docker.compose.project=$PROJECT"); do
  docker network rm "$network" >/dev/null || exit 1
done
"""


def remove(step: Step[ComposeServiceResource]) -> Commands:
    """Stop and remove the containers that the look saw; volumes, files and images stay."""
    if any(isinstance(item, NodeResource) for item in step.here.declared):
        yield from until_stored(step.resource)
    ids = quote(*step.details.get("containers", ()))
    project = quote(str(step.details.get("project", "")))
    script = f"set -- {ids}\nPROJECT={project}{_GONE}"
    yield Do(
        f"stop and remove {step.resource.name}", script, deadline=max(step.timeouts.step, 60), turn="compose"
    )


def until_stored(service: ComposeServiceResource) -> Commands:
    """Before the API stops: a change of its nodes lies in memory for a while, and would be lost."""
    if service.name == API:
        yield Say(f"{API} is given {STORED_WITHIN} s to store what it knows of its nodes")
        yield Pause(STORED_WITHIN)
