"""Drafts turned into resources by their models; what depends on what must be there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from gonka_state.core.address import Address
from gonka_state.core.desired import Declared
from gonka_state.core.kept import NEVER_DELETED, NEVER_WRITTEN, is_data, is_signers
from gonka_state.core.units import parse_size
from gonka_state.resources.env_file import EnvFileResource
from gonka_state.resources.file import FileResource
from gonka_state.resources.file_block import FileBlockResource
from gonka_state.spec.expand_requirement import WITH_SIZES
from gonka_state.spec.problems import did_you_mean
from gonka_state.spec.validate import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonka_state.resources.base import Resource
    from gonka_state.spec.drafts import Draft
    from gonka_state.spec.problems import Problems

_RATIO = re.compile(r"[0-9]+(\.[0-9]+)?")


def build(
    drafts: Iterable[Draft], models: Mapping[str, type[Resource]], problems: Problems
) -> dict[Address, Declared[Resource]]:
    """Make every resource; what is wrong with one is said at its place, and the others go on."""
    found: dict[Address, Declared[Resource]] = {}
    made: list[tuple[Address, Draft]] = []
    for draft in drafts:
        resource = _make(draft, models, problems)
        if resource is None:
            continue
        address = Address(draft.host, draft.kind, resource.name)
        if address in found and "about" in draft.data:
            continue  # two hosts' nodes with one id: said where the ids are checked
        if address in found:
            problems.add(draft.node.where, f"{address} is already declared at {found[address].source}")
            continue
        found[address] = Declared(address, resource, draft.node.where, draft.withheld)
        made.append((address, draft))
    for address, draft in made:
        _needs(address, draft, found, models, problems)
    return found


def _make(draft: Draft, models: Mapping[str, type[Resource]], problems: Problems) -> Resource | None:
    model = models.get(draft.kind)
    if model is None:
        node = draft.node.get("kind")
        what = f"no kind {draft.kind!r}" if draft.kind else "missing key 'kind'"
        problems.add(
            draft.node.where if node is None else node.source, what, did_you_mean(draft.kind, models)
        )
        return None
    try:
        resource = model.model_validate(draft.data)
    except ValidationError as error:
        if problems.inside(draft.node):
            return None
        report(error.errors(include_url=False), draft.node, problems, model.model_json_schema())
        return None
    if resource.state == "absent" and not model.removable:
        problems.add(
            draft.node.deepest(["state"]).source,
            f"a {draft.kind} is never removed; take it out of the YAML and remove it by hand",
        )
    _spare(resource, draft, problems)
    if draft.kind == "requirement":
        _requirement(draft, models, problems)
    return resource


def _spare(resource: Resource, draft: Draft, problems: Problems) -> None:
    """Refuse what would remove chain data or keys, or write into the signer's directory."""
    match resource:
        case FileResource(state="absent") if is_data(resource.name):
            problems.add(draft.node.deepest(["state"]).source, f"{resource.name} {NEVER_DELETED}")
        case FileResource(content=str()) | FileBlockResource() if is_signers(resource.name):
            problems.add(draft.node.deepest(["content"]).source, f"{resource.name} {NEVER_WRITTEN}")
        case EnvFileResource() if is_signers(resource.name):
            problems.add(draft.node.deepest(["variables"]).source, f"{resource.name} {NEVER_WRITTEN}")


def _requirement(draft: Draft, models: Mapping[str, type[Resource]], problems: Problems) -> None:
    for item in (draft.node.get("blocks") or draft.node).items or ():
        if item.scalar not in models:
            problems.add(item.source, f"no kind {item.raw!r}", did_you_mean(item.raw, models))
    for bound in ("minimum", "maximum"):
        value = draft.data.get(bound)
        if isinstance(value, str) and (wrong := _bound(draft.data["topic"], value)):
            problems.add(draft.node.deepest([bound]).source, wrong)


def _bound(topic: str, value: str) -> str:
    """What is wrong with a bound that a topic must be able to compare as a number; empty for nothing."""
    if topic == "memory-ratio" and not _RATIO.fullmatch(value):
        return f"{value!r} is no ratio: expected for example 1.5"
    if topic in WITH_SIZES:
        try:
            parse_size(value)
        except ValueError as error:
            return str(error)
    return ""


def _needs(
    address: Address,
    draft: Draft,
    found: Mapping[Address, Declared[Resource]],
    models: Mapping[str, type[Resource]],
    problems: Problems,
) -> None:
    """Check the needs that somebody wrote; those we add ourselves name what the same words declare."""
    for item in (draft.node.deepest(["needs"]).items if draft.node.get("needs") else None) or ():
        try:
            wanted = Address.parse(item.raw, host=draft.home or draft.host).plain()
        except ValueError as error:
            problems.add(item.source, str(error))
            continue
        if wanted in found:
            continue
        near = did_you_mean(wanted.local, (other.local for other in found if other.host == wanted.host))
        if wanted.kind not in models:
            near = did_you_mean(wanted.kind, models)
        problems.add(item.source, f"{address} needs {wanted}, which is not declared", near)
