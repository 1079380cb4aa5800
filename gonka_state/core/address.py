"""Where a resource lives and what it is called: `host/kind:name`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath


@dataclass(frozen=True, order=True, slots=True)
class Address:
    """One resource of one host. Names may hold `/` and `:`, hosts and kinds may not."""

    host: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}/{self.kind}:{self.name}"

    @property
    def local(self) -> str:
        """The address without its host, as shown under a host's heading."""
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str, *, host: str | None = None) -> Address:
        """Read `host/kind:name`, or `kind:name` when a default `host` is given.

        Raises:
            ValueError: the text has no kind or no host.
        """
        head, colon, name = text.partition(":")
        if not colon or not name:
            raise ValueError(f"{text!r} is no address: expected kind:name or host/kind:name")
        owner, slash, kind = head.rpartition("/")
        owner = owner if slash else (host or "")
        if not owner or not kind or "/" in owner:
            raise ValueError(f"{text!r} is no address: expected host/kind:name")
        return cls(owner, kind, name)

    def plain(self) -> Address:
        """The address of a resource that is named by a path, however that path was written."""
        return replace(self, name=plain(self.name))


def plain(text: str) -> str:
    """An absolute path as programs print it: no slash at its end, none doubled; any other text as it is."""
    return str(PurePosixPath("/" + text.lstrip("/"))) if text.startswith("/") else text
