"""What every test needs: hypothesis that answers the same twice, and one place that decides about the lab."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from gonka_state import lab

if TYPE_CHECKING:
    from collections.abc import Sequence

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("dev", deadline=None, max_examples=50)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-lab", action="store_true", help="leave out the tests on real hosts")


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Tests on real hosts run last, and where they cannot run they say why."""
    mine = [item for item in items if item.get_closest_marker("lab")]
    if not mine:
        return
    reason = "left out by --no-lab" if config.getoption("--no-lab") else lab.probe()
    if reason:
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=f"no lab hosts: {reason}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The last lines say what did not run, and why."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "no lab hosts" in str(report.longrepr)
    ]
    if skipped:
        reason = "left out by --no-lab" if config.getoption("--no-lab") else lab.probe()
        terminalreporter.write_line(f"{len(skipped)} tests on real hosts did not run: {reason}")
