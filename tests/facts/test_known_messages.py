"""Known messages: what a real grep finds in the programs' own lines is what Python knows, and nothing else is."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.facts.known_messages import CONTAINER, DAEMON, KERNEL, UNREAD, Patterns, counted, expression

SAMPLES = (
    'ERR error in proxyAppConn.FinalizeBlock err="no validator signing info found" module=consensus',
    "panic: Failed to process committed block: wrong Block.Header.AppHash.  Expected 03EC, got 028E",
    'ERR UPGRADE "v0.2.12" NEEDED at height: 2140800: {"binaries":{}} module=x/upgrade',
    "write /root/x: no space left on device",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
    'could not select device driver "nvidia" with capabilities: [[gpu]]',
    "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU",
    "Bind for 0.0.0.0:8080 failed: port is already allocated",
    "too many failed passphrase attempts",
    "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the requested files in the disk cache",
    "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character",
    "failed to start daemon: error initializing graphdriver: driver not supported",
    "Failed to create bridge docker0 via netlink: operation not supported",
    "NVRM: API mismatch: the client has the version 550.54.15, but",
    "NVRM: Xid (PCI:0000:23:00): 79, GPU has fallen off the bus.",
    "Out of memory: Killed process 7 (inferenced) total-vm:1kB",
    "blk_update_request: I/O error, dev sda, sector 2048",
)
"""Lines as the programs write them, from their sources and from reports of those who met them."""


@pytest.mark.parametrize("patterns", [CONTAINER, DAEMON, KERNEL], ids=["container", "daemon", "kernel"])
def test_grep_and_python_read_every_pattern_alike(patterns: Patterns) -> None:
    found = subprocess.run(
        ["grep", "-aoE", "--", expression(patterns)],
        input="\n".join(SAMPLES),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    known = counted([f"      1 {said}" for said in found], patterns)

    assert {said for one in known.values() for said in one} == set(found)
    assert set(known) == set(patterns), "a pattern that no line of any program meets is none"


def test_the_mark_of_a_log_that_could_not_be_read_is_no_message() -> None:
    assert re.search(expression(CONTAINER), UNREAD)
    assert counted([f"      1 {UNREAD}"], CONTAINER) == {}


@given(st.lists(st.text()))
def test_any_lines_are_understood_or_dropped(lines: list[str]) -> None:
    assert set(counted(lines, CONTAINER)) <= set(CONTAINER)
