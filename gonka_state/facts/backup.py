"""The backup of a network host: what the last run left on the host, its timer, and which keys are here.

The repository is asked only where a key is missing: then it decides whether new ones may be made. Otherwise the look
believes the status file, which the program writes from what the repository lists; `verify` asks it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Part, pyinfra_fact, quote, split_parts
from gonka_state.resources.backup import BackupResource
from gonka_state.resources.restored_keys import KEYS, SETTLED, RestoredKeysResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.resources.base import Resource

STATUS = "/var/lib/gonka-state/backup/status.json"
UNIT = "gonka-state-backup"
_DEFAULT = ("/opt/gonka-state/backup", "/opt/gonka/deploy/join")
_PROPERTIES = "LoadState,ActiveState,UnitFileState,NeedDaemonReload"
ASK_SECONDS = 40

_FUNCTIONS = r"""
told() { if [ -e "$1" ]; then cat -- "$1"; else echo null; fi; }
keys() {
  [ -e "$1" ] || ls -d -- "$1" 2>&1 | grep -q 'No such file' || { ls -d -- "$1" >/dev/null; return 1; }
  cd -- "$1" 2>/dev/null || return 0
  shift
  while [ $# -gt 0 ]; do
    for file in $2; do [ ! -e "$file" ] || { echo "$1 $(stat -c %Y -- "$file")"; break; }; done
    shift 2
  done
}
snapshots() {
  [ -e "$1/backup.py" ] && [ -e "$1/settings.json" ] && [ -e "$1/environment" ] || { echo 'the backup is not set up' >&2; return 3; }
  command -v restic >/dev/null || { echo 'restic is not installed' >&2; return 3; }
  timeout -k 5 ASK python3 -B "$1/backup.py" snapshots
}
registered() {
  command -v curl >/dev/null || { echo 'curl is not installed' >&2; return 3; }
  case $(curl -s -o /dev/null -w '%{http_code}' --max-time "$WAIT" -- "$1/v2/participants/$2") in 200) echo yes; return ;; esac
  all=$(curl -sf --max-time "$WAIT" -- "$1/v1/participants") || { echo "$1 does not answer" >&2; return 1; }
  case $all in *"\"$2\""*) echo yes ;; *'"participants"'*) echo no ;; *) echo "$1 answers something else" >&2; return 1 ;; esac
}
""".replace("ASK", str(ASK_SECONDS))


@dataclass(frozen=True, slots=True)
class BackupState:
    """What was found.

    `keys` are those that are here, with the time of their file; `status` and `settled` are None where there is none.
    `snapshots` is None where nobody asked or there is no repository, then `asked` tells which. `trouble` is why the
    repository could not be asked, `absent` that what asks it is not there yet. `registered` is `yes`, `no`, or why
    it is not known; empty where nobody asked.
    """

    now: float
    units: dict[str, dict[str, str]]
    keys: dict[str, float]
    keys_error: str = ""
    status: dict[str, Any] | None = None
    settled: dict[str, Any] | None = None
    snapshots: list[dict[str, Any]] | None = None
    asked: bool = False
    trouble: str = ""
    absent: bool = False
    registered: str = ""


class BackupFact(Fact[BackupState]):
    """The backup of one compose project. As a plain fact it takes `program=` and `directory=`."""

    section: ClassVar[str] = "backup"
    deadline: ClassVar[int | None] = ASK_SECONDS + 20

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Small files and a glance at the keys; the repository only where a key is missing."""
        resource = next((item for item in wanted if isinstance(item, RestoredKeysResource)), None)
        backups = [item for item in wanted if isinstance(item, BackupResource)]
        program, directory = next(
            ((item.program, item.directory) for item in [resource, *backups] if item), _DEFAULT
        )
        pairs = [word for pair in KEYS.items() for word in pair]
        units = [f"{UNIT}.timer", f"{UNIT}.service"]
        lines = [
            _FUNCTIONS,
            f"WAIT={max(look.http_timeout // 2, 1)}",
            "part clock date +%s",
            f"part status told {quote(STATUS)}",
            f"part settled told {quote(SETTLED)}",
            f"part units {quote('systemctl', 'show', '-p', _PROPERTIES, '--', *units)}",
            f"part keys keys {quote(directory, *pairs)}",
        ]
        if resource is not None:
            count = f'"$(keys {quote(directory, *pairs)} 2>/dev/null | wc -l)"'
            lines.append(f"if [ {count} -lt {len(KEYS)} ]; then\npart snapshots snapshots {quote(program)}")
            if resource.account and resource.seed_api:
                lines.append(
                    f"part registered registered {quote(resource.seed_api.rstrip('/'), resource.account)}"
                )
            lines.append("fi")
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """`program` and `directory`, by default the deployment's; the repository is asked where a key is missing."""
        program, directory = (
            str(arguments.pop(word, at)) for word, at in zip(("program", "directory"), _DEFAULT, strict=True)
        )
        if arguments:
            raise FactError(f"{self.section} takes program= and directory=")
        return self.script(
            [RestoredKeysResource(name=directory, program=program, directory=directory)], Look()
        )

    def parse(self, text: str) -> BackupState:
        """Understand the section.

        Raises:
            FactError: it was cut short, or the program's own files say something else than it writes.
        """
        parts = split_parts(text)
        keys, asked = parts.told("keys"), parts.get("snapshots")
        return BackupState(
            now=float(parts.need("clock").text.strip()),
            units=_units(parts.told("units")),
            keys={line.split()[0]: float(line.split()[1]) for line in keys.lines if line.strip()},
            keys_error=keys.failed,
            status=_json(parts.need("status"), dict),
            settled=_json(parts.need("settled"), dict),
            snapshots=None if asked is None or asked.failed else _json(asked, list),
            asked=asked is not None,
            trouble=asked.failed if asked is not None else "",
            absent=asked is not None and asked.status == _ABSENT,
            registered=_registered(parts.get("registered")),
        )


_ABSENT = 3
"""The status with which the section says that a program is not there yet."""


def _registered(part: Part | None) -> str:
    return "" if part is None else part.failed or part.text.strip()


def _json(part: Part, kind: type) -> Any:  # noqa: ANN401 (JSON)
    try:
        found = json.loads(part.text)
    except ValueError as error:
        raise FactError(f"what the backup's program wrote down cannot be read: {error}") from error
    if found is not None and not isinstance(found, kind):
        raise FactError("what the backup's program wrote down is something else")
    return found


def _units(part: Part) -> dict[str, dict[str, str]]:
    """Properties of timer and service, in the order they were asked for."""
    blocks = [block for block in part.text.strip().split("\n\n") if block.strip()]
    answers = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    return dict(zip(("timer", "service"), answers, strict=False))


REPOSITORY = "backup-repository"
"""A section of its own: what the repository lists, asked whatever the host has."""


def repository_script(program: str) -> str:
    """POSIX sh that asks the repository for its snapshots."""
    return f"{_FUNCTIONS}\npart snapshots snapshots {quote(program)}"


def read_repository(text: str) -> list[dict[str, Any]]:
    """What it lists.

    Raises:
        FactError: it could not be asked, or answered with something else.
    """
    return _json(split_parts(text).need("snapshots"), list) or []


FACT = BackupFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Backups", FACT, name)
