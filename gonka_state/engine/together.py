"""Waiting for what runs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent

if TYPE_CHECKING:
    from collections.abc import Sequence


def finish(jobs: Sequence[gevent.Greenlet[..., Any]]) -> None:
    """Wait until all have ended, then raise what the first to fail raised; an interrupt is raised at once.

    Who left at the first failure would close connections on which the others are in the middle of a step.
    """
    failed: list[gevent.Greenlet[..., Any]] = []
    for job in gevent.iwait(jobs):
        if isinstance(job.exception, Exception):
            failed.append(job)
        elif job.exception is not None:
            job.get()
    if failed:
        failed[0].get()
