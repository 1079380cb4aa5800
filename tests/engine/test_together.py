"""What runs at once is waited for: one that fails takes nothing from the others."""

from __future__ import annotations

import pytest


def test_the_first_failure_is_raised_when_all_have_ended() -> None:
    import gevent  # noqa: PLC0415 (collecting tests must not load it)

    from gonka_state.cli.jobs import side_by_side  # noqa: PLC0415 (as above)

    ended: list[str] = []

    def one(name: str, seconds: float, error: Exception | None = None) -> None:
        gevent.sleep(seconds)
        ended.append(name)
        if error is not None:
            raise error

    gevent.get_hub().exception_stream = None
    with pytest.raises(ValueError, match="first"):
        side_by_side(
            [
                lambda: one("late", 0.3),
                lambda: one("second", 0.2, KeyError("second")),
                lambda: one("first", 0.1, ValueError("first")),
            ]
        )

    assert ended == ["first", "second", "late"]


def test_an_interrupt_waits_for_nobody() -> None:
    import gevent  # noqa: PLC0415 (as above)

    from gonka_state.engine.together import finish  # noqa: PLC0415 (as above)

    ended: list[str] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    def slow() -> None:
        gevent.sleep(5)
        ended.append("slow")

    gevent.get_hub().exception_stream = None
    jobs = [gevent.spawn(slow), gevent.spawn(interrupted)]
    with pytest.raises(KeyboardInterrupt):
        finish(jobs)

    assert ended == []
    gevent.killall(jobs)
