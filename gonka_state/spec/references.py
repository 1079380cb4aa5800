"""Values that only the operator knows: read from the environment, a file or a command, or withheld."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pydantic import SecretStr

from gonka_state.core.desired import SecretSource
from gonka_state.errors import said_by
from gonka_state.spec.layers import beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.desired import Source
    from gonka_state.spec.tree import Node

COMMAND_SECONDS = 30
MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Withheld:
    """A value that is not there; `reason` names it, where it is asked for, and why."""

    reason: str


Value: TypeAlias = str | SecretStr | Withheld


def usable(node: Node) -> bool:
    """True for a text or one well-formed reference; what is wrong with others is said by the words' model."""
    if node.entries is None:
        return isinstance(node.scalar, str)
    given = [name for name in ("env", "file", "command") if name in node.entries]
    if len(given) != 1 or len(node.entries) != 1:
        return False
    value = node.entries[given[0]]
    if given[0] != "command":
        return isinstance(value.scalar, str)
    return bool(value.items) and all(isinstance(item.scalar, str) for item in value.items or ())


def asked(node: Node) -> SecretSource:
    """What a usable reference says."""
    words = {name: item for name in ("env", "file") if (item := node.get(name)) is not None}
    command = node.get("command")
    argv = None if command is None else tuple(str(item.scalar) for item in command.items or ())
    return SecretSource(node.where, **{name: str(item.scalar) for name, item in words.items()}, command=argv)


@dataclass(slots=True)
class References:
    """Resolves references, each once; `missing` lists the withheld ones in the order met."""

    env: Mapping[str, str]
    run_commands: bool = True
    missing: list[str] = field(default_factory=list)
    _known: dict[object, str | Withheld] = field(default_factory=dict)

    def value(self, node: Node, *, secret: bool) -> Value:
        """The text of a usable node; a secret one is wrapped at once."""
        found = node.scalar if isinstance(node.scalar, str) else self._resolve(node)
        if isinstance(found, Withheld):
            if found.reason not in self.missing:
                self.missing.append(found.reason)
            return found
        return SecretStr(found) if secret else found

    def _resolve(self, node: Node) -> str | Withheld:
        key = (node.where, repr(node.plain()))
        if key not in self._known:
            self._known[key] = self.text(asked(node))
        return self._known[key]

    def text(self, asked: SecretSource) -> str | Withheld:
        """What a reference gives, looked for now."""
        where = asked.source
        if asked.env is not None:
            return self.env.get(asked.env) or Withheld(f"{asked.env} ({where}) is not set")
        if asked.file is not None:
            return self._file(where, asked.file)
        return self._command(where, asked.command or ())

    def _file(self, where: Source, text: str) -> str | Withheld:
        try:
            data = _head(beside(where, text, self.env))
            found = data.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            return Withheld(f"{text} ({where}) is not UTF-8 text")
        except (OSError, ValueError) as error:
            return Withheld(f"{text} ({where}) cannot be read: {said_by(error)}")
        return found or Withheld(f"{text} ({where}) is empty")

    def _command(self, where: Source, argv: Sequence[str]) -> str | Withheld:
        name = f"command {argv[0]!r} ({where})"
        if not self.run_commands:
            return Withheld(f"{name} was not run")
        try:
            status, output = _run(argv, Path(where.file).parent, self.env)
        except subprocess.TimeoutExpired:
            return Withheld(f"{name} did not end within {COMMAND_SECONDS} s")
        except (OSError, ValueError) as error:
            return Withheld(f"{name} cannot be run: {said_by(error)}")
        if status != 0:
            return Withheld(f"{name} failed with status {status}")
        try:
            found = output.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            return Withheld(f"{name} printed something that is not UTF-8 text")
        return found or Withheld(f"{name} printed nothing")


def _head(path: Path) -> bytes:
    """A small regular file: reading a pipe or a device would hang."""
    if not path.is_file():
        raise OSError(0, "no such file" if not path.exists() else "not a file")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 1024} KiB")
    return data


def _run(argv: Sequence[str], directory: Path, env: Mapping[str, str]) -> tuple[int, bytes]:
    """Run without a shell. What it says on stderr is dropped: it may hold what it failed to hide."""
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=directory,
        env=dict(env),
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            # The group: a child of the command would keep the pipe open.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output[:MAX_BYTES]
