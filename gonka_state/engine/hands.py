"""Changing hosts: runs what operations yield. Only converge may import this."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gevent.lock import BoundedSemaphore, RLock
from pyinfra.api.exceptions import NestedOperationError

from gonka_state.engine.remote import as_root
from gonka_state.engine.unreachable import words
from gonka_state.errors import StepError
from gonka_state.operations.base import LOST, Result

if TYPE_CHECKING:
    from gonka_state.engine.session import Session
    from gonka_state.operations.base import Call, Do

EXECS_AT_ONCE = 6
"""Per host; sshd's own limit is 10 sessions of one connection, and closed ones linger."""
GRACE = 15
"""Seconds our side waits beyond a deadline that the host enforces itself."""

# Reads the script, then exactly as many bytes of input for it. Both outputs and the status come back in
# one line of base64, so that no byte a program prints can break the reader. Descriptor 9 carries the
# script past `timeout`, because an argument would be visible and limited in size.
_DO = r"""
s=$(head -c {size})
{{ {{ e=$( {{ head -c {input_size} | timeout -k 5 {deadline} sh -c 'x=$(cat <&9); exec 9<&-; eval "$x"' 9<<GONKA_STATE_SCRIPT
$s
GONKA_STATE_SCRIPT
}} 2>&1 >&3 3>&- ); c=$?; }} 3>&1; printf '\n#@status %s\n' "$c"; printf '%s' "$e" | tail -c 4000 | sed 's/^#@status/ &/'; }} | gzip -1 -n | base64 -w0
echo
"""
_STATUS = re.compile(r"\n#@status (\d+)\n")


@dataclass(frozen=True, slots=True)
class Hands:
    """A session that may also change its hosts."""

    session: Session

    def do(self, name: str, command: Do) -> Result:
        """Run one `Do`. A lost connection or a deadline is a status of its own, never an exception."""
        script, stdin = command.script.encode(), command.stdin.encode()
        line = do_command(len(script), len(stdin), command.deadline)
        self.session.count(name)
        at_once = self.session.at_once.setdefault(name, BoundedSemaphore(EXECS_AT_ONCE))
        try:
            with at_once:
                _, output = self.session.hosts[name].run_shell_command(
                    line, _stdin=(script + stdin).decode(), _timeout=command.deadline + GRACE
                )
        except Exception as error:  # noqa: BLE001 (paramiko raises many kinds; all mean the same here)
            return Result(LOST, "", f"the connection was lost: {words(error)}")
        return read_result(output.stdout_lines)

    def call(self, name: str, command: Call) -> None:
        """Run an operation of pyinfra's own on a host.

        Raises:
            StepError: it failed; with its last words.
        """
        self.session.count(name)
        sudo = self.session.logins[name].user != "root"
        self.session.enter(name)
        try:
            # pyinfra keeps one running operation per host in the host itself.
            with self.session.operating.setdefault(name, RLock()):
                command.operation(**command.arguments, name=command.about, _sudo=sudo)
        except NestedOperationError as error:
            data = self.session.state.get_op_data_for_host(self.session.hosts[name], error.args[0])
            lines = [line.line for line in data.operation_meta._combined_output or ()]  # noqa: SLF001 (no public way)
            raise StepError(f"{command.about} failed: {'; '.join(lines[-3:]) or 'no output'}") from error

    def hold(self, name: str, line: str) -> Any:  # noqa: ANN401 (a paramiko channel)
        """Start `line` on the host and keep its stdin open; it ends when the connection does."""
        self.session.count(name)
        client: Any = self.session.hosts[name].connector.client  # type: ignore[attr-defined]  # ssh connector only
        channel = client.get_transport().open_session(timeout=self.session.run.timeouts.connect)
        channel.exec_command(line)
        return channel


def do_command(size: int, input_size: int, deadline: int) -> str:
    """Run a script of `size` bytes from stdin, with the `input_size` bytes after it as its own stdin."""
    line = _DO.format(size=size, input_size=input_size, deadline=deadline)
    refused = r"printf '\n#@status 126\nsudo without a password was refused' | gzip -1 -n | base64 -w0; echo"
    return as_root(line, otherwise=refused)


def read_result(lines: list[str]) -> Result:
    """What a `do_command` printed; status 255 when it did not come back whole."""
    payload = "".join(line.strip() for line in lines)
    try:
        text = gzip.decompress(base64.b64decode(payload, validate=True)).decode("utf-8", "replace")
    except (ValueError, OSError, EOFError, zlib.error):
        return Result(LOST, "", "the connection was lost before the command's end was seen")
    found = list(_STATUS.finditer(text))
    if not found:
        return Result(LOST, text, "the command's end was not seen")
    return Result(int(found[-1][1]), text[: found[-1].start()], text[found[-1].end() :])
