"""The model hub's own answers: which files a revision has, and how large they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonka_state.resources.model import PUBLIC_HUB

if TYPE_CHECKING:
    from gonka_state.resources.model import ModelResource


def hub_of(resource: ModelResource) -> str:
    """The hub that a model comes from."""
    return (resource.endpoint or PUBLIC_HUB).rstrip("/")


def listing_url(hub: str, model: str, revision: str) -> str:
    """Where the hub lists a revision's files: the first page, 1000 of them."""
    return f"{hub}/api/models/{model}/tree/{revision}?recursive=true"


def listed(body: str) -> dict[str, int] | None:
    """Sizes in bytes by the name under `blobs/`; None when the answer is no listing."""
    try:
        return {_blob(entry): int(entry["size"]) for entry in json.loads(body) if entry.get("type") == "file"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _blob(entry: dict[str, Any]) -> str:
    """The name under `blobs/` of a listed file: sha256 of a large one, git's name of a small one."""
    large = entry.get("lfs") or {}
    return str(large.get("oid") or entry["oid"])
