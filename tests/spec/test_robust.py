"""No input makes load end in anything but a result or an InputError."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gonka_state.errors import InputError
from gonka_state.spec.load import load
from gonka_state.spec.problems import Problems
from gonka_state.spec.tree import Node, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from gonka_state.resources.base import Resource

SMALL = (Path(__file__).parent / "small.yaml").read_text()
TREE = parse(SMALL, "small.yaml", Problems())
ENV = {"PASSWORD": "long enough", "PATH": os.environ["PATH"]}


def paths(node: Node, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [here]
    for name, child in (node.entries or {}).items():
        found += paths(child, (*here, name))
    for index, child in enumerate(node.items or ()):
        found += paths(child, (*here, index))
    return found


assert TREE is not None
PLACES = [path for path in paths(TREE) if path]
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.floats(),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8),
    st.sampled_from(
        [
            [],
            {},
            [[]],
            [None],
            {"env": "A"},
            {"file": "."},
            {"from": []},
            {"": ""},
            "any",
            "/a",
            "a/b",
            "~",
            "~x/y",
        ]
    ),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
words = st.sampled_from(
    ["resources", "files", "template", "vars", "content", "node", "host", "models", "needs", "kind", "name", "topic",
     "minimum", "blocks", "gpus", "cache", "args", "firewall", "rules", "from", "services", "directories",
     "requirements", "repository", "run", "timeouts", "maintenance", "managed", "address"]
)  # fmt: skip


def put(tree: Any, path: tuple[str | int, ...], value: Any) -> None:  # noqa: ANN401  (any plain value)
    for part in path[:-1]:
        tree = tree[part]
    tree[path[-1]] = value


@settings(max_examples=150)
@given(data=st.data())
def test_a_cluster_with_anything_anywhere(
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
    models: Mapping[str, type[Resource]],
) -> None:
    tree = YAML(typ="safe").load(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(PLACES))
        if data.draw(st.booleans()):
            path = (*path[:-1], data.draw(words)) if isinstance(path[-1], str) else path
        with contextlib.suppress(LookupError, TypeError):  # an earlier change has taken the place away
            put(tree, path, data.draw(values))
    file = tmp_path_factory.mktemp("any") / "small.yaml"
    with file.open("w") as stream:
        YAML().dump(tree, stream)
    with contextlib.suppress(InputError):
        load([file], models=models, env=ENV)


@settings(max_examples=150)
@given(
    at=st.integers(0, len(SMALL)),
    text=st.text(alphabet=st.characters(codec="utf-8"), max_size=6),
    gone=st.integers(0, 30),
)
def test_a_cluster_with_any_text_in_it(
    at: int,
    text: str,
    gone: int,
    tmp_path_factory: pytest.TempPathFactory,
    models: Mapping[str, type[Resource]],
) -> None:
    file = tmp_path_factory.mktemp("any") / "small.yaml"
    file.write_bytes((SMALL[:at] + text + SMALL[at + gone :]).encode())
    with contextlib.suppress(InputError):
        load([file], models=models, env={})
