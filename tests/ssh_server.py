"""An SSH server on this machine, for what is asked before and while somebody logs in."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def server(*host_keys: Any) -> Iterator[int]:  # noqa: ANN401 (paramiko's keys)
    """An SSH server that shows keys, lets anybody's key in, and forwards nothing; yields its port."""
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    class Rules(paramiko.ServerInterface):
        def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:  # noqa: ARG002
            return paramiko.common.AUTH_SUCCESSFUL

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
