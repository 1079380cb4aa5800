"""What every test shares: one stable Hypothesis profile, golden texts, and one place that decides about real hosts."""

from __future__ import annotations

import signal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from gonka_state import lab

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"

# Derandomized: a run on a busy machine fails for the code's sake or not at all. Tests that run a program
# per example lower `max_examples` themselves.
settings.register_profile(
    "stable",
    derandomize=True,
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("stable")

# Whoever starts the tests behind a job (`nohup`, `&`) has them ignore SIGINT, and every program they start as well:
# a test that interrupts one would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "lab: boots real hosts on this machine (root, namespaces and mounts)",
        "six_hosts: on the lab of cluster2, which those of one run share; added by itself",
    ):
        config.addinivalue_line("markers", line)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Rewrite tests/golden/ from what the views say now; review the change with git diff.",
    )
    parser.addoption("--no-lab", action="store_true", help="Leave out the tests on real hosts.")
    parser.addoption(
        "--soak",
        action="store_true",
        help="Take the time: kill a converge at every step, not at one of each kind.",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests on real hosts run last; where they cannot run they say why."""
    items.sort(key=lambda item: item.get_closest_marker("lab") is not None)
    reason = _no_lab(config)
    for item in items:
        if "booted" in getattr(item, "fixturenames", ()):
            item.add_marker("six_hosts")
        if reason and item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.skip(reason=f"no real hosts: {reason}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The last lines say how many did not run, and why."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "no real hosts" in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests on real hosts did not run: {_no_lab(config)}")


@cache
def _no_lab(config: pytest.Config) -> str | None:
    return "left out by --no-lab" if config.getoption("--no-lab") else lab.probe()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with `tests/golden/NAME`; with --update-golden write it instead."""

    def check(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text + "\n", encoding="utf-8")
        assert file.is_file(), f"{file} is missing: run pytest with --update-golden and review it"
        assert f"{text}\n" == file.read_text(encoding="utf-8")

    return check
