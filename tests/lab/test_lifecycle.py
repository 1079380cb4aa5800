"""A lab of one real host, from up to down, beside whatever else runs: what it offers, and that nothing stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from gonka_state import lab
from gonka_state.errors import LabError
from gonka_state.lab import cgroups
from gonka_state.lab.hosts import pid_file
from gonka_state.lab.overlay import HF_VERSION
from gonka_state.lab.paths import LabPaths, state_root
from gonka_state.lab.processes import remembered
from gonka_state.lab.spec import tag

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTER, OTHER, HOST, SUBNET = "labtest", "labtest2", "labtest-network", "10.193.77.0/24"
CARDS = "/etc/gonka-state-lab/gpus"
MODEL, COMMIT = "Qwen/Qwen3-32B-FP8", "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df"
SPEC = lab.LabSpec(CLUSTER, "ubuntu", (lab.LabHost(HOST, "network"),), {MODEL: COMMIT})
UP = (
    "import sys; from gonka_state import lab; from gonka_state.lab import LabHost, LabSpec;"
    f" lab.up(LabSpec({CLUSTER!r}, 'ubuntu', (LabHost({HOST!r}, 'network'),), {{}}),"
    f" subnet={SUBNET!r}, say=lambda line: print(line, flush=True))"
)

REASON = lab.probe()
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(REASON is not None, reason=f"no lab hosts here: {REASON}"),
]


def quiet(_line: str) -> None:
    """Nobody reads along."""


def output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def footprint() -> set[str]:
    """Everything on this machine that a lab of this cluster could leave behind."""
    links = {f"link {item['ifname']}" for item in json.loads(output("ip", "-json", "link", "show"))}
    spaces = {f"netns {path.name}" for path in Path("/run/netns").glob("*")}
    mounts = {f"mount {line.split()[1]}" for line in Path("/proc/mounts").read_text().splitlines()}
    groups = {f"cgroup {path}" for path in cgroups.MOUNT.glob("**/glab-*") if path.is_dir()}
    rules = {
        f"rule {line}" for line in output("iptables-save").splitlines() if not line.startswith(("#", ":"))
    }
    routes = {f"route {line}" for line in output("ip", "route", "show").splitlines()}
    files = {f"file {path}" for path in state_root().glob(f"{CLUSTER}*")}
    own = [tag(CLUSTER), tag(OTHER)]
    found = links | spaces | mounts | groups | rules | routes | files | processes()
    # somebody else's lab may come and go meanwhile
    return {item for item in found if "glab" not in item or any(name in item for name in own)}


def processes() -> set[str]:
    """Living processes that were started for this cluster."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"lab/{CLUSTER}/" in words or HOST in words:
            found.add(f"process {words}")
    return found


def on_host(info: lab.LabInfo, command: str) -> str:
    return output(*info.ssh(HOST), command).strip()


@pytest.fixture(scope="module", autouse=True)
def before() -> Iterator[set[str]]:
    lab.down(CLUSTER, say=quiet)
    seen = footprint()
    yield seen
    lab.down(CLUSTER, say=quiet)


@pytest.fixture
def info() -> lab.LabInfo:
    """A running lab; one boot serves every test that does not end it."""
    return lab.up(SPEC, subnet=SUBNET, say=quiet)


def test_the_login_user_gets_in_with_the_known_key_and_may_do_all(info: lab.LabInfo) -> None:
    assert on_host(info, "hostname; id -un; sudo -n id -un").split() == [HOST, "ubuntu", "root"]
    assert info.overlay.stat().st_mode & 0o777 == 0o600
    assert info.key.stat().st_mode & 0o777 == 0o600


def test_every_session_is_a_line_in_the_log(info: lab.LabInfo) -> None:
    count = "sudo journalctl -u ssh | grep -c 'Starting session: command'"
    first = int(on_host(info, count))
    assert int(on_host(info, count)) == first + 1


@pytest.fixture
def equipped(info: lab.LabInfo) -> lab.LabInfo:
    """The lab, with the programs of the deployment plan's phase 1.4 on its host."""
    names, host = "git curl wget python3-pip python3-venv", urlsplit(info.packages_url).netloc
    on_host(
        info,
        f"sudo test -x /opt/hf/bin/hf || {{ sudo apt-get -q update && sudo apt-get -q -y install {names}"
        " && sudo python3 -m venv /opt/hf && sudo /opt/hf/bin/pip install --quiet --no-index"
        f" --trusted-host {host} --find-links {info.packages_url}/wheels/ huggingface_hub=={HF_VERSION}; }} >&2",
    )
    return info


def test_a_host_starts_bare_and_installs_from_the_labs_own_packages(info: lab.LabInfo) -> None:
    there = "for name in docker python3 git curl wget pip3 hf; do command -v $name || true; done"
    assert on_host(info, there).split() == ["/usr/bin/docker", "/usr/bin/python3"]
    assert on_host(info, "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true") == (
        f"deb [trusted=yes] {info.packages_url}/apt ./"
    )


def test_what_was_installed_runs(equipped: lab.LabInfo) -> None:
    versions = on_host(equipped, "git --version; curl --version; pip3 --version; /opt/hf/bin/hf version")
    assert [word in versions for word in ("git version", "curl ", "pip ", HF_VERSION)] == [True] * 4
    assert on_host(equipped, "docker compose version --short").startswith("5.")


