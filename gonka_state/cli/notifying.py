"""Telling people what `drift` found and what is over. It never fails the command: what it cannot do it says."""

from __future__ import annotations

import os
import socket
import time
from functools import partial
from typing import TYPE_CHECKING

import click

from gonka_state.core.units import show_moment
from gonka_state.errors import GonkaStateError, said_by
from gonka_state.history.digest import digest_of, read_key
from gonka_state.history.file import history_file, key_file, opened
from gonka_state.history.outbox import outbox
from gonka_state.notify.receivers import receivers
from gonka_state.notify.send import send
from gonka_state.views.notice import notices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.history.outbox import Outbox
    from gonka_state.notify.receivers import Receiver
    from gonka_state.resources.base import Resource


def tell(desired: Desired[Resource], plan: Plan, began: float, text: Callable[[], str]) -> bool:
    """Send what a look at a whole cluster brought up, and what is still waiting from before.

    `began` is when the look did, in seconds since 1970; `text` what drift prints of the cluster. False where it cannot
    even be kept for the next try.
    """
    if desired.notify is None:
        return True
    try:
        file = history_file()
        with opened(file) as connection:
            box = outbox(connection, plan)
            # Nobody needs the URLs before there is something to say: a command may ask for them.
            if box is None or not box.settle(plan, began):
                return box is not None
            key = read_key(key_file(file))
            known = {
                digest_of(key, receiver.url.get_secret_value()): receiver
                for receiver in receivers(desired.notify, os.environ)
            }
            compose = partial(notices, plan=plan, text=text(), checked=checked())
            box.write(plan, began, known, compose)
            _deliver(box, known)
    except (GonkaStateError, OSError) as error:
        say(said_by(error), getattr(error, "hint", ""))
        return False
    return True


def checked() -> str:
    """When and from where, for the end of a message."""
    return f"checked {show_moment(time.time())} by {socket.gethostname()}"


def say(text: str, hint: str = "") -> None:
    """Somebody was not told: whoever reads standard error shall know."""
    click.echo(f"not told: {text}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)


def _deliver(box: Outbox, known: Mapping[str, Receiver]) -> None:
    lost = box.give_up(tuple(known))
    if lost:
        say(f"{lost} messages that nobody took for a day are given up")
    for digest, receiver in known.items():
        while (waiting := box.take(digest)) is not None:
            why = "interrupted"
            try:
                why = send(receiver, waiting.notice)
            finally:
                (box.put_back if why else box.delivered)(waiting)
            if why:
                say(f"{receiver.name} did not take the message: {why}", "the next drift tries again")
                break
