"""Changes as lines in columns: symbol, address, what differs, effect, and beneath what else there is to say."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from gonka_state.core.change import Action, Effect
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gonka_state.core.change import AttributeChange, Change
    from gonka_state.core.observation import Value

_SYMBOLS = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.DELETE: ("-", "red"),
    Action.UNKNOWN: ("?", "cyan"),
}
_EFFECT_COLORS = {
    Effect.SAFE: "green",
    Effect.DISRUPTIVE: "yellow",
    Effect.IRREVERSIBLE: "red",
    Effect.DESTRUCTIVE: "red",
}
_WIDEST_NAME = 62
_WIDEST_TEXT = 60
_NARROWEST_TEXT = 20


@dataclass(frozen=True, slots=True)
class _Row:
    symbol: str
    name: str
    text: str
    label: str
    label_color: str
    notes: tuple[str, ...] = ()
    diffs: tuple[AttributeChange, ...] = field(default=())


def render_changes(
    changes: Sequence[Change],
    style: Style,
    *,
    verbose: bool = False,
    texts: bool = True,
    first: Callable[[Change], str] = lambda _: "",
) -> list[str]:
    """One block of lines; its columns are as wide as its own content needs.

    `first` is said first beneath each. Without `texts` it is only said that a text differs, not how.
    """
    rows = [_row(change, style, first(change)) for change in changes]
    name_width = min(max((len(row.name) for row in rows), default=0), _WIDEST_NAME)
    label_width = max((len(row.label) for row in rows), default=0)
    room = _WIDEST_TEXT
    if style.width is not None:
        room = max(min(room, style.width - name_width - label_width - 8), _NARROWEST_TEXT)
    text_width = min(max((len(row.text) for row in rows), default=0), room)
    lines: list[str] = []
    for row in rows:
        text, notes = row.text, row.notes
        if len(text) > text_width:
            text, notes = "", (row.text, *notes)
        label = style.paint(row.label, row.label_color)
        lines.append(f"  {row.symbol} {row.name:<{name_width}}  {text:<{text_width}}  {label}".rstrip())
        lines += [f"      {style.paint(note, 'dim')}" for note in notes]
        for item in row.diffs if texts else ():
            lines += [f"        {line}" for line in unified(item, style, verbose=verbose)]
    return lines


def _row(change: Change, style: Style, first: str) -> _Row:
    diffs = tuple(item for item in change.attributes if is_text(item))
    said = [short(item) for item in change.attributes if item not in diffs]
    said += ["content differs"] if diffs else []
    reasons = [clean(change.reason)] if change.reason else []
    if change.action is Action.UNKNOWN or change.conditional or not said:
        said, reasons = reasons, []
    notes = [first, *reasons, *([f"held: {clean(change.held)}"] if change.held else [])]
    notes += [
        "" if change.warning else clean(change.maintenance),
        *(clean(line) for line in change.hint.splitlines()),
    ]
    label = _label(change)
    color = _EFFECT_COLORS[change.effect] if label == change.effect else "dim"
    return _Row(
        _symbol(change, style),
        clean(change.address.local),
        clean("; ".join(said)),
        label,
        color,
        tuple(filter(None, notes)),
        diffs,
    )


def _symbol(change: Change, style: Style) -> str:
    if change.warning or change.human:
        return style.paint("!", "yellow" if change.warning else "red")
    return style.paint(*_SYMBOLS[change.action])


def _label(change: Change) -> str:
    if change.warning:
        return "warning"
    if change.maintenance:
        return "left alone"
    if change.action is Action.UNKNOWN:
        return ""
    if change.human:
        return "a human closes this"
    return f"{change.effect}, if it differs then" if change.conditional else str(change.effect)


def is_text(item: AttributeChange) -> bool:
    """Whether a text of several lines differs."""
    return any(isinstance(value, str) and "\n" in value for value in (item.before, item.after))


def short(item: AttributeChange) -> str:
    """One attribute's difference in a line."""
    before, after = (
        "nobody" if item.name == "from" and not value else show(value) for value in (item.before, item.after)
    )
    return f"{item.name.removeprefix('variables.')} {before} → {after}"


def show(value: Value) -> str:
    """One value in a line."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return ", ".join(value) if value else "none"
    return value if isinstance(value, str) and value else json.dumps(value, sort_keys=True)


def unified(item: AttributeChange, style: Style, *, verbose: bool) -> Iterable[str]:
    """The difference between two texts, line by line; whole where `verbose`."""
    context = 10**6 if verbose else 1
    lines = difflib.unified_diff(_lines(item.before), _lines(item.after), lineterm="", n=context)
    # The first two name the sides; later ones that look alike are content.
    for raw in islice(lines, 2, None):
        line = clean(raw)
        color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        yield style.paint(line, color) if color else line


def _lines(text: Value) -> list[str]:
    """Lines as the file has them: a carriage return is a difference, not an end of line."""
    return str(text).removesuffix("\n").split("\n") if text else []
