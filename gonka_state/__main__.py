"""Patch for gevent before a command that connects, and name what ends the program; then the command line."""

from __future__ import annotations

import os
import signal
import sys

from gonka_state.core.leaving import leave

CONNECTING = frozenset({
    "diff", "converge", "drift", "verify", "doctor", "observe", "adopt", "hosts", "cleanup", "restart", "backup",
})  # fmt: skip
INTERRUPTED = 130


def main() -> int:
    """Run the command line; the return value is the exit status."""
    _as_interrupts(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    _have_somewhere_to_write()
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    offline = any(word.startswith("--observed") or word == "--help" for word in sys.argv)
    if command in CONNECTING and not offline:
        # pyinfra's parallelism is gevent's; patched any later, sockets and locks stay blocking.
        from gevent import monkey  # noqa: PLC0415

        monkey.patch_all()
    from gonka_state.cli import run  # noqa: PLC0415 (after the patch)

    status = run(sys.argv[1:])
    if status == INTERRUPTED:
        leave(status)
    return status


def _have_somewhere_to_write() -> None:
    """Take the place of streams that were closed before we began: the next file to be opened would be in it."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))


def _as_interrupts(*numbers: signal.Signals) -> None:
    """Have these end the program as an interrupt does, so that what it started ends with it.

    What nohup and the like have us ignore stays ignored.
    """
    for number in numbers:
        if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    """Raise in the main greenlet, wherever the signal finds us: a thread of paramiko's would swallow it."""
    if "gevent" in sys.modules:
        from gevent import get_hub  # noqa: PLC0415 (only where it is loaded)

        get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
    else:
        raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
