"""What a look says about declared models, and which ones nobody declared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Unmanaged, not_looked_at
from gonka_state.core.units import human_bytes
from gonka_state.facts.model_cache import (
    Cached,
    Damaged,
    ModelsState,
    Truncated,
    folder,
    judge,
    slug,
    to_fetch,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.model import ModelResource


def observe_model(state: ModelsState, resource: ModelResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """Absent, or present with what is there as `revision`: the commit, `partial, …`, or other commits."""
    home = resource.home
    if home in state.unmounted:
        return Unknown(
            f"{state.unmounted[home]} is in /etc/fstab but not mounted", hint=f"mount {state.unmounted[home]}"
        )
    if home in state.unreadable:
        return Unknown(
            f"{home} cannot be listed: {state.unreadable[home]}",
            hint="see to the file system, then look again",
        )
    if home not in state.homes:
        return not_looked_at(home)
    model = state.homes[home].get(resource.name, Cached())
    if resource.state == "absent":
        there = model.snapshots or model.blobs or model.unfinished
        return Present({}, reason=f"{human_bytes(model.size)} in {home}") if there else Absent()
    running = state.units.get(slug(resource.name)) == "running"
    notes = ["a download is running"] if running else _leftover(model)
    if not (model.snapshots or model.blobs or model.unfinished):
        return Absent(reason="; ".join([*_to_fetch(state, model, resource), *notes]))
    seen: Present | Unknown
    if resource.revision in model.snapshots or not model.snapshots:
        seen = _judged(state, model, resource, notes)
    else:
        seen = _other_revision(state, model, resource, notes)
    return _with_name(seen, model, resource)


def _with_name(seen: Present | Unknown, model: Cached, resource: ModelResource) -> Observation:
    """The name under which an ML node finds the revision, beside the revision itself."""
    if resource.ref is None or isinstance(seen, Unknown):
        return seen
    named = model.refs.get(resource.ref)
    found = resource.ref if named == resource.revision else named and f"{resource.ref} is {named[:12]}"
    return replace(seen, attributes={**seen.attributes, "ref": found})


def _to_fetch(state: ModelsState, model: Cached, resource: ModelResource) -> list[str]:
    size = to_fetch(model, resource.revision)
    if size is None:
        return ["the hub did not say how large it is"]
    free = state.free.get(resource.home)
    short = "" if free is None or size < free else f", and only {human_bytes(free)} free"
    return [f"{human_bytes(size)} to fetch{short}"]


def _other_revision(state: ModelsState, model: Cached, resource: ModelResource, notes: list[str]) -> Present:
    others = sorted(model.snapshots)
    sizes = ", ".join(f"{commit[:12]} with {human_bytes(model.size_of(commit))}" for commit in others)
    reasons = [*_to_fetch(state, model, resource), *notes, f"other revision on disk: {sizes}"]
    return Present({"revision": ", ".join(others)}, reason="; ".join(reasons))


def _judged(
    state: ModelsState, model: Cached, resource: ModelResource, notes: list[str]
) -> Present | Unknown:
    verdict = judge(model, resource.revision)
    if verdict.complete and verdict.unverified:
        return Unknown(
            f"no checksum is known for {_some(verdict.unverified)}",
            hint="the client that fetched it kept no listing, and a copied file's name says nothing",
        )
    root = f"{resource.home}/hub/{folder(resource.name)}/snapshots/{resource.revision}"
    bad: tuple[Truncated | Damaged, ...] = (*verdict.truncated, *verdict.damaged)
    details = {
        "bad": {f"{root}/{item.path}": item.size for item in bad},
        "again": sum(item.size for item in verdict.damaged),
    }
    if verdict.complete:
        return Present({"revision": resource.revision}, details, reason="; ".join(notes))
    lacks = [f"missing {_some(verdict.missing)}"] if verdict.missing else []
    left = _to_fetch(state, model, resource) if to_fetch(model, resource.revision) is not None else []
    reasons = [*left, *lacks, *map(str, bad[:3]), *notes]
    found = f"partial, {verdict.bytes}"
    if not (verdict.missing or verdict.truncated):
        found = f"damaged, {len(verdict.damaged)} of {len(model.snapshots[resource.revision])} files"
    return Present({"revision": found}, details, reason="; ".join(reasons))


def _some(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _leftover(model: Cached) -> list[str]:
    """A download that was killed leaves its file; the client never goes on with it nor removes it."""
    count = len(model.unfinished)
    return (
        [f"{human_bytes(_unfinished(model))} in {count} unfinished file{'s' * (count != 1)}"] if count else []
    )


def _unfinished(model: Cached) -> int:
    return sum(min(entry.size or 0, entry.disk) for entry in model.unfinished.values())


def unmanaged_models(state: ModelsState, declared: Sequence[ModelResource], here: Here) -> list[Unmanaged]:
    """Models, and further revisions of declared ones, that nobody declares, with their bytes."""
    wanted = {(resource.home, resource.name): resource.revision for resource in declared}
    found: list[Unmanaged] = []
    for home, models in sorted(state.homes.items()):
        for name, model in sorted(models.items()):
            revision = wanted.get((home, name))
            if revision is None:
                found.append(Unmanaged(here.host, "model", name, f"{human_bytes(model.size)} in {home}"))
                continue
            for commit in sorted(set(model.snapshots) - {revision}):
                size = human_bytes(model.size_of(commit, besides=revision))
                found.append(Unmanaged(here.host, "model", f"{name}@{commit}", f"{size} in {home}"))
            if state.units.get(slug(name)) != "running":
                found.extend(
                    Unmanaged(here.host, "model", f"{name} (unfinished)", text) for text in _leftover(model)
                )
    return found
