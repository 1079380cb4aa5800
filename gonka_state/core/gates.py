"""May a change run? Consent for what cannot be taken back, named on the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.change import Effect

if TYPE_CHECKING:
    from collections.abc import Collection

    from gonka_state.core.change import Change

_NEEDS_CONSENT = (Effect.IRREVERSIBLE, Effect.DESTRUCTIVE)


def gate(change: Change, allowed: Collection[str]) -> Change:
    """Hold a change whose effect needs a consent that was not given."""
    if not change.runnable or change.effect not in _NEEDS_CONSENT:
        return change
    consent = change.consent or str(change.effect)
    if consent in allowed:
        return change
    return replace(change, held=f"needs --allow {consent}")
