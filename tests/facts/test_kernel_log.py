"""The kernel's log: known messages and nothing else. No lab host has one, so what a journal would print is handed in.

Lines: an out-of-memory kill as Linux 6 words it, and a lost card as its owner's journal showed it (driver 450).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts import kernel_log
from gonka_state.facts.base import quote
from gonka_state.facts.snapshot import Answer, HostLook
from tests.facts.conftest import run_body

LINES = """\
NVRM: Xid (PCI:0000:01:00): 79, pid=1122, GPU has fallen off the bus.
NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.
Memory cgroup out of memory: Killed process 19236 (python3) total-vm:34892kB, anon-rss:7220kB, file-rss:8448kB
audit: user hunter logged in with password=Correct-Horse-9
NVRM: Xid (PCI:0000:01:00): 79, pid=1122, GPU has fallen off the bus.
"""
JOURNAL = "journalctl() {{ case \"$*\" in *'-n 1'*) printf %s {0} | head -n 1 ;; *) printf %s {0} ;; esac; }}\ninside() {{ echo {1}; }}"


def body(lines: str, virtual: str = "none") -> str:
    """The section's own script, with another journal and another machine under it."""
    script = kernel_log.script().replace(
        "part inside inside", f"{JOURNAL.format(quote(lines), virtual)}\npart inside inside"
    )
    return run_body(script)


def test_known_messages_are_counted_and_no_other_word_leaves_the_host() -> None:
    text = body(LINES)

    assert "Correct" not in text
    assert "anon-rss" not in text
    assert kernel_log.parse(text).said == {
        "xid": {"NVRM: Xid (PCI:0000:01:00): 79": 2},
        "gpu-lost": {"GPU has fallen off the bus": 3},
        "killed": {"out of memory: Killed process 19236 (python3)": 1},
    }


def test_a_container_shows_no_log_of_the_kernel() -> None:
    assert kernel_log.parse(body(LINES, "systemd-nspawn")) == kernel_log.KernelLog(inside="systemd-nspawn")


def test_a_journal_without_the_kernel_is_no_clean_one() -> None:
    with pytest.raises(FactError, match="nothing of the kernel"):
        kernel_log.parse(body(""))


def test_a_journal_that_cannot_be_read_is_no_clean_one() -> None:
    script = kernel_log.script().replace(
        "part inside inside",
        "journalctl() { case \"$*\" in *'-n 1'*) echo one ;; *) return 1 ;; esac; }\ninside() { echo none; }\npart inside inside",
    )

    said = kernel_log.read(HostLook({kernel_log.SECTION: Answer(run_body(script))}))

    assert said == "the kernel's journal cannot be read"


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    framed = f"#@x part inside\nnone\n\n#@x rc 0 \n#@x part messages\n{text}\n\n#@x rc 0 \n"
    for answer in (text, framed):
        said = kernel_log.read(HostLook({kernel_log.SECTION: Answer(answer)}))
        assert isinstance(said, kernel_log.KernelLog | str)
