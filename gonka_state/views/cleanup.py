"""What a cleanup leaves, in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = 3
_NEVER = ".inference, .tmkms, .dapi", "chain data, keys and node database: never deleted"


class Left(NamedTuple):
    """What is left of one kind: its names, on how many hosts, and why."""

    kind: str
    names: tuple[str, ...]
    hosts: int
    why: str


def render_left(left: Sequence[Left], style: Style) -> list[str]:
    """The lines below the plan: what stays, kind by kind; a reason that does not fit stands on a line of its own."""
    rows = [(_named(item), clean(item.why)) for item in left] + [_NEVER]
    wide = max(len(name) for name, _ in rows)
    lines = ["", style.paint("stays", "bold")]
    for name, why in rows:
        if style.width is None or wide + 4 + len(why) <= style.width:
            lines.append(f"  {name:<{wide}}  {style.paint(why, 'dim')}")
        else:
            lines += [f"  {name}", f"      {style.paint(why, 'dim')}"]
    return lines


def left_fields(left: Sequence[Left]) -> dict[str, list[dict[str, object]]]:
    """The same for programs: fields of the report (docs/json.md)."""
    return {"stays": [item._asdict() for item in left]}


def _named(item: Left) -> str:
    more = f" and {len(item.names) - _NAMES} more" if len(item.names) > _NAMES else ""
    hosts = f", {item.hosts} hosts" if item.hosts > 1 else ""
    return clean(f"{item.kind}: {', '.join(item.names[:_NAMES])}{more}{hosts}")
