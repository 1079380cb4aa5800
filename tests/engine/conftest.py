"""Hosts of paper: directories on this machine, reached through the real shell instead of SSH.

Their kinds are as small as kinds can be, so that a test can make a step succeed, fail, lie or get lost:

    note    a file with a text; what the step does with the text depends on its first word (see `write`)
    copy    made from a note, so it may have to follow when the note changes
    reply   unknown until a note called `api` is there
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Effect
from gonka_state.core.desired import Declared, Desired, Login, Maintenance, Run, Timeouts
from gonka_state.core.observation import Absent, Observation, Present, Unknown, Unmanaged
from gonka_state.engine.compare import Compared, Comparer
from gonka_state.engine.prune import pruning
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, quote, split_parts
from gonka_state.kind import Kind, Need
from gonka_state.operations.base import Call, Do, Pause, Say
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from gonka_state.core.chain import ChainSource
    from gonka_state.core.report import Report
    from gonka_state.facts.here import Here
    from gonka_state.operations.base import Commands, Step


@pytest.fixture
def root_env(tmp_path: Path) -> dict[str, str]:
    """An environment in which commands "become root": where we are not, a `sudo` that only runs them."""
    path = os.environ["PATH"]
    if os.geteuid() != 0:
        sudo = tmp_path / "bin" / "sudo"
        sudo.parent.mkdir()
        sudo.write_text('#!/bin/sh\nshift\nexec "$@"\n', encoding="utf-8")
        sudo.chmod(0o755)
        path = f"{sudo.parent}:{path}"
    return {"PATH": path}


class Note(Resource):
    """A file in the host's directory."""

    kind: ClassVar[str] = "note"
    removable: ClassVar[bool] = True

    text: Annotated[str, Attribute()] = "text"
    about: str | None = None
    effect_of: Effect = Effect.SAFE
    limit: str = ""

    @property
    def throttle(self) -> str:
        """As limited as the test says."""
        return self.limit

    @property
    def subject(self) -> str | None:
        """The host the note is about."""
        return self.about

    def effect(self, action: Any, changes: Any) -> Effect:  # noqa: ANN401, ARG002 (as harmful as the test says)
        """As harmful as the test says."""
        return self.effect_of


class Copy(Resource):
    """A copy of a note."""

    kind: ClassVar[str] = "copy"

    of: str
    same: Annotated[bool, Attribute()] = True


class Reply(Resource):
    """Something that only a host with an `api` note can tell."""

    kind: ClassVar[str] = "reply"

    text: Annotated[str, Attribute()] = "hello"


