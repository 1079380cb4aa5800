"""What a model is served with: arguments in the only form that Gonka reads right."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonka_state.core.desired import Source
    from gonka_state.spec.problems import Problems
    from gonka_state.spec.tree import Node

_PARALLEL = ("--tensor-parallel-size", "--pipeline-parallel-size")
_SHORT = re.compile(r"-[A-Za-z]")


def _args(model: Node) -> tuple[Node, ...]:
    args = model.get("args")
    items = (args.items if args is not None else None) or ()
    return tuple(item for item in items if isinstance(item.scalar, str))


def check_args(name: str, model: Node, problems: Problems) -> None:
    """Refuse what the merge with the chain's own arguments loses: `--key=value`, short options, second values.

    Source: gonka-contract 1.8.
    """
    seen: set[str] = set()
    key, values = "", 0
    for item in _args(model):
        text = str(item.scalar)
        if text.startswith("--"):
            option, equals, value = text.partition("=")
            if equals:
                what = f"write {option!r} and {value!r} as two items: as one, Gonka takes all of it for a key"
                problems.add(item.source, what)
            if option in seen:
                problems.add(item.source, f"{option} is given twice for {name}")
            seen.add(option)
            key, values = option, 1 if equals else 0
        elif _SHORT.match(text):
            problems.add(item.source, f"write {text!r} in its long form: Gonka drops short options")
            key, values = text, 0
        else:
            values += 1
            if not key:
                problems.add(item.source, f"{text!r} follows no option")
            elif values > 1:
                problems.add(item.source, f"{text!r} is a second value of {key}: Gonka keeps only the first")


def gpus_per_instance(model: Node) -> tuple[int, Source]:
    """Cards that one vLLM instance takes, and where that is said; 0 when it is not a number."""
    need, place = 1, model.where
    args = _args(model)
    for option, value in pairwise(args):
        if option.scalar in _PARALLEL:
            place = value.source
            need *= int(str(value.scalar)) if re.fullmatch(r"[0-9]{1,4}", str(value.scalar)) else 0
    return need, place
