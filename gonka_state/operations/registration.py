"""Registers the account through the seed node, once, and believes it when the chain shows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.errors import FactError, StepError
from gonka_state.facts.base import MARK, PRELUDE, Look
from gonka_state.facts.membership import FACT
from gonka_state.facts.membership_observed import submit
from gonka_state.operations.base import Do, Pause, Say, fail
from gonka_state.operations.compose_service import declared_service, project_script

if TYPE_CHECKING:
    from collections.abc import Generator

    from gonka_state.facts.membership_read import Membership
    from gonka_state.operations.base import Command, Commands, Result, Step
    from gonka_state.resources.registration import RegistrationResource

POLL, TELL = 3, 15
LOOK = 60

# No keyring and no passphrase: the seed node makes the account (gonka-contract 6.2). Exit status 0 only says
# that the seed took it, also where the program then waited in vain.
_REGISTER = r"""
said=$(compose "$@" run --rm --no-deps --quiet-pull -T "$SERVICE" \
  inferenced register-new-participant "$URL" "$PUBKEY" --node-address "$SEED" 2>&1 </dev/null)
rc=$?
{ variables_here; printf '%s\n' "$said" | terse | tail -n 20; } | redacted
exit "$rc"
"""


def apply(step: Step[RegistrationResource]) -> Commands:
    """Look once more, register where nothing is there, and wait until it shows.

    Raises:
        StepError: the account exists already, the seed refuses, or the chain does not show it in time.
    """
    wish = step.resource
    before = yield from _look(step)
    if before.registered:
        yield Say(f"{wish.name} is registered already")
        return
    if step.change.action is not Action.CREATE or before.registered is None or before.account is None:
        why = before.problem or before.account_problem
        raise StepError(f"nothing was registered: {why or 'somebody changed it since the look'}")
    if before.account:
        raise StepError(
            f"the account {wish.name} exists since the look, and is not registered; nothing was done",
            hint=submit(wish, before),
        )
    values = {"URL": wish.url, "PUBKEY": wish.pubkey, "SEED": wish.seed_api}
    about = f"register {wish.name}"
    script = project_script(declared_service(step, "to register from"), _REGISTER, **values)
    deadline = max(step.timeouts.step, step.timeouts.pull)
    result = yield Do(about, script, deadline=deadline, check=False, turn="compose")
    yield from _confirm(step, result)


def _confirm(step: Step[RegistrationResource], result: Result) -> Generator[Command, Result, None]:
    """Read until the chain shows it. A refusal is told at once, unless the answer was only lost.

    Raises:
        StepError: the seed refused it, or the chain does not show it in time.
    """
    wish, began, told = step.resource, time.monotonic(), 0.0
    sent, taken = "sent", "the seed node took the registration, but "
    if result.unanswered:
        why = result.words or "not finished in time"
        sent, taken = why, f"it is not known whether the seed node took the registration ({why}), and "
    while True:
        seen = yield from _look(step)
        waited = time.monotonic() - began
        if seen.registered:
            yield Say(f"{wish.name} is registered with {seen.url or wish.url}")
            return
        if result.status and not result.unanswered:
            raise fail(
                result,
                f"{wish.name} was not registered",
                hint="nothing was signed and nothing spent; read the program's words, then converge again",
            )
        if waited >= step.timeouts.registration:
            raise StepError(
                f"{taken}{waited:.0f} s later the chain does not show it",
                hint="look again later: gonka-state diff. It is never sent twice while the account exists",
            )
        if waited - told >= TELL:
            told = waited
            yield Say(f"{sent}; not in a block yet, {waited:.0f} s")
        yield Pause(POLL)


def _look(step: Step[RegistrationResource]) -> Generator[Command, Result, Membership]:
    """What the chain says now.

    Raises:
        StepError: it cannot be understood.
    """
    script = f"M={MARK}x\n{PRELUDE}\n{FACT.script([step.resource], Look())}"
    result = yield Do("ask the chain for the registration", script, deadline=LOOK, again=True)
    try:
        return FACT.parse(result.stdout)
    except FactError as error:
        raise StepError(f"the chain's answers cannot be understood: {error}") from error
