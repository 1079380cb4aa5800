"""The first word of a host's line in an inventory: a name, a range of names, a port behind it."""

from __future__ import annotations

import re

MAX_HOSTS = 1000
_RANGE = re.compile(r"\[(?P<first>\w+):(?P<last>\w+)(?::(?P<step>[0-9]{1,4}))?\]")
_PORT = re.compile(r"(?P<name>.*[^:]):(?P<port>[0-9]{1,5})")
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,253}")


def expand(pattern: str) -> list[str]:
    """The names of `ml[01:05]`, `ml[a:c]` or `10.0.0.[1:9:2]`, in order.

    Raises:
        ValueError: it is no name and no range, or stands for more than 1000 hosts.
    """
    found = _RANGE.search(pattern)
    if found is None:
        if not _NAME.fullmatch(pattern):
            raise ValueError(f"{pattern[:80]!r} is no host's name, nor a range such as ml[01:05]")
        return [pattern]
    head, tail = pattern[: found.start()], expand(f"x{pattern[found.end() :]}")
    names = [f"{head}{one}{rest[1:]}" for one in _items(found) for rest in tail]
    if len(names) > MAX_HOSTS:
        raise ValueError(f"{pattern[:80]!r} stands for more than {MAX_HOSTS} hosts")
    if not all(_NAME.fullmatch(name) for name in names[:1]):
        raise ValueError(f"{pattern[:80]!r} is no range of hosts' names")
    return names


def _items(found: re.Match[str]) -> list[str]:
    first, last, step = found["first"], found["last"], int(found["step"] or 1)
    numbers = _ASCII_DIGITS.fullmatch(first) and _ASCII_DIGITS.fullmatch(last)
    if step and numbers:
        padded = first.startswith("0") and len(first) > 1
        if int(first) <= int(last) < int(first) + MAX_HOSTS * step and not (
            padded and len(first) != len(last)
        ):
            width = len(first) if padded else 0
            return [f"{number:0{width}}" for number in range(int(first), int(last) + 1, step)]
    elif step and len(first) == len(last) == 1 and first.isascii() and last.isascii() and first <= last:
        return [chr(code) for code in range(ord(first), ord(last) + 1, step)]
    raise ValueError(
        f"{found[0]!r} is no range of at most {MAX_HOSTS}: [FIRST:LAST] of two numbers, or of two letters; "
        "leading zeros need the same width at both ends"
    )


_ASCII_DIGITS = re.compile(r"[0-9]{1,9}")


def without_port(word: str) -> tuple[str, str]:
    """The name or pattern, and the port behind it or an empty text. An IPv6 address has none without brackets."""
    if word.startswith("[") and "]:" in word and _RANGE.match(word) is None:
        name, _, port = word[1:].partition("]:")
        return name, port
    found = _PORT.fullmatch(word)
    if found is None or found["name"].count(":") > found["name"].count("["):
        return word, ""
    return found["name"], found["port"]
