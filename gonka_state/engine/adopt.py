"""The one look of an adoption: every host at once, nothing declared yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paramiko import PKey, SSHException

from gonka_state.core.desired import Desired, Run
from gonka_state.engine.observe import Observer
from gonka_state.engine.session import connect
from gonka_state.errors import FactError, InputError, said_by
from gonka_state.facts import adoption
from gonka_state.facts.snapshot import HostLook, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.core.desired import Login
    from gonka_state.engine.unreachable import Unreachable
    from gonka_state.facts.adoption import Found
    from gonka_state.resources.base import Resource


def public_half(path: str) -> str:
    """The line of a .pub file for a private key.

    Raises:
        InputError: it cannot be read, or has a passphrase.
    """
    try:
        key = PKey.from_path(path)
    except (OSError, SSHException, ValueError, TypeError) as error:
        raise InputError(
            [f"the SSH key {path} cannot be read: {said_by(error)}"],
            hint="is it a private key, and without a passphrase?",
        ) from error
    return f"{key.get_name()} {key.get_base64()}"


def look(cluster: str, logins: Mapping[str, Login], on_event: Callable[[str, str], None]) -> dict[str, Found]:
    """What runs on each host. Unknown is never absent: a host that cannot be told ends it.

    Raises:
        FactError: names every host that did not answer, or whose answer cannot be used.
    """
    desired: Desired[Resource] = Desired(cluster, "", lab=False, hosts=logins, resources={})
    section = Section(adoption.SECTION, adoption.script(), adoption.DEADLINE, root=True)
    with connect(logins, Run(), on_event=on_event) as session:
        observer = Observer(session, desired, {}, on_event)
        reached = [name for name in logins if name not in session.unreachable]
        looks = session.each(reached, lambda name: observer.ask(name, [section]))
        lost = {
            name: HostLook(unknown=said.reason, hint=_hint(said))
            for name, said in session.unreachable.items()
        }
    found: dict[str, Found] = {}
    problems: dict[str, str] = {}
    for name in logins:
        try:
            found[name] = _read((looks | lost)[name])
        except FactError as error:
            problems[name] = f"{name}: {error}" + (f" ({error.hint})" if error.hint else "")
    if problems:
        raise FactError(
            "\n".join(problems.values()),
            hint="nothing was written: a file without these hosts would not be this cluster",
        )
    return found


def _hint(said: Unreachable) -> str:
    """What to do where there is no cluster file yet, from which keys could be pinned."""
    if said.not_pinned is None:
        return said.hint
    login, file = said.not_pinned.login, said.not_pinned.login.known_hosts
    pin = f"ssh-keyscan -p {login.port} {login.address} >> {file}"
    compare = f"then compare what ssh-keygen -lf {file} shows with the host's own"
    if not said.not_pinned.changed:
        return f"{pin}; {compare}"
    forget = f"ssh-keygen -R '{login.pinned_as}' -f {file}"
    return f"if the host was reinstalled: {forget}; {pin}; {compare}; if not, do not connect"


def _read(look: HostLook) -> Found:
    answer = look.sections.get(adoption.SECTION)
    if look.unknown or answer is None:
        raise FactError(look.unknown or "it did not answer", hint=look.hint)
    if answer.unknown:
        raise FactError(answer.unknown)
    return adoption.parse(answer.text)
