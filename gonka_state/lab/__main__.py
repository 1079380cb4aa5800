"""Trouble for the hosts of a running lab: `python -m gonka_state.lab off|on|cut|mend HOST`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gonka_state import lab
from gonka_state.errors import GonkaStateError

if TYPE_CHECKING:
    from collections.abc import Sequence

TROUBLE = {"off": lab.power_off, "on": lab.power_on, "cut": lab.cut, "mend": lab.mend}
USAGE = 4


def main(words: Sequence[str]) -> int:
    """Do one thing to one host."""
    match list(words):
        case [verb, host] if verb in TROUBLE:
            try:
                TROUBLE[verb](host)
            except GonkaStateError as error:
                sys.stderr.write(f"error: {error.message}\n{error.hint}".rstrip() + "\n")
                return error.exit_status
            return 0
        case _:
            sys.stderr.write(f"usage: python -m gonka_state.lab {'|'.join(TROUBLE)} HOST\n")
            return USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
