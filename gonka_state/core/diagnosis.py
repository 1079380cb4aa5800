"""A diagnosis: which known symptoms were looked for on each host, what was found, what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gonka_state.core.report import ExitStatus


class Verdict(StrEnum):
    """How the question for one symptom ended. What could not be seen is not `clear`."""

    FOUND = "found"
    UNKNOWN = "unknown"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one question. `fix` is what to do: lines, commands on their own."""

    verdict: Verdict
    evidence: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One symptom on one host. `asked` is what was looked at, `meaning` what it does to the operator."""

    symptom: str
    asked: str
    meaning: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class HostDiagnosis:
    """One host's lines. `reached` is whether it answered the look."""

    host: str
    address: str
    lines: tuple[Line, ...]
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One cluster's diagnosis; `seconds` to connect and look."""

    cluster: str
    lab: bool
    hosts: tuple[HostDiagnosis, ...]
    seconds: float = 0.0

    def count(self, verdict: Verdict) -> int:
        """How many questions ended so."""
        return sum(1 for host in self.hosts for line in host.lines if line.finding.verdict is verdict)


def found(evidence: str, fix: str = "") -> Finding:
    """It is there."""
    return Finding(Verdict.FOUND, evidence, fix)


def unknown(reason: str, fix: str = "") -> Finding:
    """Nobody can tell."""
    return Finding(Verdict.UNKNOWN, reason, fix)


def clear(evidence: str = "") -> Finding:
    """It was looked for and is not there."""
    return Finding(Verdict.CLEAR, evidence)


def diagnosis_status(diagnosis: Diagnosis) -> ExitStatus:
    """The exit status: a host without an answer is a symptom, and everything else on it is unknown."""
    if diagnosis.hosts and not any(host.reached for host in diagnosis.hosts):
        return ExitStatus.ERROR
    if diagnosis.count(Verdict.UNKNOWN) or not all(host.reached for host in diagnosis.hosts):
        return ExitStatus.PARTIAL
    return ExitStatus.PENDING if diagnosis.count(Verdict.FOUND) else ExitStatus.OK
