"""The one place that knows apprise. It is loaded when something is sent, and nothing it says is repeated."""

from __future__ import annotations

import logging
import os
import re
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from gonka_state.core.notice import Occasion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apprise import NotifyBase

    from gonka_state.core.notice import Notice
    from gonka_state.notify.receivers import Receiver

NO_REASON = "apprise gives no reason"
_CLUES = (
    (re.compile(r"error=(\d{3})\b"), "it answered {}"),
    (re.compile(r"\((\d{3}), b['\"]"), "it answered {}"),
    (re.compile(r"CERTIFICATE_VERIFY_FAILED"), "its certificate cannot be trusted"),
    (re.compile(r"STARTTLS extension not supported"), "it offers no STARTTLS"),
    (re.compile(r"AUTH extension not supported"), "it takes no login"),
    (re.compile(r"\[SSL"), "TLS failed"),
    (re.compile(r"Errno -\d+|getaddrinfo"), "its name is not known"),
    (re.compile(r"timed out"), "no answer in time"),
    (re.compile(r"unexpectedly closed"), "it closed the connection"),
)
_ERRNO = re.compile(r"Errno (\d+)\]")


def send(receiver: Receiver, notice: Notice) -> str:
    """Hand a message over, once; why it was not taken, or nothing where it was."""
    with _heard() as clues:
        plugin = _plugin(receiver)
        if plugin is None:
            return "it is no URL that apprise can use"
        try:
            taken = _notify(plugin, notice)
        except Exception as error:  # noqa: BLE001 (a plugin of somebody else's: its text may hold the URL)
            return f"apprise failed with {type(error).__name__}"
    return "" if taken else next(iter(clues), NO_REASON)


def _plugin(receiver: Receiver) -> NotifyBase | None:
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 (only when something is sent)

    asset = AppriseAsset(
        app_id="gonka-state",
        app_desc="gonka-state",
        app_url="",
        async_mode=False,
        secure_logging=True,
        storage_mode="memory",
    )
    return Apprise.instantiate(_plain(receiver.url.get_secret_value()), asset=asset)


def _notify(plugin: NotifyBase, notice: Notice) -> bool:
    from apprise import NotifyFormat, NotifyType  # noqa: PLC0415 (as above)

    kinds = {
        Occasion.INCIDENT: NotifyType.WARNING,
        Occasion.RECOVERY: NotifyType.SUCCESS,
        Occasion.TEST: NotifyType.INFO,
    }
    return bool(
        plugin.notify(
            title=notice.subject,
            body=notice.body,
            notify_type=kinds[notice.occasion],
            body_format=NotifyFormat.TEXT,
        )
    )


def _plain(url: str) -> str:
    """The URL with what its owner did not decide: mails as plain text, and what is too long for a chat is cut."""
    wanted = {"overflow": "truncate"}
    if url.lower().startswith("mailto"):
        wanted["format"] = "text"
    for name, value in wanted.items():
        if not re.search(rf"[?&]{name}=", url):
            url += f"{'&' if '?' in url else '?'}{name}={value}"
    return url


class _Ear(logging.Handler):
    """Takes from what is logged only why something failed, in our words: the rest may hold a URL."""

    def __init__(self) -> None:
        super().__init__()
        self.clues: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):
            self.clues += _reasons(record.getMessage())


def _reasons(text: str) -> Iterator[str]:
    for pattern, reason in _CLUES:
        if match := pattern.search(text):
            yield reason.format(*match.groups())
    if match := _ERRNO.search(text):
        yield os.strerror(int(match[1]))


@contextmanager
def _heard() -> Iterator[list[str]]:
    """While apprise works no logger and no warning reaches anybody but the ear."""
    root, ear = logging.getLogger(), _Ear()
    handlers, level, disabled = root.handlers, root.level, logging.root.manager.disable
    root.handlers = [ear]
    root.setLevel(logging.DEBUG)
    logging.disable(logging.NOTSET)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield ear.clues
    finally:
        root.handlers = handlers
        root.setLevel(level)
        logging.disable(disabled)