def test_images_are_pulled_under_their_real_names_and_run(info: lab.LabInfo) -> None:
    name = "ghcr.io/product-science/api:0.2.12"
    on_host(info, f"sudo docker pull -q {name}; sudo docker pull -q nginx:1.28.0")
    inside = "echo $STANDIN_VERSION; curl --version | head -n 1 | cut -c 1-4; nvidia-smi -L | wc -l"
    run = f"sudo docker run --rm --gpus 3 --entrypoint sh {name} -c '{inside}'"
    assert on_host(info, run).split() == ["0.2.12", "curl", "3"]


def test_cards_that_are_broken_keep_a_container_from_starting(info: lab.LabInfo) -> None:
    start = "sudo docker run --rm --gpus all --entrypoint true ghcr.io/product-science/api:0.2.12 2>&1"
    trouble = f"echo broken | sudo tee {CARDS} >&2; {start} || true; echo 8 | sudo tee {CARDS} >&2; {start}"
    assert "nvml error: driver not loaded" in on_host(info, trouble)


def test_the_repository_is_the_same_every_time(equipped: lab.LabInfo) -> None:
    info = equipped
    clone = f"git clone -q {info.git_url} g && cd g && git checkout -q {info.git_ref} && git describe --tags"
    assert on_host(info, clone) == "release/v0.2.13"
    compose = "cd g/deploy/join && sudo docker compose -f docker-compose.mlnode.yml config --hash '*'"
    assert {line.split()[0] for line in on_host(info, compose).splitlines()} == {"inference", "mlnode-308"}
    assert on_host(info, "cd g && git rev-parse origin/main") != info.git_ref


def test_the_real_client_downloads_a_model(equipped: lab.LabInfo) -> None:
    info = equipped
    fetch = f"HF_ENDPOINT={info.hub_url} HF_HOME=$HOME/models /opt/hf/bin/hf download {MODEL} --revision {COMMIT} --quiet"
    assert on_host(info, fetch).endswith(f"snapshots/{COMMIT}")


def test_a_running_lab_is_kept_and_another_of_its_name_refused(info: lab.LabInfo) -> None:
    pid = remembered(pid_file(LabPaths(CLUSTER), HOST))
    said: list[str] = []
    assert lab.up(SPEC, subnet=SUBNET, say=said.append) == info
    assert said == [f"the lab of {CLUSTER} is up already"]
    assert remembered(pid_file(LabPaths(CLUSTER), HOST)) == pid
    with pytest.raises(LabError, match="with other hosts, models, user or subnet is up"):
        lab.up(lab.LabSpec(CLUSTER, "root", SPEC.hosts, SPEC.models), subnet=SUBNET, say=quiet)


def test_a_subnet_in_use_is_refused_before_anything_is_made(info: lab.LabInfo, before: set[str]) -> None:
    del before
    assert info.hosts[HOST] == "10.193.77.11"
    seen = footprint()
    with pytest.raises(LabError, match="in use on this machine"):
        lab.up(lab.LabSpec(OTHER, "ubuntu", SPEC.hosts, {}), subnet=SUBNET, say=quiet)
    assert footprint() == seen


def test_a_reboot_is_one_and_keeps_the_disk(info: lab.LabInfo) -> None:
    boot = on_host(info, "echo kept > mark; cat /proc/sys/kernel/random/boot_id")
    subprocess.run([*info.ssh(HOST), "sudo systemctl reboot"], check=False, capture_output=True)
    deadline, seen = time.monotonic() + 60, [boot]
    while seen[:1] == [boot] or not seen:
        assert time.monotonic() < deadline
        time.sleep(0.5)
        look = [*info.ssh(HOST), "cat /proc/sys/kernel/random/boot_id mark"]
        seen = subprocess.run(look, check=False, capture_output=True, text=True).stdout.split()
    assert seen[1] == "kept"


def test_power_and_cable(info: lab.LabInfo) -> None:
    lab.power_off(HOST, cluster=CLUSTER)
    (host,) = [host for host in lab.status() if host.cluster == CLUSTER]
    assert (host.up, host.ssh, host.pid) == (False, False, None)
    lab.power_on(HOST, cluster=CLUSTER)
    assert on_host(info, "cat mark") == "kept"
    lab.cut(HOST, cluster=CLUSTER)
    (host,) = [host for host in lab.status() if host.cluster == CLUSTER]
    assert (host.up, host.ssh) == (True, False)
    lab.mend(HOST, cluster=CLUSTER)
    assert on_host(info, "echo back") == "back"


def test_down_leaves_nothing_and_may_be_said_twice(info: lab.LabInfo, before: set[str]) -> None:
    assert footprint() - before
    lab.down(CLUSTER, say=quiet)
    assert footprint() - before == set()
    assert not LabPaths(CLUSTER).root.exists()
    lab.down(CLUSTER, say=quiet)
    assert not info.overlay.exists()


def test_a_lab_whose_processes_were_killed_is_cleared_and_booted_anew(
    info: lab.LabInfo, before: set[str]
) -> None:
    for path in LabPaths(CLUSTER).pids.iterdir():
        pid = remembered(path)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    said: list[str] = []
    assert lab.up(SPEC, subnet=SUBNET, say=said.append).hosts == info.hosts
    assert "clearing away" in said[0]
    lab.down(CLUSTER, say=quiet)
    assert footprint() - before == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_up_leaves_nothing_or_is_cleared_by_down(number: int, before: set[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", UP],
        stdout=subprocess.PIPE,
        text=True,
        # A runner in the background hands down an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    ) as child:
        assert child.stdout is not None
        assert "answer on" in child.stdout.readline()
        time.sleep(0.5)
        child.send_signal(number)
        child.wait(timeout=60)
    if number == signal.SIGKILL:
        lab.down(CLUSTER, say=quiet)
    assert footprint() - before == set()
