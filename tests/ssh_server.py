"""An SSH server on this machine, for what is asked before and while somebody logs in."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def server(*host_keys: Any, executes: bool = False) -> Iterator[int]:  # noqa: ANN401 (paramiko's keys)
    """An SSH server that shows keys, lets anybody's key in, and forwards nothing; yields its port.

    Where it `executes`, what it is told runs in this machine's own shell.
    """
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    class Rules(paramiko.ServerInterface):
        def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:  # noqa: ARG002
            return paramiko.common.AUTH_SUCCESSFUL

        def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
            refused: int = paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
            return paramiko.common.OPEN_SUCCEEDED if executes and kind == "session" else refused

        def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
            threading.Thread(target=_execute, args=(channel, command.decode()), daemon=True).start()
            return True

        def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
            return "publickey"

    transports: list[paramiko.Transport] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                transport = paramiko.Transport(sock)
                transports.append(transport)
                for key in host_keys:
                    transport.add_server_key(key)
                transport.start_server(event=threading.Event(), server=Rules())

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for transport in transports:
                transport.close()


def _execute(channel: Any, command: str) -> None:  # noqa: ANN401 (paramiko's channel)
    process = subprocess.Popen(
        ["sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 2"},
    )

    def feed() -> None:
        assert process.stdin is not None
        # A program may end before it has read everything, and a client may go before it was told everything.
        with suppress(OSError), process.stdin as told:
            while data := channel.recv(65536):
                told.write(data)
                told.flush()

    threading.Thread(target=feed, daemon=True).start()
    assert process.stdout is not None
    with process.stdout as said, suppress(OSError):
        for line in said:
            channel.sendall(line)
    status = process.wait()
    with suppress(OSError, EOFError):
        channel.send_exit_status(status)
        channel.close()