class Notes(Fact[dict[str, str]]):
    """Every file of the host's directory."""

    section = "notes"
    root = False

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (the contract's signature)
        """One part per file."""
        return 'for f in "$NOTES"/*; do [ -f "$f" ] && part "${f##*/}" cat "$f"; done; part end true'

    def parse(self, text: str) -> dict[str, str]:
        """Contents by name; a note that says `garbage` makes the section one."""
        parts = split_parts(text)
        if any(part.text == "garbage" for part in parts.values()):
            raise FactError("the notes make no sense", hint="read them")
        parts.need("end")
        return {name: part.text for name, part in parts.items() if name != "end"}


def _observe_note(state: dict[str, str], note: Note, here: Here) -> Observation:  # noqa: ARG001
    if note.name not in state:
        return Absent(reason="nobody wrote it")
    if state[note.name] == "unreadable":
        raise FactError(f"{note.name} cannot be read", hint="look closer")
    harmless = state[note.name] == "harmless"
    human = "only its author may" if harmless or state[note.name] == "signed" else ""
    first = {"text": "idle"} if state[note.name] == "busy" else {}
    return Present({"text": state[note.name]}, human=human, blocks=not harmless, before_removal=first)


def _observe_copy(state: dict[str, str], copy: Copy, here: Here) -> Observation:  # noqa: ARG001
    if f"copy-{copy.name}" not in state:
        return Absent()
    return Present({"same": state[f"copy-{copy.name}"] == state.get(copy.of)})


def _observe_reply(state: dict[str, str], reply: Reply, here: Here) -> Observation:  # noqa: ARG001
    if "api" not in state:
        return Unknown("no api", hint="write it", pending_on="note")
    return Present({"text": state.get(f"reply-{reply.name}", "")})


def _unmanaged(state: dict[str, str], declared: Sequence[Note], here: Here) -> list[Unmanaged]:
    mine = {note.name for note in declared}
    return [Unmanaged(here.host, "note", name) for name in state if name not in mine]


def _strangers(state: dict[str, str], declared: Sequence[Note], here: Here) -> list[Note]:
    return [Note(name=item.name, state="absent") for item in _unmanaged(state, declared, here)]


def _refuse(state: dict[str, str], declared: Mapping[Address, Note], here: Here) -> dict[Address, str]:
    locked = here.peer in state.get("locked", "").split()
    return {address: f"{here.peer} locked it" for address in declared if locked}


NOTES = Notes()
_BASE: tuple[Kind[Any, Any], ...] = (
    Kind(resource=RequirementResource, fact=NOTES, observe=lambda state, _mine, _here: Present({"cores": state.get("cores", "")}), wanted=lambda _state, mine, _here: {"cores": mine.condition}),
    Kind(resource=Note, fact=NOTES, observe=_observe_note, unmanaged=_unmanaged, strangers=_strangers, refuse=_refuse),
    Kind(resource=Copy, fact=NOTES, observe=_observe_copy, needs=(Need("note", lambda mine, note: mine.of == note.name, refresh=True),)),
    Kind(resource=Reply, fact=NOTES, observe=_observe_reply, needs=(Need("note", lambda _mine, note: note.name == "api"),)),
)  # fmt: skip


def write(step: Step[Note]) -> Commands:
    """Write a note.

    By its first word a text `fail`s, `lie`s (succeeds and writes nothing), is a `bug` of ours, is `slow`er than
    its deadline, is `flaky` (works when tried again), takes a `nap`, or makes a `call` to pyinfra instead.
    """
    word, _, rest = step.resource.text.partition(" ")
    path = f'"$NOTES"/{quote(step.resource.name)}'
    if word == "bug":
        raise ZeroDivisionError("a bug")
    if step.resource.state == "absent":
        yield Do("remove", f"printf idle >{path}" if step.differs("text") else f"rm -f {path}")
        return
    yield Say("writing")
    if word == "nap":
        yield Pause(0.4)
    if word == "call":
        from pyinfra.operations import files  # noqa: PLC0415 (loads pyinfra)

        yield Call("make a directory", files.directory, {"path": rest, "mode": "0750"})
        return
    if word == "flaky":
        yield Do("try", 'mkdir "$NOTES.tried" 2>/dev/null && exit 4; exit 0', again=True)
    if word == "fail":
        yield Do("write", "echo no ink >&2; exit 3")
    elif word == "slow":
        yield Do("write", "sleep 30", deadline=1)
    elif word != "lie":
        yield Do(
            "write", f'cat >{path}; echo {quote(step.resource.name)} >>"$NOTES.log"', stdin=step.resource.text
        )


def make_copy(step: Step[Copy]) -> Commands:
    """Copy the note."""
    yield Do("copy", f'cp "$NOTES"/{quote(step.resource.of)} "$NOTES"/{quote("copy-" + step.resource.name)}')


def give_reply(step: Step[Reply]) -> Commands:
    """Answer."""
    yield Do(
        "reply", f'printf %s {quote(step.resource.text)} >"$NOTES"/{quote("reply-" + step.resource.name)}'
    )


OPERATIONS: dict[str, Any] = {"note": write, "copy": make_copy, "reply": give_reply}


@dataclass
class Paper:
    """A cluster of paper hosts. `off` refuse to connect; `drop` names the execs whose connection breaks."""

    root: Path
    env: Mapping[str, str]
    hosts: tuple[str, ...] = ("network", "ml-01")
    run: Run = field(default_factory=lambda: Run(retries=0, timeouts=Timeouts(section=5, host=10)))
    off: tuple[str, ...] = ()
    drop: dict[str, Callable[[int], bool]] = field(default_factory=dict)
    kinds: Mapping[str, Kind[Any, Any]] = field(default_factory=lambda: {kind.name: kind for kind in _BASE})
    declared: dict[Address, Declared[Any]] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    execs: dict[str, int] = field(default_factory=dict)
    chain: ChainSource | None = None
    maintenance: dict[str, Maintenance] = field(default_factory=dict)
    prune: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def note(self, host: str, name: str, text: str = "text", *, withheld: str = "", **words: Any) -> Address:  # noqa: ANN401 (as in YAML)
        """Declare a note."""
        return self._declare(host, Note(name=name, text=text, **words), withheld)

    def maintain(self, host: str, *addresses: Address, ends: datetime) -> None:
        """Somebody works on a host, or on these resources of it alone."""
        maintenance = Maintenance("then", ends, "new disks")
        if not addresses:
            self.maintenance[host] = maintenance
        for address in addresses or [a for a in self.declared if a.host == host]:
            self.declared[address] = replace(self.declared[address], maintenance=maintenance)

    def copy(self, host: str, name: str, of: str) -> Address:
        """Declare a copy."""
        return self._declare(host, Copy(name=name, of=of), "")

    def reply(self, host: str, name: str) -> Address:
        """Declare a reply."""
        return self._declare(host, Reply(name=name), "")

    def requirement(self, host: str, name: str, equals: str, **words: Any) -> Address:  # noqa: ANN401 (as in YAML)
        """Declare a requirement; it is met when the note `cores` says so."""
        return self._declare(host, RequirementResource(name=name, topic="cores", equals=equals, **words), "")

    def _declare(self, host: str, resource: Resource, withheld: str) -> Address:
        address = Address(host, resource.kind, resource.name)
        self.declared[address] = Declared(address, resource, withheld=withheld)
        return address

    def has(self, host: str, **notes: str) -> None:
        """Put notes on a host by hand."""
        for name, text in notes.items():
            (self.root / host).mkdir(exist_ok=True)
            (self.root / host / name).write_text(text, encoding="utf-8")

    def read(self, host: str, name: str) -> str | None:
        """A note as it is on the host now."""
        path = self.root / host / name
        return path.read_text(encoding="utf-8") if path.exists() else None

    def log(self, host: str) -> list[str]:
        """Names of the notes that steps wrote, in order."""
        path = self.root / f"{host}.log"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    @property
    def desired(self) -> Desired[Any]:
        """The wish declared so far."""
        login = self.root / "login"
        login.touch()
        logins = {
            host: Login(host, f"10.77.0.{number}", "root", 22, str(login), str(login))
            for number, host in enumerate(self.hosts, 11)
        }
        return Desired(
            "paper",
            "paper.yaml",
            lab=True,
            hosts=logins,
            resources=self.declared,
            run=self.run,
            chain=self.chain,
            maintenance=self.maintenance,
            prune=self.prune,
        )

    def comparer(self, **words: Any) -> Comparer:  # noqa: ANN401 (Comparer's own)
        """A comparer of the wish declared so far."""
        return Comparer(self.desired, self.kinds, **words)

    def look(self, **words: Any) -> Compared:  # noqa: ANN401 (Comparer's own)
        """Look once and compare."""
        comparer = self.comparer(**words)
        with self.connected() as session:
            from gonka_state.engine.observe import Observer  # noqa: PLC0415 (loads pyinfra)

            observer = Observer(session, comparer.asked, self.kinds, self._event)
            return comparer.compare(observer.look(comparer.hosts()))

    def converge(
        self,
        between: Callable[[], None] = lambda: None,
        *,
        first: Sequence[str] = (),
        lock: Any = None,  # noqa: ANN401 (what a test puts in its place)
        **words: Any,  # noqa: ANN401 (Comparer's own)
    ) -> Report:
        """Look, run what is planned, look again; `between` happens after the first look.

        `first` and `lock` are a converger's.
        """
        from gonka_state.engine.converge import Converger  # noqa: PLC0415 (loads pyinfra)
        from gonka_state.engine.observe import Observer  # noqa: PLC0415

        comparer = self.comparer(**words)
        with self.connected() as session:
            observer = Observer(session, comparer.asked, self.kinds, self._event)
            snapshot = observer.look(comparer.hosts())
            comparer = pruning(comparer, snapshot, lambda _: comparer.selected)
            seen = comparer.compare(snapshot)
            between()
            converger = Converger(session, observer, comparer, OPERATIONS, self._event, first, lock)
            return converger.run(snapshot, seen)

    def _event(self, where: str, text: str) -> None:
        self.events.append((where, text))

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A session whose hosts run commands in this machine's own shell."""
        # Loads pyinfra and gevent, which collecting tests must not.
        from pyinfra.api import Config, Inventory, State  # noqa: PLC0415
        from pyinfra.connectors.util import CommandOutput, OutputLine  # noqa: PLC0415
        from pyinfra.context import ctx_state  # noqa: PLC0415

        from gonka_state.engine.jump import Jumps  # noqa: PLC0415
        from gonka_state.engine.session import Session  # noqa: PLC0415
        from gonka_state.engine.unreachable import Unreachable  # noqa: PLC0415

        state = State(Inventory(([*self.hosts], {})), Config(), check_for_changes=False)
        state.is_executing = True
        paper = self

        class Shell:
            """What pyinfra asks of a connector, for one host."""

            def __init__(self, name: str) -> None:
                self.name = name

            def connect(self) -> None:
                """Nothing to do."""

            def run_shell_command(self, command: Any, **arguments: Any) -> tuple[bool, CommandOutput]:  # noqa: ANN401
                number = paper.execs[self.name] = paper.execs.get(self.name, 0) + 1
                line = command if isinstance(command, str) else command.get_raw_value()
                notes = paper.root / self.name
                notes.mkdir(exist_ok=True)
                done = subprocess.run(
                    ["sh", "-c", line],
                    input=(arguments.get("_stdin") or "").encode(),
                    capture_output=True,
                    env={**paper.env, "NOTES": str(notes), "SSH_CONNECTION": "10.77.0.254 1 2 3"},
                    check=False,
                    timeout=60,
                )
                breaks = paper.drop.get(self.name)
                if breaks is not None and breaks(number):
                    raise ConnectionResetError("by peer")
                lines = [
                    OutputLine(name, line)
                    for name, said in (("stdout", done.stdout), ("stderr", done.stderr))
                    for line in said.decode().splitlines()
                ]
                return done.returncode == 0, CommandOutput(lines)

        hosts: dict[str, Any] = {name: state.inventory.get_host(name) for name in self.hosts}
        for name, host in hosts.items():
            host.connector, host.connected = Shell(name), True
        session = Session(state, self.run, hosts, self.desired.hosts, Jumps(1))
        session.unreachable.update({name: Unreachable("is off", "switch it on") for name in self.off})
        ctx_state.set(state)
        try:
            yield session
        finally:
            ctx_state.reset()


@pytest.fixture
def paper(tmp_path: Path, root_env: dict[str, str]) -> Paper:
    """A cluster of two paper hosts."""
    return Paper(tmp_path, root_env)
