"""One cluster's backup, worked with on its network host: taken, listed, restored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonka_state.core.restoring import KEPT_APART, Restore, Snapshot, signs_still
from gonka_state.engine.hands import Hands
from gonka_state.errors import GonkaStateError, InputError, RefusedError, StepError
from gonka_state.facts.base import quote
from gonka_state.operations.backup import HOURS, now
from gonka_state.operations.base import Do, Result, Say, carry_on
from gonka_state.resources.backup import BackupResource
from gonka_state.resources.restored_keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.desired import Desired
    from gonka_state.engine.session import Session
    from gonka_state.operations.base import Command
    from gonka_state.resources.base import Resource

NOT_THERE = 127


@dataclass(frozen=True, slots=True)
class Declared:
    """Where a cluster's backup is declared to be taken."""

    host: str
    resource: BackupResource

    @classmethod
    def of(cls, desired: Desired[Resource]) -> Declared:
        """The one backup of a cluster.

        Raises:
            InputError: it declares none.
        """
        for address, item in desired.resources.items():
            if isinstance(item.resource, BackupResource):
                return cls(address.host, item.resource)
        raise InputError(
            [f"{desired.cluster} declares no backup"],
            hint="backup: {repository: …, password: …} (docs/backup.md)",
        )


@dataclass(frozen=True, slots=True)
class Keeper:
    """A connected host and the program on it. `say(host, text)` gets lines of progress."""

    session: Session
    declared: Declared
    file: str
    say: Callable[[str, str], None]

    def take(self) -> None:
        """Take a snapshot now.

        Raises:
            StepError: none was taken, in restic's words.
        """
        self._there("backup.py")
        carry_on(now(self.declared.resource, check=False), self._execute)

    def _execute(self, command: Command) -> Result:
        if isinstance(command, Do):
            return self._do(command)
        if isinstance(command, Say):
            self.say(self.declared.host, command.text)
        return Result(0)

    def snapshots(self) -> list[Snapshot]:
        """What the repository has of this cluster, the oldest first; nothing where there is no repository.

        Raises:
            GonkaStateError: it cannot be asked.
        """
        found = self._ask("list the snapshots", "backup.py snapshots")
        return [Snapshot.told(item) for item in found or ()]

    def choose(self, wanted: str) -> Snapshot:
        """The snapshot of this id, else the newest.

        Raises:
            GonkaStateError: there is none, or none of this id.
        """
        found = self.snapshots()
        if not found:
            raise GonkaStateError(f"{self.declared.resource.repository} has no snapshot of this cluster")
        if not wanted:
            return found[-1]
        same = [item for item in found if item.id.startswith(wanted) or wanted.startswith(item.id)]
        if len(same) != 1:
            raise GonkaStateError(
                f"{len(same) or 'no'} snapshots of this cluster begin with {wanted}",
                hint=f"gonka-state backup list {self.file} shows them",
            )
        return same[0]

    def plan(self, snapshot: Snapshot, *, consensus: bool) -> tuple[Restore, int]:
        """What restoring it would do, and the height that its signer must be told to have signed.

        Raises:
            RefusedError: it must not be restored here, or its consensus key may still sign elsewhere.
        """
        answer = self._ask("look into the snapshot", f"restore.py plan {quote(snapshot.id)}")
        key_file = f"{self.declared.resource.directory}/{KEYS['consensus-key']}"
        restore = Restore.told(answer, key_file, consensus=consensus)
        if not restore.missing and not restore.live:
            return restore, 0
        why, hint = restore.refused()
        if why:
            raise RefusedError(f"{self.declared.host}: {why}", hint=hint)
        return restore, self._height(restore) if restore.brings_consensus else 0

    def _height(self, restore: Restore) -> int:
        chain = self._ask("ask the chain who signs", f"restore.py signer {quote(restore.key)}")
        why = signs_still(chain["height"], chain["signed"], chain["asked"])
        if why:
            raise RefusedError(
                f"{self.declared.host}: {why}",
                hint=f"stop that signer for good, wait {chain['asked']} blocks, and run this again; "
                f"or leave out --allow consensus-key: {KEPT_APART}",
            )
        return int(chain["ahead"])

    def place(self, snapshot: Snapshot, restore: Restore, height: int) -> list[str]:
        """Bring back what is missing; the paths that were written.

        Raises:
            StepError: it could not be done to the end; what is there stays, and the same command goes on.
        """
        wanted = quote(",".join(sorted(restore.wanted)))
        try:
            return [
                str(path)
                for path in self._ask("restore", f"restore.py place {quote(snapshot.id)} {wanted} {height}")
            ]
        except GonkaStateError as error:
            raise StepError(
                error.message, hint="run the same command again: it goes on with what is missing"
            ) from error

    def _ask(self, about: str, words: str) -> Any:  # noqa: ANN401 (JSON)
        self._there(words.split(maxsplit=1)[0])
        program = self.declared.resource.program
        result = self._do(Do(about, f"exec python3 -B {quote(program)}/{words}", deadline=HOURS))
        if result.status:
            what = result.words or f"status {result.status}"
            raise GonkaStateError(f"{self.declared.host}: could not {about}: {what}")
        return json.loads(result.stdout)

    def _there(self, program: str) -> None:
        path = f"{self.declared.resource.program}/{program}"
        if (
            self._do(Do("look for the program", f"[ -e {quote(path)} ] || exit {NOT_THERE}")).status
            == NOT_THERE
        ):
            raise GonkaStateError(
                f"{self.declared.host} is not set up for backups yet: {path} is not there",
                hint=f"gonka-state converge {self.file} sets it up; it makes no keys while the backup has them",
            )

    def _do(self, command: Do) -> Result:
        """One command; a lost connection or a deadline ends it.

        Raises:
            StepError: its end was not seen.
        """
        result = Hands(self.session).do(self.declared.host, command)
        if result.unanswered:
            raise StepError(
                f"{self.declared.host}: {command.about}: {result.words or 'not finished in time'}"
            )
        return result
