"""The checklist before a deployment: what was checked on each host, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gonka_state.core.report import ExitStatus


class Verdict(StrEnum):
    """How one check ended, the best first."""

    OK = "ok"
    WARN = "warn"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `evidence` is what was found, `hint` what to do (lines, commands on their own)."""

    name: str
    verdict: Verdict
    evidence: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HostChecks:
    """One host's lines. `reached` is whether it answered the look."""

    host: str
    address: str
    checks: tuple[Check, ...]
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Checklist:
    """One cluster's checklist; `seconds` to connect and look."""

    cluster: str
    lab: bool
    hosts: tuple[HostChecks, ...]
    seconds: float = 0.0

    def count(self, verdict: Verdict) -> int:
        """How many checks ended so."""
        return sum(1 for host in self.hosts for check in host.checks if check.verdict is verdict)


def checklist_status(checklist: Checklist) -> ExitStatus:
    """The exit status: as for a diff, what blocks is pending, and a warning changes nothing."""
    if checklist.hosts and not any(host.reached for host in checklist.hosts):
        return ExitStatus.ERROR
    if checklist.count(Verdict.UNKNOWN):
        return ExitStatus.PARTIAL
    return ExitStatus.PENDING if checklist.count(Verdict.BLOCKED) else ExitStatus.OK
