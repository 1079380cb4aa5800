"""Registers, changes, switches and removes an ML node through the Admin API of the network host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from gonka_state.core.change import Action
from gonka_state.core.diff import compare
from gonka_state.core.observation import Present
from gonka_state.errors import FactError, StepError
from gonka_state.facts.admin_api import ASK, NODES, read_answer, read_nodes, words_of
from gonka_state.facts.base import Part, quote
from gonka_state.facts.node_observed import ENABLED, PERSISTED, attributes_of, unknown_age
from gonka_state.operations.base import Command, Commands, Do, Pause, Result, Say, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from gonka_state.core.change import AttributeChange
    from gonka_state.resources.node import NodeResource

Entry: TypeAlias = "dict[str, Any]"

_READ = 30
_WRITE = 60
"""Seconds. A write waits for the API's queue and for a query to the chain."""

_LOOKS = 3
_BETWEEN = 5
_REFUSED = 7

_REFUSED_NEW = "a refused write changes nothing (500 on a change is its validation too): correct the YAML"
_REFUSED_OLD = """an API older than 0.2.4 gives no reason; its log does:
docker logs --tail 50 api
the usual one is a model that is no governance model; converge goes on from what is registered"""

_SEND = r"""
curl -sS --max-time "$1" -X "$2" -H 'Content-Type: application/json' --data-binary @- -w '\n%{http_code}' -- "$3"
"""


def apply(step: Step[NodeResource]) -> Commands:
    """GET, then one write at a time, then GET again: the API drops what it does not like in silence.

    An API since 0.2.4 replaces a node's configuration. An older one appends a second entry for an id it knows
    and hangs for ever when asked to switch one that it does not (gonka-contract 1.5): there a node is removed
    and registered again, and looked for before every write.
    """
    unknown = unknown_age(step.details.get("upserts"))
    if unknown:
        raise StepError(unknown, hint="look again once /v1/versions of the api container answers")
    entry = yield from _find(step)
    if step.change.action is Action.DELETE:
        yield from _delete(step, entry)
        return
    if (entry is None) is not (step.change.action is Action.CREATE):
        now = "is registered now" if entry else "is no longer registered"
        raise StepError(
            f"node {step.resource.name} {now}: somebody changed it since the look; nothing was written"
        )
    if step.resource.state == "absent":  # the first step of its removal
        yield from _switch(step, wanted=False)
        return
    wanted = step.resource.enabled
    if entry is None or _differences(step, entry) or step.differs(PERSISTED):
        if wanted is None and entry is not None:
            wanted = attributes_of(entry)[ENABLED]  # a node that is registered anew begins enabled
        entry = yield from _write(step, entry)
    if wanted is not None and not _is(entry, wanted=wanted):
        yield from _switch(step, wanted=wanted)


def _find(step: Step[NodeResource]) -> Generator[Command, Result, Entry | None]:
    """The node as the API has it now.

    Raises:
        StepError: the API does not answer with a list of nodes.
    """
    url = step.resource.api + NODES
    result = yield Do("read the registered nodes", f"{ASK}ask {_READ} {quote(url)}", again=True, check=False)
    status, body = read_answer(Part(result.stdout, result.status))
    if status != 200:  # noqa: PLR2004 (HTTP)
        said = f"answers {status}: {words_of(body)}" if status else f"does not answer: {result.words}"
        raise StepError(f"the Admin API {url} {said}", hint="docker logs --tail 20 api, on the network host")
    try:
        nodes = read_nodes(body)
    except FactError as error:
        raise StepError(f"the Admin API {url} answers with {error.message}") from error
    return next((entry for entry in nodes if entry["node"].get("id") == step.resource.name), None)


def _settled(
    step: Step[NodeResource], answered: str | None, done: Callable[[Entry | None], bool]
) -> Generator[Command, Result, Entry | None]:
    """The node after a write. One whose answer was lost may still be in the API's queue: look thrice."""
    entry = yield from _find(step)
    for _ in range(0 if answered is not None else _LOOKS):
        if done(entry):
            break
        yield Pause(_BETWEEN)
        entry = yield from _find(step)
    return entry


def _is(entry: Entry, *, wanted: bool) -> bool:
    return attributes_of(entry)[ENABLED] is wanted


def _differences(step: Step[NodeResource], entry: Entry) -> tuple[AttributeChange, ...]:
    wanted = {key: value for key, value in step.resource.attributes().items() if key != ENABLED}
    return compare(wanted, Present(attributes_of(entry)))[1]


