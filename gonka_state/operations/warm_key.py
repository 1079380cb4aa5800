"""The warm key, made once: its mnemonic is safe with the operator first, then the key is made from it.

So no kill can lose the mnemonic of a key that exists. Mnemonic and passphrase reach the host on standard
input alone; what the program says stays on the host, or is freed of both where it failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.core.bech32 import address_of
from gonka_state.errors import StepError
from gonka_state.operations.base import Do, Say, Step, fail
from gonka_state.operations.compose_service import declared_service, project_script
from gonka_state.operations.mnemonic import in_file, on_terminal

if TYPE_CHECKING:
    from collections.abc import Generator

    from gonka_state.operations.base import Command, Commands, Result
    from gonka_state.resources.warm_key import WarmKeyResource

EXISTS = 3

# `printf` and `read` are the shell's own: no argument of a process ever holds the words. A new keyring asks
# for its passphrase twice, an existing one once and leaves the rest.
_MAKE = r"""
[ ! -e "$KEYRING/$NAME.info" ] || exit 3
IFS= read -r words; IFS= read -r pass
typed() { printf '%s\n%s\n%s\n' "$words" "$pass" "$pass"; }
said=$(typed | compose "$@" run --rm --no-deps --quiet-pull -T "$SERVICE" \
  inferenced keys add "$NAME" --recover --keyring-backend file 2>&1 >/dev/null)
rc=$?
[ "$rc" = 0 ] || {
  { printf 'mnemonic=%s\npassword=%s\n#@#\n' "$words" "$pass"; printf '%s\n' "$said" | terse; } | redacted >&2
  exit "$rc"; }
ls -t -- "$KEYRING" | grep -E '^[0-9a-f]{40}\.address$' | head -n 1 | cut -c 1-40
"""


def apply(step: Step[WarmKeyResource]) -> Commands:
    """Keep a mnemonic, then make the key from it; never where one of this name is.

    Raises:
        StepError: the mnemonic cannot be kept, or the program refused; then no key of ours is there. Or its answer was
            lost; then nobody knows.
    """
    wish, service = step.resource, declared_service(step, "to make the key in")
    if wish.password is None:
        raise StepError("network.keyring_password is not known; no key was made", hint=wish.waits)
    words = yield from _mnemonic(wish)
    values = {"KEYRING": wish.keyring, "NAME": wish.name}
    result = yield Do(
        f"make the warm key {wish.name}",
        project_script(service, _MAKE, **values),
        stdin=f"{words}\n{wish.password.get_secret_value()}\n",
        deadline=max(step.timeouts.step, step.timeouts.pull),
        check=False,
        turn="compose",
    )
    if result.status == EXISTS:
        raise StepError(f"{wish.keyring} has a key {wish.name} since the look; it was left alone")
    if result.unanswered:
        raise StepError(
            f"it is not known whether the warm key {wish.name} was made: {result.words or 'not finished in time'};"
            f" keep {wish.mnemonic_file or 'the words you wrote down'}",
            hint=f"look again in a few minutes: a key that is there then has these words; if none is there, {_next(wish)}",
        )
    if result.status:
        raise fail(result, f"could not make the warm key {wish.name}", hint=_next(wish))
    address = address_of(bytes.fromhex(result.stdout.strip()))
    kept = f"its mnemonic is in {wish.mnemonic_file}: keep that offline" if wish.mnemonic_file else "made"
    yield Say(f"warm key {wish.name} is {address}, {kept}")


def _mnemonic(wish: WarmKeyResource) -> Generator[Command, Result, str]:
    title = (
        f"# warm key {wish.name} of {wish.cluster}, made by gonka-state: whoever has these words has the key"
    )
    if wish.mnemonic_file:
        return in_file(Path(wish.mnemonic_file), title)
    return (yield from on_terminal(title))


def _next(wish: WarmKeyResource) -> str:
    """What the mnemonic is worth where no key was made."""
    if wish.mnemonic_file:
        return f"its mnemonic stays in {wish.mnemonic_file}: the next converge goes on with it"
    return "the next converge shows another mnemonic: no key has the one you wrote down"
