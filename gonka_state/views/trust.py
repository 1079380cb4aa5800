"""Host keys as a person compares them: one line per key, its fingerprint as SSH programs show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.trust import Key, Trust, Verdict
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLORS = {
    Verdict.PINNED: "green",
    Verdict.NEW: "yellow",
    Verdict.REPLACED: "yellow",
    Verdict.UNKNOWN: "cyan",
}
_BEFORE = "pinned so far"
_WIDTH = max(len(word) for word in (*Verdict, _BEFORE))


def render_trust(found: Sequence[Trust], style: Style) -> str:
    """Every host with its keys and what is to be done about them."""
    lines: list[str] = []
    for trust in found:
        lines += [f"{style.paint(clean(trust.host), 'bold')}  {clean(trust.address)}"]
        lines += [f"  {text}".rstrip() for text in _keys(trust, style)]
        lines += [f"      {clean(text)}" for text in (trust.reason, trust.hint) if text]
    return "\n".join(lines)


def _keys(trust: Trust, style: Style) -> list[str]:
    word = style.paint(f"{trust.verdict:<{_WIDTH}}", _COLORS.get(trust.verdict, "red"))
    known = {key.fingerprint for key in trust.pinned}
    if trust.verdict is Verdict.PINNED:
        return [f"{word}  {_key(key)}" for key in trust.shown if key.fingerprint in known]
    lines = [f"{word}  {_key(key)}" for key in (trust.keys if trust.pins else trust.shown)] or [word]
    if trust.verdict in {Verdict.CHANGED, Verdict.REPLACED}:
        lines += [f"{_BEFORE:<{_WIDTH}}  {_key(key)}" for key in trust.pinned]
    return lines


def _key(key: Key) -> str:
    kind = key.type.removeprefix("ssh-").removeprefix("ecdsa-sha2-")
    return f"{kind:<9} {key.fingerprint}"


def trust_summary(found: Sequence[Trust]) -> str:
    """The last line: how many of each."""
    counts = {verdict: sum(1 for trust in found if trust.verdict is verdict) for verdict in Verdict}
    said = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    return f"Trust: {', '.join(said) or 'no host'}"
