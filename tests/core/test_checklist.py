"""A checklist's exit status: as a diff's, so that scripts need no second table."""

from __future__ import annotations

import pytest

from gonka_state.core.checklist import Check, Checklist, HostChecks, Verdict, checklist_status
from gonka_state.core.report import ExitStatus

OK, WARN, BLOCKED, FAILED, UNKNOWN = (
    HostChecks(verdict, "10.0.0.1", (Check("a", Verdict.OK), Check("b", verdict))) for verdict in Verdict
)
OFF = HostChecks("off", "10.0.0.2", (Check("connection", Verdict.UNKNOWN, "is off"),), reached=False)


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        ((), ExitStatus.OK),
        ((OK, WARN), ExitStatus.OK),
        ((OK, BLOCKED), ExitStatus.PENDING),
        ((OK, FAILED), ExitStatus.PENDING),
        ((BLOCKED, UNKNOWN), ExitStatus.PARTIAL),
        ((FAILED, UNKNOWN), ExitStatus.PARTIAL),
        ((OK, OFF), ExitStatus.PARTIAL),
        ((OFF, OFF), ExitStatus.ERROR),
    ],
)
def test_status(hosts: tuple[HostChecks, ...], status: ExitStatus) -> None:
    assert checklist_status(Checklist("c", True, hosts)) == status  # noqa: FBT003 (a field, not a switch)