def _write(step: Step[NodeResource], entry: Entry | None) -> Generator[Command, Result, Entry]:
    """Create or replace the node's configuration and see what the API made of it.

    Raises:
        StepError: it was refused, or it is not what was asked for.
    """
    name = step.resource.name
    replaces = entry is not None and step.details.get("upserts")
    about, method, path = (
        (f"change node {name}", "PUT", f"/{name}") if replaces else (f"register node {name}", "POST", "")
    )
    if not replaces and (entry is not None or step.details.get("stored")):
        # A second entry of an id in the store: an older API serves both, a newer one can save nothing any more.
        yield from _discard(step)
        about = f"{about} again, which is not registered until then"
    answered = yield from _send(step, about, method, path, json.dumps(_body(step.resource, entry)))
    kept = yield from _settled(
        step, answered, lambda found: found is not None and not _differences(step, found)
    )
    missed = _differences(step, kept) if kept else ()
    if kept is None or missed:
        what = "; ".join(f"{item.name} is {item.before!r}, not {item.after!r}" for item in missed)
        said = "took the write" if answered else "gave no answer to the write, which was not repeated,"
        raise StepError(
            f"the Admin API {said} but does not have node {name} as declared: {what or 'it is not registered'}",
            hint="it drops models that are no governance models: compare with /v1/governance/models; then run again",
        )
    if not answered:
        yield Say(f"the API's answer was lost, but it has node {name} as declared")
    return kept


def _discard(step: Step[NodeResource]) -> Generator[Command, Result, str | None]:
    """Remove the node, and see that it is gone; what the API answered.

    Raises:
        StepError: it is still there.
    """
    name = step.resource.name
    answered = yield from _send(step, f"remove node {name}", "DELETE", f"/{name}")
    if (yield from _settled(step, answered, lambda found: found is None)) is not None:
        said = f"answered {answered.strip()}" if answered else "gave no answer"
        raise StepError(
            f"the Admin API {said}, but node {name} is still registered", hint="run converge again"
        )
    return answered


def _body(resource: NodeResource, entry: Entry | None) -> Mapping[str, Any]:
    """The whole object: an update replaces everything, so what we do not manage goes back as it is."""
    now: Entry = dict(entry["node"]) if entry else {}
    now.pop("node_num", None)
    wanted = {key: value for key, value in resource.attributes().items() if key != ENABLED}
    models = now.get("models") or {}
    wanted["models"] = {
        name: {**(models.get(name) or {}), **model} for name, model in wanted["models"].items()
    }
    return {**now, **wanted, "id": resource.name}


def _switch(step: Step[NodeResource], *, wanted: bool) -> Commands:
    """Enable or disable; the API forgets a disabled node's state at its own restart.

    Raises:
        StepError: the node is not registered, or the API does not show the new state.
    """
    name, verb = step.resource.name, "enable" if wanted else "disable"
    if (yield from _find(step)) is None:  # an older API never answers again when asked about an unknown id
        raise StepError(
            f"node {name} is not registered, so it was not asked to {verb} it", hint="run converge again"
        )
    answered = yield from _send(step, f"{verb} node {name}", "POST", f"/{name}/{verb}")
    entry = yield from _settled(step, answered, lambda found: found is not None and _is(found, wanted=wanted))
    if entry is None or not _is(entry, wanted=wanted):
        said = "took" if answered else "gave no answer to"
        raise StepError(
            f"the Admin API {said} {verb} of node {name}, but does not show it",
            hint="look again: gonka-state diff",
        )


def _delete(step: Step[NodeResource], entry: Entry | None) -> Commands:
    name = step.resource.name
    if entry is None and not step.details.get("stored"):
        yield Say(f"node {name} is not registered any more")
        return
    if entry is not None and not _is(entry, wanted=False):
        yield from _switch(step, wanted=False)
    answered = yield from _discard(step)
    if entry is not None and answered and answered.strip() == "false":
        yield Say(f"somebody else removed node {name} first")


def _send(
    step: Step[NodeResource], about: str, method: str, path: str, body: str = ""
) -> Generator[Command, Result, str | None]:
    """One write, never repeated. The answer's body, or None when it is not known whether it was done.

    Raises:
        StepError: the API refused, with its own words.
    """
    url = step.resource.api + NODES + path
    script = f"set -- {_WRITE} {method} {quote(url)}{_SEND}"
    result = yield Do(about, script, stdin=body, deadline=_WRITE + 15, check=False)
    status, answer = read_answer(Part(result.stdout, result.status))
    if status == 0 and result.status == _REFUSED:
        raise StepError(
            f"{about}: the Admin API does not answer: {result.words}", hint="is the container api running?"
        )
    if status == 0:
        return None
    if status not in {200, 201}:
        raise StepError(
            f"{about}: the Admin API refused with {status}: {words_of(answer)}",
            hint=_REFUSED_NEW if step.details.get("upserts") else _REFUSED_OLD,
        )
    return answer
