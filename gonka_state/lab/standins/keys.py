"""`inferenced keys …`: prompts, outputs and faults of the real commands (gonka-contract 6.1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonka_state.lab.standins import wallet
from gonka_state.lab.standins.commandline import Failed, Line, ask, complain, say
from gonka_state.lab.standins.keyring import Keyring

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json

_IMPORTANT = (
    "\n**Important** write this mnemonic phrase in a safe place.\n"
    "It is the only way to recover your account if you ever forget your password.\n"
)


def add(line: Line) -> None:
    """Make a key, or recover one: an existing name is overridden after a question, never refused."""
    name, keyring = line.word("name"), Keyring(line)
    existing = keyring.key(name)
    if existing is not None:
        answer = ask(f"override the existing name {name} [y/N]: ")
        if not answer.lower().startswith("y"):
            raise Failed("aborted")
        keyring.delete(existing)
    words = ask("> Enter your bip39 mnemonic\n") if line.on("recover") else wallet.new_words()
    if not wallet.valid(words):
        raise Failed("invalid mnemonic")
    record = keyring.save(name, wallet.address(words), _any(wallet.public_key(words)))
    shown = not line.on("recover") and not line.on("no-backup")
    if _format(line) == "json":
        say(_compact(record | {"mnemonic": words} if shown else record))
        return
    complain()
    _print_text([record])
    if shown:
        complain(f"{_IMPORTANT}\n{words}")


def show(line: Line) -> None:
    """Show a key by name or address."""
    wanted, keyring = line.word("name_or_address"), Keyring(line)
    if (line.on("address") or line.on("pubkey")) and "output" in line.flags:
        raise Failed("cannot use --output with --address or --pubkey")
    if line.on("address") and line.on("pubkey"):
        raise Failed("cannot use both --address and --pubkey at once")
    record = keyring.key(wanted) or _by_address(keyring, wanted)
    if line.on("address"):
        say(record["address"])
    elif line.on("pubkey"):
        say(record["pubkey"])
    elif _format(line) == "json":
        say(_compact(record))
    else:
        _print_text([record])


def list_all(line: Line) -> None:
    """List every key; an empty keyring asks for no passphrase."""
    keyring = Keyring(line)
    records = [record for name in keyring.names() if (record := keyring.key(name)) is not None]
    if _format(line) == "json":
        say(_compact(records))
    elif records:
        _print_text(records)
    else:
        say("No records were found in keyring.")


def mnemonic(line: Line) -> None:  # noqa: ARG001 (every command's signature)
    """Print a fresh mnemonic, and make no key."""
    say(wallet.new_words())


def _by_address(keyring: Keyring, wanted: str) -> Json:
    try:
        name = keyring.name_of(wanted)
    except ValueError as error:
        raise Failed(f"{wanted} is not a valid name or address: {error}") from error
    record = None if name is None else keyring.key(name)
    if record is None:
        raise Failed(f"{wanted} is not a valid name or address: key not found")
    return record


def _any(key: str) -> str:
    """A public key as the real program prints it: JSON, which stands as a string inside other JSON."""
    return _compact({"@type": "/cosmos.crypto.secp256k1.PubKey", "key": key})


def _format(line: Line) -> str:
    wanted = line.flag("output", "text")
    if wanted not in {"text", "json"}:
        raise Failed(f"invalid output format {wanted}")
    return wanted


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _print_text(records: list[Json]) -> None:
    for record in records:
        say(f"- address: {record['address']}\n  name: {record['name']}")
        say(f"  pubkey: '{record['pubkey']}'\n  type: {record['type']}")
    say()
