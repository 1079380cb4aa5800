"""Firewall steps, made from recorded looks: which programs run, in which order, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gonka_state.core.address import Address
from gonka_state.core.change import Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.diff import compare
from gonka_state.errors import StepError
from gonka_state.facts.base import quote
from gonka_state.facts.container_ports import DIRECTORY, LOADER_TEXT, UNIT_TEXT
from gonka_state.facts.here import Here
from gonka_state.operations.base import Do, Result, Step
from gonka_state.operations.firewall import _JUMPS
from gonka_state.operations.table import OPERATIONS
from gonka_state.registry import KINDS

CASES = Path(__file__).parent.parent / "kinds" / "firewall"
DONE = Result(0)


def step(case: str, local: str, *, output: str | None = None, **changed: object) -> Step[Any]:
    """The step that a recorded look leads to for one of its resources."""
    data = YAML(typ="safe", pure=True).load((CASES / f"{case}.yaml").read_text(encoding="utf-8"))
    declared = [KINDS[item.pop("kind")].resource.model_validate(item) for item in data["resources"]]
    here = Here("ml-03", {}, "10.77.0.1", declared)
    resource = next(one for one in declared if f"{one.kind}:{one.name}" == local)
    resource = type(resource).model_validate(
        {**resource.model_dump(exclude_unset=True, by_alias=True), **changed}
    )
    kind = KINDS[resource.kind]
    state = kind.fact.parse(output or data["output"])
    seen = kind.observe(state, resource, here)
    action, changes = compare(
        kind.wanted(state, resource, here), seen, wanted_absent=resource.state == "absent"
    )
    change = Change(Address("ml-03", resource.kind, resource.name), action, changes)
    return Step(change, resource, seen, here, Timeouts())


def scripts(one: Step[Any], *answers: Result) -> list[str]:
    """Every script of a step, each checked to be shell."""
    commands, found, left = OPERATIONS[one.resource.kind](one), [], list(answers)
    try:
        command = next(commands)
        while True:
            assert isinstance(command, Do)
            subprocess.run(["dash", "-n"], input=command.script, text=True, check=True)
            found.append(command.script)
            command = commands.send(left.pop(0) if left else DONE)
    except StopIteration:
        return found


def lines(one: Step[Any]) -> list[str]:
    (script,) = scripts(one)
    return script.splitlines()[1:]


@pytest.mark.parametrize(
    ("case", "local", "expected"),
    [
        ("fresh", "firewall-rule:22/tcp", ["ufw allow in proto tcp from any to any port 22 comment ssh"]),
        ("fresh", "firewall-rule:2222/tcp", ["ufw limit in proto tcp from any to any port 2222"]),
        (
            "update",
            "firewall-rule:9100/tcp",
            ["ufw allow in proto tcp from 10.77.0.11 to any port 9100 comment callback"],
        ),
        ("kernel_lost", "firewall-rule:9100/tcp", ["ufw reload"]),
        (
            "comment",
            "firewall-rule:9100/tcp",
            ["ufw allow in proto tcp from 10.77.0.12 to any port 9100 comment callback"],
        ),
        ("limit", "firewall-rule:2222/tcp", ["ufw limit in proto tcp from any to any port 2222"]),
        ("v6_only", "firewall-rule:9100/tcp", ["ufw delete allow in proto tcp from ::/0 to any port 9100"]),
        (
            "any_protocol",
            "firewall-rule:9100/tcp",
            [
                "ufw delete allow in from 0.0.0.0/0 to any port 9100",
                "ufw delete allow in from ::/0 to any port 9100",
            ],
        ),
        ("earlier_deny", "firewall-rule:9100/tcp", ["ufw delete deny in from 10.77.0.11 to any"]),
        (
            "input_accept",
            "firewall-rule:9100/tcp",
            ["! iptables -w 10 -C INPUT -j ACCEPT >/dev/null 2>&1 || iptables -w 10 -D INPUT -j ACCEPT"],
        ),
        (
            "absent",
            "firewall-rule:9100/tcp",
            [
                "ufw delete allow in proto tcp from 10.77.0.12 to any port 9100",
                "ufw delete allow in proto tcp from 10.77.0.11 to any port 9100",
            ],
        ),
        ("policy", "firewall:ufw", ["ufw default deny incoming", "ufw reload"]),
    ],
)
def test_a_step_runs_exactly_what_closes_the_gap(case: str, local: str, expected: list[str]) -> None:
    assert lines(step(case, local)) == expected


def test_ufw_is_switched_on_only_after_its_jumps_are_back() -> None:
    (script,) = scripts(step("input_flushed", "firewall:ufw"))

    order = [script.index(text) for text in ("jumps iptables ufw", "ufw --force enable", "ufw reload")]
    assert order == sorted(order)


def test_ufw_is_switched_off() -> None:
    assert lines(step("in_sync", "firewall:ufw", enabled=False)) == [
        "ufw --force disable",
        "/lib/ufw/ufw-init force-stop",
    ]


def test_a_rule_that_keeps_out_is_put_first() -> None:
    denied = step("fresh", "firewall-rule:9100/tcp", action="deny", name="", comment="no")

    assert lines(denied) == [
        "ufw prepend deny in proto tcp from 10.77.0.11 to any port 9100 comment no",
        "ufw prepend deny in proto tcp from 10.77.0.12 to any port 9100 comment no",
    ]


def test_interface_direction_and_port_are_spelled_as_ufw_takes_them() -> None:
    out = step("fresh", "firewall-rule:22/tcp", name="", direction="out", interface="host0", protocol="any")
    everything = step("fresh", "firewall-rule:22/tcp", name="", port="any", protocol="any", comment=None)

    assert lines(out) == ["ufw allow out on host0 from any to any port 22 comment ssh"]
    assert lines(everything) == ["ufw allow in from any to any"]


def test_a_comment_nobody_declared_stays() -> None:
    wider = step("in_sync", "firewall-rule:9100/tcp", comment=None, action="limit")

    assert lines(wider) == [
        "ufw limit in proto tcp from 10.77.0.11 to any port 9100 comment callback",
        "ufw limit in proto tcp from 10.77.0.12 to any port 9100 comment callback",
    ]


def test_a_published_port_gets_its_own_files_and_all_are_loaded() -> None:
    (script,) = scripts(step("fresh", "container-port:5050/tcp"))

    assert "5050-tcp.v4" in script
    assert "5050-tcp.v6" in script
    assert "8080" not in script
    assert quote(LOADER_TEXT) in script
    assert quote(UNIT_TEXT) in script
    assert script.splitlines()[-2:] == [
        "systemctl enable --quiet gonka-state-container-ports.service",
        "sh /etc/gonka-state/container-ports/load",
    ]


def test_a_rule_before_ours_is_deleted_whatever_its_comment_says() -> None:
    (script,) = scripts(step("docker_user_accept", "container-port:5050/tcp"))

    rule = """DOCKER-USER -p tcp -m tcp --dport 5000 -m comment --comment 'it is "open" -x' -j ACCEPT"""
    expected = f"! iptables -w 10 -C {rule} >/dev/null 2>&1 || iptables -w 10 -D {rule}"
    assert script.splitlines()[-1] == expected


def test_the_last_published_port_takes_everything_of_ours_with_it() -> None:
    (script,) = scripts(step("absent", "container-port:5050/tcp"))

    assert "rm -f -- /etc/gonka-state/container-ports/5050-tcp.v4" in script
    assert "put /etc" not in script
    assert "systemctl disable" in script


def test_a_rule_that_comes_back_from_a_file_is_left_to_a_person() -> None:
    output = YAML(typ="safe", pure=True).load((CASES / "in_sync.yaml").read_text(encoding="utf-8"))["output"]
    entry = "-A ufw-before-input -i lo -j ACCEPT\n"
    hole = "-A ufw-before-input -p tcp -m tcp --dport 9100 -j ACCEPT\n"
    assert entry in output
    one = step("in_sync", "firewall-rule:9100/tcp", output=output.replace(entry, entry + hole))

    reload, rest = scripts(one)
    assert reload.startswith("ufw reload && ! iptables -w 10 -C ufw-before-input ")
    assert "iptables" not in rest
    with pytest.raises(StepError, match=r"comes from /etc/ufw/before\.rules"):
        scripts(one, Result(1))


TALKATIVE = """\
#!/bin/sh
# iptables 1.8.7 of Ubuntu 22.04: whether a rule is there it also prints.
case " $* " in *" -C "*) echo 'DOCKER-USER  all opt -- in * out *  0.0.0.0/0  -> 0.0.0.0/0  ' ;; esac
"""


@pytest.mark.parametrize("script", [LOADER_TEXT, _JUMPS], ids=["the restriction", "ufw's jumps"])
def test_what_iptables_prints_when_asked_for_a_rule_is_not_loaded(script: str, tmp_path: Path) -> None:
    for name, text in {
        "iptables": TALKATIVE, "ip6tables": TALKATIVE,
        "iptables-restore": f"#!/bin/sh\ncat >>{tmp_path}/loaded\n", "ip6tables-restore": "#!/bin/sh\ncat >/dev/null\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    here = script.replace(f"cd {DIRECTORY}", f"cd {tmp_path}")

    subprocess.run(
        ["sh", "-c", here], check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True
    )

    loaded = (tmp_path / "loaded").read_text(encoding="utf-8").splitlines()
    assert [line for line in loaded if line.startswith("-D ")]
    assert [line for line in loaded if not line.startswith(("-", ":", "*", "COMMIT"))] == []
