"""A checklist: what was checked on each host, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gonka_state.core.report import ExitStatus


class Verdict(StrEnum):
    """How one check ended, the best first. `blocked`: a deployment must wait; `failed`: a deployed cluster is not well."""

    OK = "ok"
    WARN = "warn"
    BLOCKED = "blocked"
    FAILED = "failed"
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
    """One cluster's checklist; `seconds` to connect and look. `command` is the word that made it.

    `bad` is the verdict that a line of it may have beside ok, warn and unknown.
    """

    cluster: str
    lab: bool
    hosts: tuple[HostChecks, ...]
    seconds: float = 0.0
    command: str = "check"
    bad: Verdict = Verdict.BLOCKED

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts its lines may have, the best first."""
        return (Verdict.OK, Verdict.WARN, self.bad, Verdict.UNKNOWN)

    def count(self, verdict: Verdict) -> int:
        """How many checks ended so."""
        return sum(1 for host in self.hosts for check in host.checks if check.verdict is verdict)


def checklist_status(checklist: Checklist) -> ExitStatus:
    """The exit status: as for a diff, what blocks or failed is pending, and a warning changes nothing."""
    if checklist.hosts and not any(host.reached for host in checklist.hosts):
        return ExitStatus.ERROR
    if checklist.count(Verdict.UNKNOWN):
        return ExitStatus.PARTIAL
    bad = checklist.count(Verdict.BLOCKED) + checklist.count(Verdict.FAILED)
    return ExitStatus.PENDING if bad else ExitStatus.OK
