"""A real SMTP server and a real HTTP server on loopback, which keep what they are sent."""

from __future__ import annotations

import email
import email.policy
import http.server
import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session

SECRET = "c0ffee-secret"  # noqa: S105 (what must not be shown)


@dataclass
class Mailbox:
    """A mail server. `refuses` is what it answers instead of taking a mail, such as `451 later`."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: str = ""

    @property
    def url(self) -> str:
        """What delivers to it: plain SMTP, without a login."""
        return f"mailto://127.0.0.1:{self.port}?from=gonka-state@ops.example&to={SECRET}@example.org"

    @property
    def subjects(self) -> list[str]:
        """Of every mail that it took, in order."""
        return [str(mail["Subject"]) for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        """The text of every mail that it took, in order; each is plain text and nothing else."""
        assert {mail.get_content_type() for mail in self.mails} <= {"text/plain"}
        return [str(mail.get_content()).replace("\r\n", "\n") for mail in self.mails]

    async def handle_DATA(  # noqa: N802 (aiosmtpd's)
        self,
        server: SMTP,  # noqa: ARG002 (aiosmtpd's)
        session: Session,  # noqa: ARG002 (aiosmtpd's)
        envelope: Envelope,
    ) -> str:
        """Take a mail, or refuse it."""
        if self.refuses:
            return self.refuses
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 taken"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server while the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box = Mailbox(free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Hook:
    """A webhook. `status` is what it answers."""

    port: int = 0
    status: int = 200
    posted: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """What posts to it."""
        return f"json://127.0.0.1:{self.port}/{SECRET}"


@contextmanager
def webhook() -> Iterator[Hook]:
    """A web server while the block lasts."""
    hook = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path.strip("/") == SECRET
            if hook.status == 200:
                hook.posted.append(json.loads(body))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield hook
        finally:
            server.shutdown()
