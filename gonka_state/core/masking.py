"""Texts with secrets, made comparable without showing them.

Both sides go through the same masking: on a line where a secret stands, everything after the word that
names it becomes a salted digest. So a changed secret is seen, and the lines around it stay readable.
The host masks before anything travels; this module is the other half of `facts/files.py`'s script.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DIGEST_LENGTH = 16
NO_NEWLINE = "\\ No newline at end of file"

_PLACEHOLDER = re.compile("\0secret:([^\0]*)\0")
_WORD_BEFORE = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)[^A-Za-z0-9_.]*\Z")
# Names that give away what follows; the same list stands in the host's awk, where case is folded first.
_SUSPECT = re.compile(
    rb"(passw|secret|token|mnemonic|private|passphrase|credential|api_?key)[a-z0-9_]*[\"']*[ \t]*[=:]"
)


def placeholder(name: str) -> str:
    """What stands for the secret `name` in a text until the moment it is written to the host."""
    return f"\0secret:{name}\0"


def reveal(content: str, secrets: Mapping[str, str]) -> str:
    """The text with its secrets in place.

    Raises:
        KeyError: a placeholder names no given secret.
    """
    return _PLACEHOLDER.sub(lambda match: secrets[match[1]], content)


def without_secrets(content: str) -> str:
    """The text with nothing where its secrets go."""
    return _PLACEHOLDER.sub("", content)


def secret_words(content: str) -> tuple[str, ...] | None:
    """The words that name the secrets of a text, or None when one stands without such a word.

    None means that the text can only be compared as a whole, by one digest.
    """
    words: set[str] = set()
    for line in content.split("\n"):
        match = _PLACEHOLDER.search(line)
        if match is None:
            continue
        word = _WORD_BEFORE.search(line[: match.start()])
        if word is None:
            return None
        words.add(word[1])
    return tuple(sorted(words))


def digest(salt: str, data: bytes) -> str:
    """A salted digest, the same as the host's `printf '%s' "$salt$data" | sha256sum`."""
    return hashlib.sha256(salt.encode() + data).hexdigest()[:DIGEST_LENGTH]


def hidden(salt: str, data: bytes) -> str:
    """What is shown instead of a secret."""
    return shown(digest(salt, data))


def shown(digested: str) -> str:
    """A secret by its digest."""
    return f"<secret {digested}>"


def holds_secret(content: str) -> bool:
    """True where a secret's placeholder stands in a text."""
    return _PLACEHOLDER.search(content) is not None


def suspicious(name: str) -> bool:
    """True for the name of a variable that looks as if a secret stood behind it."""
    return _SUSPECT.search(f"{name}=".lower().encode()) is not None


def whole(salt: str, content: str) -> str:
    """A text that is compared as a whole."""
    return f"<{len(content.encode())} bytes, digest {digest(salt, content.encode())}>"


def mask(content: str, words: Iterable[str], salt: str) -> str:
    """Mask a revealed text the way the host does, line by line."""
    if not content:
        return ""
    lines = content.encode("utf-8", "surrogateescape").split(b"\n")
    ends_with_newline = lines[-1] == b""
    if ends_with_newline:
        lines.pop()
    marks = [word.encode() for word in words]
    masked = [_mask_line(line, marks, salt) for line in lines]
    text = "".join(f"{line.decode('utf-8', 'surrogateescape')}\n" for line in masked)
    return text if ends_with_newline else f"{text}{NO_NEWLINE}\n"


def _mask_line(line: bytes, words: Iterable[bytes], salt: str) -> bytes:
    # The earliest of all: behind a later word another secret would stand in the open.
    cuts = [at + len(word) for word in words if (at := line.find(word)) >= 0]
    suspect = _SUSPECT.search(line.lower())
    if suspect:
        cuts.append(suspect.end())
    return _masked(line, min(cuts), salt) if cuts else line


def _masked(line: bytes, cut: int, salt: str) -> bytes:
    return line[:cut] + f" {hidden(salt, line[cut:])}".encode()
