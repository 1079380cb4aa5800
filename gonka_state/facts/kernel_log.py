"""Known messages of a host's kernel in its last day, as one section: GPU errors, processes killed for memory, disks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.base import quote, split_parts
from gonka_state.facts.known_messages import KERNEL, UNREAD, counted, expression
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from gonka_state.facts.snapshot import HostLook

SECTION = "kernel-log"
PERIOD = "-24h"

# A container shows no log of the kernel, which is its machine's: asking there would only ever say nothing.
_SCRIPT = r"""
inside() { systemd-detect-virt --container || true; }
messages() {
  command -v journalctl >/dev/null || { echo 'journalctl is not installed' >&2; return 127; }
  [ -n "$(journalctl -k -q -n 1 -o cat --no-pager)" ] || { echo 'the journal holds nothing of the kernel' >&2; return 1; }
  { journalctl -k -q --since "$PERIOD" -o cat --no-pager 2>/dev/null || echo "$UNREAD"; } |
    grep -aoE -- "$MESSAGES" | sort | uniq -c | sort -rn | head -n 60
}
"""


@dataclass(frozen=True, slots=True)
class KernelLog:
    """What the kernel said of what is known, by name and text. `inside` names a container that shows no such log."""

    inside: str = ""
    said: dict[str, dict[str, int]] = field(default_factory=dict)


def script() -> str:
    """POSIX sh: the journal of one day."""
    values = {"UNREAD": UNREAD, "PERIOD": PERIOD, "MESSAGES": expression(KERNEL)}
    return "\n".join(
        (
            _SCRIPT,
            *(f"{name}={quote(value)}" for name, value in values.items()),
            "part inside inside",
            "part messages messages",
        )
    )


def parse(text: str) -> KernelLog:
    """Understand the section.

    Raises:
        FactError: it was cut short, or the journal cannot be read.
    """
    parts = split_parts(text)
    inside = parts.told("inside").text.strip()
    if inside not in {"", "none"}:
        return KernelLog(inside=inside)
    lines = parts.need("messages").lines
    if any(line.endswith(f" {UNREAD}") for line in lines):
        raise FactError("the kernel's journal cannot be read")
    return KernelLog(said=counted(lines, KERNEL))


def read(look: HostLook | None) -> KernelLog | str:
    """What a host's look says, or why it says nothing."""
    return understood(look, SECTION, parse)
