"""The operator's values of `network:`, resolved and checked without ever being shown."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

from gonka_state.spec.checks import is_host
from gonka_state.spec.references import usable

if TYPE_CHECKING:
    from gonka_state.spec.problems import Problems
    from gonka_state.spec.references import References, Value
    from gonka_state.spec.tree import Node

KEY_BYTES = 33
KEY_STARTS = (2, 3)
LEAST_PASSWORD, MOST_PASSWORD = 8, 72
# Between single quotes dash and compose 5 read every printable character alike but these two (both were run).
_READ_DIFFERENTLY = re.compile(r"['\x00-\x1f\x7f]|\\$")


def resolve(tree: Node, word: str, references: References, problems: Problems) -> Value | None:
    """The value of a word of `network:` (`account.pubkey` included), or None where it is not given."""
    network = tree.get("network")
    for part in word.split("."):
        network = None if network is None else network.get(part)
    if network is None or not usable(network):
        return None
    secret = word == "keyring_password"
    value = references.value(network, secret=secret)
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    wrong = CHECKS[word](plain) if isinstance(plain, str) else ""
    if wrong:
        problems.add(network.where if secret else network.source, f"network.{word} {wrong}")
    return value


def _public_host(text: str) -> str:
    if is_host(text):
        return ""
    return f"{text[:80]!r} is neither an IP address nor a host name; write it without scheme and port"


def _pubkey(text: str) -> str:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) == KEY_BYTES and key[0] in KEY_STARTS:
        return ""
    if text.startswith("gonka1"):
        return (
            "is an address; expected the account's public key (inferenced keys show NAME --pubkey, field key)"
        )
    return f"is no account public key: expected base64 of {KEY_BYTES} bytes (44 characters) that start with 02 or 03"


def _password(text: str) -> str:
    """The command line tool takes 8 characters, bcrypt 72 bytes, and a line of input loses blanks at its ends."""
    if _READ_DIFFERENTLY.search(text):
        return (
            "holds a single quote or a control character, or ends with a backslash: "
            "the shell and compose read these differently, choose another"
        )
    if text != text.strip():
        return "begins or ends with a blank, which inferenced cuts off"
    if len(text) < LEAST_PASSWORD or len(text.encode()) > MOST_PASSWORD:
        return f"is no passphrase of a keyring: {LEAST_PASSWORD} characters at least, {MOST_PASSWORD} bytes at most"
    return ""


CHECKS = {"public_host": _public_host, "account.pubkey": _pubkey, "keyring_password": _password}
