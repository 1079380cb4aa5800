"""Kernel parameters: what a boot makes of the files, and what this machine's own kernel says."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Present
from gonka_state.errors import FactError
from gonka_state.facts.here import Here
from gonka_state.facts.sysctl import FACT, SysctlState, observe_sysctl
from gonka_state.resources.sysctl import SysctlResource

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Here("h", {})
WISH = SysctlResource(name="net.ipv4.tcp_rmem", value="1 2 3")
OURS = f"F {WISH.file}\nL net.ipv4.tcp_rmem = 1 2 3\n"


def state(files: str, now: str = "1\t2\t3", ufw: str = "") -> SysctlState:
    parts = {f"now {WISH.name}": now, "files": files, "ufw": ufw}
    return FACT.parse("".join(f"#@x part {name}\n{text}\n#@x rc 0\n" for name, text in parts.items()))


def seen(files: str, **more: str) -> Present:
    found = observe_sysctl(state(files, **more), WISH, HERE)
    assert isinstance(found, Present)
    return found


@pytest.mark.parametrize(
    ("files", "kept", "named"),
    [
        (OURS, True, ""),
        ("", False, "no file sets it"),
        ("F /etc/sysctl.d/10-a.conf\nL net.ipv4.tcp_rmem=4 5 6\n" + OURS, True, ""),
        (OURS + "F /etc/sysctl.d/99-sysctl.conf\nL net/ipv4/tcp_rmem = 4 5 6", False, "99-sysctl.conf"),
        (OURS + "F /run/sysctl.d/99-z.conf\nL -net.ipv4.tcp_rmem = 1  2\t3", True, ""),
        (OURS + "F /run/sysctl.d/99-z.conf\nL net.ipv4.* = 4", True, ""),
        ("F /run/sysctl.d/99-z.conf\nL net.ipv4.tcp_r* = 4", False, "99-z.conf"),
        ("F /run/sysctl.d/99-z.conf\nL net.* = 4\nL -net.ipv4.*", False, "no file sets it"),
        (OURS + "F /run/sysctl.d/99-z.conf\nL -net.ipv4.tcp_rmem", True, ""),
    ],
)
def test_the_last_file_that_names_it_counts_at_boot(files: str, kept: bool, named: str) -> None:  # noqa: FBT001  (a parameter of the test)
    found = seen(files)

    assert found.attributes == {"value": "1 2 3", "persistent": kept}
    assert named in found.reason
    assert bool(found.human) == ("99-" in named)


def test_what_ufw_loads_comes_last() -> None:
    found = seen(OURS, ufw="F /etc/ufw/sysctl.conf\nL net/ipv4/tcp_rmem=7")

    assert found.human.startswith("correct it in /etc/ufw/sysctl.conf")


def test_an_interface_with_a_dot_is_one_name() -> None:
    found = state("F /etc/sysctl.d/a.conf\nL net.ipv4.conf.eth0/100.forwarding = 1\n")

    assert found.at_boot("net/ipv4/conf/eth0.100/forwarding") is not None


def test_this_machines_kernel(section: Callable[..., str]) -> None:
    wish = SysctlResource(name="kernel.pid_max", value="1")
    missing = SysctlResource(name="net.nosuch.thing", value="1")

    found = FACT.parse(section(FACT, [wish, missing]))

    assert found.now == {
        "kernel.pid_max": Path("/proc/sys/kernel/pid_max").read_text().strip(),
        "net.nosuch.thing": None,
    }


@given(st.text(), st.lists(st.text(st.characters(exclude_characters="\n"), max_size=30)))
def test_any_answer_is_understood_or_refused(text: str, lines: list[str]) -> None:
    assert seen("\n".join(f"{'FL'[len(line) % 2]} {line}" for line in lines)).attributes["value"] == "1 2 3"
    try:
        FACT.parse(text)
    except FactError:
        return


def test_it_can_be_used_alone() -> None:
    assert "now vm/swappiness" in FACT.standalone(name="vm.swappiness")
    with pytest.raises(FactError, match="takes name="):
        FACT.standalone(path="a")
    module = importlib.import_module("gonka_state.facts.sysctl")
    assert module.KernelParameters.name.endswith("KernelParameters")
