"""Every program that is started on this machine, lab hosts and containers included, with its arguments.

The kernel tells it (audit, record EXECVE); `ps` would miss what lives for a moment. Lab hosts share the kernel.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NETLINK_AUDIT, _SO_RCVBUFFORCE = 9, 33
_REQUEST, _ACK, _ERROR = 1, 4, 2
_GET, _SET, _ADD, _DELETE, _EXECVE = 1000, 1001, 1011, 1012, 1309
_HEAD = "=IHHII"
_HEAD_SIZE = 16
_ENABLED, _PID, _BACKLOG = 1, 4, 16
_ALWAYS, _ON_EXIT, _FIELD_ARCH, _EQUAL, _X86_64 = 2, 4, 11, 0x40000000, 0xC000003E
_CALLS = (59, 322)  # execve, execveat
_LOST_AT = 6


def _rule() -> bytes:
    mask, fields, values, flags = ([0] * 64 for _ in range(4))
    for number in _CALLS:
        mask[number // 32] |= 1 << (number % 32)
    fields[0], values[0], flags[0] = _FIELD_ARCH, _X86_64, _EQUAL
    return struct.pack("=3I", _ON_EXIT, _ALWAYS, 1) + b"".join(
        struct.pack("=64I", *part) for part in (mask, fields, values, flags)
    ) + struct.pack("=I", 0)  # fmt: skip


def _status(mask: int, *, enabled: int = 0, pid: int = 0) -> bytes:
    return struct.pack("=11I", mask, enabled, 0, pid, 0, 65536, 0, 0, 0, 0, 0)


class Execs:
    """Listens while it is entered, and writes every argument list to `file`; `find` searches them afterwards.

    Raises:
        OSError: the kernel has no audit, or somebody else listens to it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_AUDIT)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self.heard = 0
        self.lost = 0
        self._lost_before = 0

    def __enter__(self) -> Self:
        try:
            self._ask(_SET, _status(_ENABLED | _PID | _BACKLOG, enabled=1, pid=os.getpid()))
            with suppress(FileExistsError):  # a run that was killed left it
                self._ask(_ADD, _rule())
            self._lost_before = self._lost()
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(0.2)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.settimeout(5)
        self.lost = self._lost() - self._lost_before
        self._ask(_DELETE, _rule())
        self._ask(_SET, _status(_ENABLED | _PID))
        self._socket.close()

    def _ask(self, kind: int, payload: bytes) -> None:
        """One request, acknowledged."""
        self._send(kind, payload, _REQUEST | _ACK)
        (code,) = struct.unpack("=i", self._answer(_ERROR)[:4])
        if code:
            raise OSError(-code, os.strerror(-code))

    def _lost(self) -> int:
        """How many records the kernel could not hand over since it was started."""
        self._send(_GET, b"", _REQUEST)
        fields = struct.unpack("=8I", self._answer(_GET)[:32])
        return int(fields[_LOST_AT])

    def _send(self, kind: int, payload: bytes, flags: int) -> None:
        self._socket.send(struct.pack(_HEAD, _HEAD_SIZE + len(payload), kind, flags, 1, 0) + payload)

    def _answer(self, kind: int) -> bytes:
        while True:
            data = self._socket.recv(1 << 16)
            if struct.unpack(_HEAD, data[:_HEAD_SIZE])[1] == kind:
                return data[_HEAD_SIZE:]

    def _listen(self) -> None:
        with self._file.open("w", encoding="utf-8", errors="replace") as records:
            while not self._stopped.is_set():
                try:
                    data = self._socket.recv(1 << 16)
                except TimeoutError:
                    continue
                if struct.unpack(_HEAD, data[:_HEAD_SIZE])[1] == _EXECVE:
                    self.heard += 1
                    records.write(data[_HEAD_SIZE:].decode(errors="replace") + "\n")

    def find(self, words: Iterable[str]) -> list[str]:
        """The records in which one of `words` stands; the kernel writes arguments with blanks in them in hex."""
        needles = [needle for word in words for needle in (word, word.encode().hex().upper())]
        with self._file.open(encoding="utf-8") as records:
            return [line for line in records if any(needle in line for needle in needles)]
