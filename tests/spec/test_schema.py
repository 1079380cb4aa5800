"""The JSON Schema in docs is the one of today's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.spec.schema import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.resources.base import Resource

FILE = Path(__file__).parents[2] / "docs" / "schema" / "cluster.schema.json"


def test_the_schema_in_docs_is_todays(models: Mapping[str, type[Resource]]) -> None:
    fresh = json.dumps(schema(models), indent=2) + "\n"
    assert FILE.read_text() == fresh, "write it anew: gonka-state schema > docs/schema/cluster.schema.json"


def test_a_layer_requires_nothing_and_may_unset_everything(models: Mapping[str, type[Resource]]) -> None:
    found = schema(models)
    assert "required" not in found
    assert {"type": "null"} in found["properties"]["hosts"]["anyOf"]
    assert "required" not in found["$defs"]["Host"]
    host = next(iter(found["properties"]["hosts"]["anyOf"][0]["patternProperties"].values()))
    assert host == {"anyOf": [{"$ref": "#/$defs/Host"}, {"type": "null"}]}


def test_a_raw_resource_is_told_apart_by_its_kind(models: Mapping[str, type[Resource]]) -> None:
    found = schema(models)
    branches = found["$defs"]["Role"]["properties"]["resources"]["items"]["oneOf"]
    assert len(branches) == len(models)
    kinds = {
        found["$defs"][branch["$ref"].rpartition("/")[2]]["properties"]["kind"]["const"]
        for branch in branches
    }
    assert kinds == set(models)


def test_every_reference_leads_somewhere(models: Mapping[str, type[Resource]]) -> None:
    found = schema(models)
    text = json.dumps(found)
    names = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names <= found["$defs"].keys()
