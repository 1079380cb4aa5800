"""The words of OpenSSH's client, read back by the client itself (`ssh -G` prints what it understood)."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest

from gonka_state.core.desired import Login
from gonka_state.core.ssh_client import ssh

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh client here")

HOST = Login("ml-01", "10.0.0.2", "ubuntu", 2222, "/keys/a key 100%", "/etc/pinned hosts")
JUMP = Login("jump", "192.0.2.1", "op", 22, "/keys/jump", "/etc/jump hosts")


def understood(words: list[str]) -> dict[str, str]:
    """What the client makes of its arguments, by option in lower case."""
    done = subprocess.run([words[0], "-G", *words[1:]], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def hop(command: str) -> tuple[dict[str, str], str]:
    """What the client in a ProxyCommand understands, and where it leads; `%%` is one `%` once it has been expanded."""
    words = shlex.split(command.replace("%%", "%"))
    at = words.index("-W")
    return understood(words[:at] + words[at + 2 :]), words[at + 1]


def test_it_goes_our_way_and_no_other() -> None:
    found = understood(ssh(HOST, timeout=7))

    assert (found["hostname"], found["user"], found["port"]) == ("10.0.0.2", "ubuntu", "2222")
    # The client prints the key's path before it replaces what begins with a percent sign.
    assert found["identityfile"] == "/keys/a key 100%%"
    assert found["userknownhostsfile"] == "/etc/pinned hosts"
    assert found["globalknownhostsfile"] == "/dev/null"
    assert (found["stricthostkeychecking"], found["batchmode"], found["identitiesonly"]) == (
        "true",
        "yes",
        "yes",
    )
    assert found["connecttimeout"] == "7"
    assert "proxycommand" not in found


def test_a_jump_is_made_with_the_jump_hosts_own_key_and_pins() -> None:
    through = Login("ml-01", "fd00::2", "ubuntu", 22, "/keys/a", "/etc/pins", (JUMP,))

    inner, target = hop(understood(ssh(through, timeout=7))["proxycommand"])

    assert target == "[fd00::2]:22"
    assert (inner["hostname"], inner["user"]) == ("192.0.2.1", "op")
    assert inner["identityfile"] == "/keys/jump"
    assert inner["userknownhostsfile"] == "/etc/jump hosts"


def test_two_jumps_are_nested_and_each_leads_to_the_next() -> None:
    through = Login("ml-09", "10.0.0.9", "ubuntu", 22, "/keys/a", "/etc/pins", (JUMP, HOST))

    second, target = hop(understood(ssh(through, timeout=7))["proxycommand"])
    first, between = hop(second["proxycommand"])

    assert (target, between) == ("10.0.0.9:22", "10.0.0.2:2222")
    assert (second["hostname"], first["hostname"]) == ("10.0.0.2", "192.0.2.1")
    assert second["identityfile"] == "/keys/a key 100%%"
