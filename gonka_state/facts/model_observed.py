"""What a look says about declared models, and which ones nobody declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Unmanaged
from gonka_state.core.units import human_bytes
from gonka_state.facts.model_cache import Cached, ModelsState, folder, judge, slug

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
        return Unknown(f"{home} was not looked at", hint="take a new snapshot: gonka-state observe")
    model = state.homes[home].get(resource.name, Cached())
    running = state.units.get(slug(resource.name)) == "running"
    notes = ["a download is running"] if running else _leftover(model)
    if not (model.snapshots or model.blobs or model.unfinished):
        return Absent(reason="; ".join(notes))
    if resource.revision not in model.snapshots and model.snapshots:
        return _other_revision(model, notes)
    return _judged(model, resource, notes)


def _other_revision(model: Cached, notes: list[str]) -> Present:
    others = sorted(model.snapshots)
    sizes = ", ".join(f"{commit[:12]} with {human_bytes(model.size_of(commit))}" for commit in others)
    return Present(
        {"revision": ", ".join(others)}, reason="; ".join([*notes, f"other revision on disk: {sizes}"])
    )


def _judged(model: Cached, resource: ModelResource, notes: list[str]) -> Present:
    verdict = judge(model, resource.revision)
    root = f"{resource.home}/hub/{folder(resource.name)}/snapshots/{resource.revision}"
    details = {"truncated": {f"{root}/{bad.path}": bad.size for bad in verdict.truncated}}
    if verdict.complete:
        return Present({"revision": resource.revision}, details, reason="; ".join(notes))
    lacks = [f"missing {_some(verdict.missing)}"] if verdict.missing else []
    reasons = [*lacks, *map(str, verdict.truncated[:3]), *notes]
    return Present({"revision": f"partial, {verdict.bytes}"}, details, reason="; ".join(reasons))


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
