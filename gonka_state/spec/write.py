"""Cluster words turned into the text of a cluster file."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "# yaml-language-server: $schema=../docs/schema/cluster.schema.json\n"


def as_yaml(words: Mapping[str, Any]) -> str:
    """A cluster file's text, with an empty line before each word of the top level."""
    yaml = YAML()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.ignore_aliases = lambda _: True
    text = StringIO()
    yaml.dump(dict(words), text)
    return re.sub(r"(?m)^(?=[a-z_]+:)", "\n", text.getvalue())


def in_one_line(words: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same map, to be written as `{…}`."""
    found = CommentedMap(words)
    found.fa.set_flow_style()
    return found


def reference(cluster: str, name: str) -> dict[str, str]:
    """A value of a cluster that only the operator knows; `name` is such as PUBLIC_HOST."""
    return {"env": f"GONKA_{name}_{cluster.upper().replace('-', '_')}"}
