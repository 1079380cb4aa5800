"""Whether the keys a host shows may be pinned: new, pinned already, or changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gonka_state.core.ssh_key import fingerprint

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@dataclass(frozen=True, slots=True)
class Key:
    """A host's public key: its type (`ssh-ed25519`) and its base64."""

    type: str
    data: str

    @property
    def fingerprint(self) -> str:
        """As every SSH program shows it.

        Raises:
            ValueError: the key is no base64.
        """
        return fingerprint(self.data)


class Verdict(StrEnum):
    """What is to be done about a host's keys."""

    PINNED = "pinned"
    NEW = "new"
    REPLACED = "replaced"
    CHANGED = "changed"
    OTHER = "not as given"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trust:
    """One host: what it shows, what is pinned. `keys` are those to pin."""

    host: str
    address: str
    verdict: Verdict
    shown: Sequence[Key] = ()
    pinned: Sequence[Key] = ()
    keys: Sequence[Key] = ()
    reason: str = ""
    hint: str = ""

    @property
    def pins(self) -> bool:
        """Whether keys of it shall be written down."""
        return self.verdict in {Verdict.NEW, Verdict.REPLACED}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator said: hosts whose keys may be replaced, and fingerprints known from elsewhere."""

    replace: Collection[str] = ()
    expected: Collection[str] = ()


def decide(host: str, address: str, shown: Sequence[Key], pinned: Sequence[Key], terms: Terms) -> Trust:
    """Judge one host's keys.

    Pinned is a host that shows one of its pinned keys and no other key of a pinned type: further types of
    it are left alone. Where fingerprints are expected, only such keys are pinned.
    """
    if pinned and host not in terms.replace:
        same = {key.fingerprint for key in pinned} & {key.fingerprint for key in shown}
        types = {key.type for key in pinned}
        other = [key for key in shown if key.type in types and key.fingerprint not in same]
        if same and not other:
            return Trust(host, address, Verdict.PINNED, shown, pinned)
        hint = f"only if it was reinstalled: gonka-state hosts trust --replace {host}; if not, do not connect"
        return Trust(
            host,
            address,
            Verdict.CHANGED,
            shown,
            pinned,
            reason="it shows another key than the pinned one",
            hint=hint,
        )
    keys = [key for key in shown if not terms.expected or key.fingerprint in terms.expected]
    if not keys:
        reason = "it shows none of the fingerprints given" if shown else "it shows no key of a type we know"
        return Trust(
            host,
            address,
            Verdict.OTHER,
            shown,
            pinned,
            reason=reason,
            hint="do not connect before you know why",
        )
    verdict = Verdict.REPLACED if pinned else Verdict.NEW
    return Trust(host, address, verdict, shown, pinned, keys)
