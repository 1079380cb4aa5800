"""May a change run? Consent for what cannot be taken back, and a safe phase of the chain for what disturbs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gonka_state.core.change import Effect

if TYPE_CHECKING:
    from collections.abc import Collection

    from gonka_state.core.chain import Chain
    from gonka_state.core.change import Change

NOT_NOW = "run it again later, or overrule with --ignore-phase REASON"

_DISTURBS = (Effect.DISRUPTIVE, Effect.DESTRUCTIVE)
_NEEDS_CONSENT = (Effect.IRREVERSIBLE, Effect.DESTRUCTIVE)


def disturbs(change: Change) -> bool:
    """Whether this change needs a safe phase of the chain."""
    return change.effect in _DISTURBS


@dataclass(frozen=True, slots=True)
class Gates:
    """What the command line allows, and what the chain is doing.

    Without `chain` no phase holds anything: there is none to ask, or the operator overruled it.
    """

    allowed: Collection[str] = ()
    chain: Chain | None = None

    def hold(self, change: Change) -> Change:
        """The change, held where its effect needs a consent that was not given, or another phase."""
        if not change.runnable:
            return change
        consent = change.consent or str(change.effect)
        if change.effect in _NEEDS_CONSENT and consent not in self.allowed:
            return replace(change, held=f"needs --allow {consent}")
        if disturbs(change) and self.chain is not None and self.chain.holds:
            return replace(change, held=f"not now: {self.chain.why}", hint=change.hint or NOT_NOW)
        return change
