"""The program `inferenced` as an operator types it: which module answers which words (gonka-contract 6)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from gonka_state.lab.standins import joining, keys, signing
from gonka_state.lab.standins.commandline import Failed, Line, complain, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Command = Callable[[Line], None]

COMMANDS: Mapping[str, Command] = {
    "keys add": keys.add,
    "keys show": keys.show,
    "keys list": keys.list_all,
    "keys mnemonic": keys.mnemonic,
    "register-new-participant": joining.register,
    "tendermint show-validator": joining.show_validator,
    "tendermint show-node-id": joining.show_node_id,
    "tx inference grant-ml-ops-permissions": signing.grant,
    "tx inference submit-new-participant": signing.submit_participant,
    "query authz grants": signing.query_grants,
    "query authz grants-by-grantee": signing.query_grants_to,
}


def main(argv: Sequence[str]) -> int:
    """Run one command line. Errors go to stderr in one line, with exit status 1, as the real program has it."""
    try:
        line = parse(argv, COMMANDS)
        COMMANDS[line.command](line)
    except Failed as error:
        complain(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
