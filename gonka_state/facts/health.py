"""Whether a container is healthy: its own check, else a URL, else that it keeps running."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.container import Container

STEADY = 10
"""Seconds a container without healthcheck and URL has to run to be called healthy."""

SETTLED = 120
"""The same for one that has been restarted before."""

_OK, _NO_SUCH_PATH = 200, 404


def ailment(container: Container, now: float, urls: Sequence[str], answers: Mapping[str, int]) -> str:
    """Why a container is not healthy; empty when it is.

    Its own healthcheck decides, else its URLs (`answers` are HTTP statuses, 0 for none), else that it keeps
    running.
    """
    if container.status != "running":
        ended = f" with status {container.exit}" if container.status in {"exited", "restarting"} else ""
        return f"{container.status}{ended}" + (
            f", restarted {container.restarts} times" if container.restarts else ""
        )
    if container.health:
        return "" if container.health == "healthy" else f"its healthcheck says {container.health}"
    if urls:
        return _answered(urls, answers)
    age = now - container.started
    if age >= (SETTLED if container.restarts else STEADY):
        return ""
    return f"runs for {max(age, 0):.0f} s only" + (
        f", restarted {container.restarts} times" if container.restarts else ""
    )


def _answered(urls: Sequence[str], answers: Mapping[str, int]) -> str:
    """The first URL that is known there decides: older programs have other paths (gonka-contract 4.1)."""
    url = next((url for url in urls if answers.get(url, 0) != _NO_SUCH_PATH), urls[-1])
    code = answers.get(url, 0)
    return "" if code == _OK else f"{url} {f'answers {code}' if code > 0 else 'does not answer'}"
