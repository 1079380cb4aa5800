"""JSON Schema of a cluster file, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from gonka_state.spec.words import Cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.resources.base import Resource

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(models: Mapping[str, type[Resource]]) -> dict[str, Any]:
    """The schema of one file, not of the whole it becomes.

    So nothing is required (a lower layer may say it) and everything may be null (which unsets). Only raw
    `resources` are whole where they stand: lists replace each other.
    """
    words: dict[str, Any] = Cluster.model_json_schema()
    definitions = {name: _layer(entry) for name, entry in words.pop("$defs").items()}
    raw, resources = _resources(models)
    definitions["Role"]["properties"]["resources"] = definitions["Host"]["properties"]["resources"] = (
        resources
    )
    whole = _layer(words) | {
        "title": "A cluster of gonka-state",
        "$defs": dict(sorted({**definitions, **raw}.items())),
    }
    return {"$schema": DIALECT, **whole}


def _layer(model: dict[str, Any]) -> dict[str, Any]:
    """A model's schema as a layer has it."""
    loose = {name: value for name, value in model.items() if name not in {"required", "minProperties"}}
    if "properties" in loose:
        loose["properties"] = {name: _nullable(entry) for name, entry in loose["properties"].items()}
    return loose


def _nullable(entry: dict[str, Any]) -> dict[str, Any]:
    inner = {
        name: value for name, value in entry.items() if name not in {"default", "minProperties", "title"}
    }
    if isinstance(inner.get("additionalProperties"), dict):
        inner["additionalProperties"] = _nullable(inner["additionalProperties"])
    if "patternProperties" in inner:
        named = inner["patternProperties"].items()
        inner["patternProperties"] = {name: _nullable(value) for name, value in named}
        inner["additionalProperties"] = False
    default = entry.get("default")
    kept = {"default": default} if isinstance(default, (str, int, float)) else {}
    choices = inner.get("anyOf", [inner])
    return kept | {"anyOf": choices if {"type": "null"} in choices else [*choices, {"type": "null"}]}


def _resources(models: Mapping[str, type[Resource]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Definitions of raw resources, and the schema of a list of them: told apart by `kind`."""
    wanted = [models[kind] for kind in sorted(models)]
    references, found = models_json_schema(
        [(model, "validation") for model in wanted], ref_template="#/$defs/{model}"
    )
    definitions: dict[str, Any] = found.get("$defs", {})
    branches = []
    for model in wanted:
        reference = references[model, "validation"]
        entry = definitions[reference["$ref"].rpartition("/")[2]]
        entry["properties"] = {"kind": {"const": model.kind}, **entry["properties"]}
        entry["required"] = ["kind", *entry.get("required", [])]
        branches.append(reference)
    return definitions, {"type": "array", "items": {"oneOf": branches}}
