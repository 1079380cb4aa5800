"""What a cleanup leaves, in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = 3


class Left(NamedTuple):
    """What is left of one kind: its names, on how many hosts, and why."""

    kind: str
    names: tuple[str, ...]
    hosts: int
    why: str


def render_left(left: Sequence[Left], style: Style) -> list[str]:
    """The lines below the plan: what stays, kind by kind."""
    named = [_named(item) for item in left]
    wide = max(map(len, named), default=0)
    lines = [
        f"  {name:<{wide}}  {style.paint(clean(item.why), 'dim')}"
        if style.width is None or wide + 4 + len(item.why) <= style.width
        else f"  {name}\n      {style.paint(clean(item.why), 'dim')}"
        for name, item in zip(named, left, strict=True)
    ]
    last = f"  {'.inference, .tmkms, .dapi':<{wide}}  {style.paint('chain data, keys and node database: never deleted', 'dim')}"
    return ["", style.paint("stays", "bold"), *lines, last]


def _named(item: Left) -> str:
    more = f" and {len(item.names) - _NAMES} more" if len(item.names) > _NAMES else ""
    hosts = f", {item.hosts} hosts" if item.hosts > 1 else ""
    return clean(f"{item.kind}: {', '.join(item.names[:_NAMES])}{more}{hosts}")
