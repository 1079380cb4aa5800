"""The operator's own side of a lab: the chain's program, and the account key in a keyring that no host sees."""

from __future__ import annotations

import json
import secrets
import sys
from typing import TYPE_CHECKING

from gonka_state.lab.paths import PACKAGE_PARENT
from gonka_state.lab.records import private
from gonka_state.lab.shell import run

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.lab.paths import LabPaths
    from gonka_state.lab.spec import LabSpec

_PROGRAM = """\
#!/bin/sh
# The chain's program as an operator has it, for the lab: its keys lie in {home}
PYTHONPATH={package} exec {python} -P -m gonka_state.lab.standins.inferenced --home {home} "$@"
"""


def prepare(spec: LabSpec, paths: LabPaths) -> str:
    """Write the program and make the account key; its public key, empty where the lab has no account.

    The passphrase of its keyring is in `operator/passphrase`.
    """
    words = _PROGRAM.format(home=paths.operator, package=PACKAGE_PARENT, python=sys.executable)
    private(paths.inferenced, words)
    paths.inferenced.chmod(0o700)
    if not spec.account:
        return ""
    paths.operator.mkdir(mode=0o700)
    passphrase = secrets.token_urlsafe(18)
    private(paths.operator / "passphrase", passphrase + "\n")
    add: list[str | Path] = [
        paths.inferenced,
        "keys",
        "add",
        spec.account,
        "--keyring-backend",
        "file",
        "--output",
        "json",
    ]
    made = json.loads(run(add, stdin=f"{passphrase}\n" * 2).stdout)
    return str(json.loads(made["pubkey"])["key"])
