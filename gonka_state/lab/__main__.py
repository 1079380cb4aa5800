"""Boots the lab of the example cluster without the command line tool: `python -m gonka_state.lab up`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gonka_state import lab
from gonka_state.errors import GonkaStateError

if TYPE_CHECKING:
    from collections.abc import Sequence

SPEC = lab.LabSpec(
    cluster="cluster2",
    user="ubuntu",
    hosts=(
        lab.LabHost("cluster2-network", "network"),
        *(lab.LabHost(f"cluster2-ml-{number:02d}", "ml") for number in range(1, 6)),
    ),
    models={
        "Qwen/Qwen3-32B-FP8": "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df",
        "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8": "c0eb82898e3da8fb6dd017e3e6698a5e37b3a3e6",
    },
)


def say(line: str) -> None:
    """Tell progress apart from results."""
    sys.stderr.write(f"{line}\n")


def main(words: Sequence[str]) -> int:
    """Carry out one word of the lab's vocabulary."""
    try:
        match list(words):
            case ["up"]:
                sys.stdout.write(f"{lab.up(SPEC, say=say).overlay}\n")
            case ["down"]:
                lab.down(SPEC.cluster, say=say)
            case ["status"]:
                for host in lab.status():
                    sys.stdout.write(f"{host}\n")
            case ["off" | "on" | "cut" | "mend" as word, host]:
                {"off": lab.power_off, "on": lab.power_on, "cut": lab.cut, "mend": lab.mend}[word](host)
            case _:
                say("up | down | status | off HOST | on HOST | cut HOST | mend HOST")
                return 4
    except GonkaStateError as error:
        say(f"{error.message}\n{error.hint}".strip())
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
