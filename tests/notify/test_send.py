"""What is sent arrives at real servers as it was written, and what fails is told without a URL."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from gonka_state.core.notice import Notice, Occasion
from gonka_state.notify.receivers import Receiver
from gonka_state.notify.send import _plugin, _reasons, send
from tests.receiving import SECRET, mailbox, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = "cluster2 · PRODUCTION\n\n  ~ firewall-rule:5050/tcp  from any → <b>192.168.1.106</b> & more\n      indented"
NOTICE = Notice(Occasion.INCIDENT, "cluster2: 1 drifted (cluster2-ml-01 firewall-rule)", BODY)
CHECKS = Path(__file__).parents[2] / "docs/checks.md"
CLOSED = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def _silent(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever happens, nothing that was logged or printed holds the secret."""
    caplog.set_level(logging.DEBUG)
    yield
    said, logged = capfd.readouterr(), caplog.get_records("call")
    assert SECRET not in "".join(record.getMessage() for record in logged) + said.out + said.err


def to(url: str, notice: Notice = NOTICE) -> str:
    return send(Receiver(SecretStr(url), "the only URL in f (x)"), notice)


def test_a_mail_is_plain_text_as_it_was_written() -> None:
    with mailbox() as box:
        assert to(box.url) == ""

    (mail,) = box.mails
    assert box.subjects == [NOTICE.subject]
    assert box.texts[0].rstrip("\n") == BODY
    assert f"{SECRET}@example.org" in str(mail["To"])
    assert "gonka-state@ops.example" in str(mail["From"])


def test_a_webhook_gets_all_of_it() -> None:
    with webhook() as hook:
        assert to(hook.url) == ""
        assert to(hook.url, Notice(Occasion.RECOVERY, "cluster2: recovered", "In sync")) == ""

    first, second = hook.posted
    assert (first["title"], first["message"], first["type"]) == (NOTICE.subject, BODY, "warning")
    assert (second["message"], second["type"]) == ("In sync", "success")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"json://{CLOSED}/{SECRET}", "Connection refused"),
        (f"mailto://{CLOSED}?from=a@ops.example&to={SECRET}@example.org", "Connection refused"),
        (f"json://nobody.invalid/{SECRET}", "its name is not known"),
        (f"nonsense://{SECRET}", "it is no URL that apprise can use"),
        (f"slack://{SECRET}", "it is no URL that apprise can use"),
    ],
)
def test_what_does_not_arrive_is_told_without_the_url(url: str, why: str) -> None:
    assert to(url) == why


def test_what_a_server_refuses_is_told_by_its_number() -> None:
    with mailbox() as box, webhook() as hook:
        box.refuses, hook.status = f"554 no mail for {SECRET}", 404
        said = to(box.url), to(hook.url)

    assert said == ("it answered 554", "it answered 404")


def test_what_a_mail_server_lacks_is_told() -> None:
    with mailbox() as box:
        assert to(box.url.replace("mailto://", "mailtos://")) == "it offers no STARTTLS"
        assert to(box.url.replace("mailto://", f"mailto://me:{SECRET}@")) == "it takes no login"
        assert to(box.url.replace("mailto://", "mailtos://") + "&mode=ssl") == "TLS failed"


def test_a_silent_server_is_not_waited_for() -> None:
    import socket  # noqa: PLC0415 (this test alone)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert to(f"json://127.0.0.1:{port}/{SECRET}?rto=0.3") == "no answer in time"


@pytest.mark.parametrize(
    "url", re.findall(r"^\| [^|`]+ \| `(\w+://[^`]+)`", CHECKS.read_text(), re.MULTILINE)
)
def test_the_urls_of_the_documents_are_understood(url: str) -> None:
    assert _plugin(Receiver(SecretStr(url), "x")) is not None


@given(st.text())
def test_of_what_is_logged_only_our_words_remain(text: str) -> None:
    for reason in _reasons(f"{text} Socket Exception: {text}[Errno 111] {text}"):
        assert reason in {
            "Connection refused", "TLS failed", "no answer in time", "its name is not known",
            "it closed the connection", "it offers no STARTTLS", "it takes no login", "its certificate cannot be trusted",
        } or reason.removeprefix("it answered ").isdecimal()  # fmt: skip


def test_apprise_is_loaded_only_to_send() -> None:
    code = (
        "import sys, gonka_state.notify.send, gonka_state.notify.receivers, gonka_state.cli.notify, gonka_state.cli.drift;"
        "sys.exit('apprise' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
