"""From bare hosts to a registered cluster, killed at a step of each kind, with nobody telling a secret.

Two hosts, one network and one ML host. `--soak` kills at every step, one run after the other (scripts/soak).
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gonka_state import lab
from gonka_state.core import xdg
from gonka_state.core.bech32 import address_of
from tests.e2e.execs import Execs
from tests.e2e.holders import holders
from tests.e2e.tampers import KEY
from tests.e2e.walk import Walk
from tests.e2e.world import ROOT, Cluster, Ran

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

NAME, SUBNET = "walk", "10.79.0.0/24"
NETWORK, ML = "walk-network", "walk-ml-01"
JOIN = "/opt/gonka/deploy/join"
ALLOWED = ["--allow", "warm-key", "--allow", "registration"]
CLUSTER = f"""
extends: {ROOT}/desired/shared.yaml
cluster: {NAME}
network:
  public_host: {{env: NOT_SET}}
  account: {{pubkey: {{env: NOT_SET}}, key_name: gonka-account-key-walk}}
  ml_key_name: gonka-ml-key
  keyring_password: {{env: NOT_SET}}
hosts:
  {NETWORK}: {{address: 192.0.2.1, role: network, model: Qwen/Qwen3-32B-FP8}}
  {ML}:
    address: 192.0.2.2
    role: ml
    model: Qwen/Qwen3-235B-A22B-Instruct-2507-FP8
    # Beyond the plan, so that each kind is killed in the middle of a step.
    logging: {{docker: {{max_size: 50m, max_file: 3}}}}
    units: {{cron: {{running: true, enabled: true}}}}
    sysctl: {{net.core.somaxconn: "2048"}}
    blocks: {{/etc/environment: {{content: HF_HOME=/mnt/shared}}}}
    authorized_keys: {{ubuntu: ["{KEY}"]}}
"""

# Where a secret may lie on a host, and nowhere else: the file that must hold the password, Docker's own record of a
# container's environment, its runtime's and that one's copy while it runs (compose has no other way), and the worker key in
# the API's own store.
MAY_HOLD = {
    "password": (
        f"{JOIN}/config.env",
        "/var/lib/docker/containers/",
        "/var/lib/docker/containerd/",
        "/var/lib/containerd/io.containerd.metadata.v1.bolt/",
        "/run/containerd/",
    ),
    "mnemonic": (),
    "passphrase": (),
    "worker": (f"{JOIN}/.dapi/",),
}
ROOTS = "/boot /dev/shm /etc /home /mnt /opt /root /run /srv /tmp /usr/local /var"
# The one file of the operator's that each lies in, in the lab's directory; the worker key is the API's own.
OPERATORS = {
    "password": {"keyring-password"},
    "mnemonic": {"warm-key-mnemonic"},
    "passphrase": {"operator/passphrase"},
    "worker": set[str](),
}


@dataclass
class Bare:
    """How the cluster came up: every run's output, the kills, and what the machine started meanwhile."""

    cluster: Cluster
    execs: Execs | None
    said: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    no_audit: str = ""

    def run(self, command: str, *words: str) -> Ran:
        """One `gonka-state` command on this cluster."""
        done = self.cluster.run(command, *words)
        self.said += [done.out, done.err]
        return done

    def secrets(self) -> dict[str, str]:
        """Every secret there is, as it came to be."""
        home = self.cluster.info.overlay.parent
        words = (home / "warm-key-mnemonic").read_text().splitlines()
        config = json.loads(self.cluster.shell(NETWORK, "curl -s 127.0.0.1:9200/admin/v1/config"))
        return {
            "password": (home / "keyring-password").read_text().strip(),
            "mnemonic": next(line for line in words if len(line.split()) == 24),
            "passphrase": (home / "operator" / "passphrase").read_text().strip(),
            "worker": config["ml_node_key_config"]["worker_private"],
        }


def _end(walk: Walk) -> str:
    """What the last run said, and what was killed before."""
    return "".join([walk.out[-6000:], *walk.said[-60:], *(f"killed: {one}\n" for one in walk.killed)])


def _walk(bare: Bare, *, every: bool) -> None:
    kinds: set[str] = set()

    def wants(kind: str, address: str) -> bool:  # noqa: ARG001 (every step is asked about alike)
        if every:
            return True
        fresh = kind not in kinds
        kinds.add(kind)
        return fresh

    words = [str(bare.cluster.file), "--overlay", str(bare.cluster.info.overlay), *ALLOWED, "-vvv", "--json"]
    walk = Walk(words, wants)
    bare.statuses.append(walk.run())
    bare.said += [walk.out, *walk.said]
    assert walk.status == 6, _end(walk)
    granted = bare.cluster.grant()
    bare.said += [granted.out, granted.err]
    walk = Walk(words, wants, killed=walk.killed)
    bare.statuses.append(walk.run())
    bare.said += [walk.out, *walk.said]
    bare.killed = walk.killed


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Bare]:
    """The cluster, brought up from nothing through all the kills."""
    home = tmp_path_factory.mktemp("walk")
    file = home / f"{NAME}.yaml"
    file.write_text(CLUSTER)
    up = [sys.executable, "-m", "gonka_state", "lab", "up", str(file), "--subnet", SUBNET]
    try:
        subprocess.run(up, check=True, cwd=ROOT, timeout=600, capture_output=True)
        found = Bare(Cluster(lab.info(NAME), file), None)
        found.cluster.shell(ML, "systemctl disable --quiet --now cron")
        try:
            with Execs(home / "execs") as execs:
                found.execs = execs
                _walk(found, every=request.config.getoption("--soak"))
        except OSError as error:
            if found.execs is not None:
                raise
            found.no_audit = str(error)
            _walk(found, every=request.config.getoption("--soak"))
        yield found
    finally:
        down = [sys.executable, "-m", "gonka_state", "lab", "down", NAME]
        subprocess.run(down, check=True, cwd=ROOT, timeout=300, capture_output=True)


def test_it_ends_in_sync_whatever_was_killed(bare: Bare) -> None:
    after = bare.run("diff")

    assert bare.statuses == [6, 0], bare.said[-4:]
    assert after.status == 0, after.out
    kinds = {address.split("/", 1)[1].split(":", 1)[0] for address in bare.killed}
    assert kinds >= {
        "package", "python-tool", "directory", "repository", "env-file", "file", "firewall-rule", "container-port",
        "firewall", "model", "compose-images", "compose-service", "warm-key", "registration", "node",
        "docker-daemon", "service", "sysctl", "file-block", "authorized-keys",
    }, bare.killed  # fmt: skip


def test_what_cannot_be_taken_back_was_done_once(bare: Bare) -> None:
    home = bare.cluster.info.overlay.parent
    keyring = bare.cluster.shell(NETWORK, f"ls {JOIN}/.inference/keyring-file").split()
    warm = [
        address_of(bytes.fromhex(name.removesuffix(".address")))
        for name in keyring
        if name.endswith(".address")
    ]
    recovered = _recover(bare, bare.secrets()["mnemonic"])
    state = json.loads((home / "seed.json").read_text())

    assert [name for name in keyring if name.endswith(".info")] == ["gonka-ml-key.info"]
    assert warm == [recovered], "the key is the one whose mnemonic the operator has"
    assert len(state["participants"]) == 1
    posts = [
        line
        for line in (home / "logs" / "seed.log").read_text().splitlines()
        if '"POST /v1/participants ' in line
    ]
    assert len(posts) == 1, posts


def _recover(bare: Bare, mnemonic: str) -> str:
    """The address of the key that this mnemonic makes, by the chain's program in a keyring of its own."""
    program = bare.cluster.info.overlay.parent / "inferenced"
    words = program.read_text().replace(
        str(bare.cluster.info.overlay.parent / "operator"), str(bare.cluster.file.parent / "other")
    )
    other = bare.cluster.file.parent / "inferenced"
    other.write_text(words)
    other.chmod(0o700)
    made = subprocess.run(
        [str(other), "keys", "add", "check", "--recover", "--keyring-backend", "test", "--output", "json"],
        input=f"{mnemonic}\n", text=True, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return str(json.loads(made.stdout)["address"])


def test_no_output_and_no_snapshot_tells_a_secret(bare: Bare) -> None:
    bare.run("diff", "-vvv")
    bare.run("diff", "--json")
    bare.run("observe")

    said = "\n".join(bare.said)

    assert {name for name, secret in bare.secrets().items() if secret in said} == set()


def test_no_program_on_this_machine_was_told_a_secret(bare: Bare) -> None:
    if bare.execs is None:
        pytest.skip(f"the kernel does not tell what is executed: {bare.no_audit}")

    assert bare.execs.heard > 1000
    assert bare.execs.lost == 0
    assert bare.execs.find(bare.secrets().values()) == []


@pytest.mark.parametrize("host", [NETWORK, ML])
def test_no_file_of_a_host_holds_a_secret_but_those_that_must(bare: Bare, host: str) -> None:
    secrets = bare.secrets()
    # What a running container sees of its image and of its own layer lies beside `merged` once more.
    suspects = _holding(bare, host, secrets.values(), f"-r --exclude-dir=merged {ROOTS}")
    for name, secret in secrets.items():
        found = _holding(bare, host, [secret], f"-- {shlex.join(suspects)}") if suspects else []
        allowed = MAY_HOLD[name] if host == NETWORK else ()
        assert [path for path in found if not path.startswith(allowed)] == [], name


def _holding(bare: Bare, host: str, texts: Iterable[str], where: str) -> list[str]:
    """Files on a host that hold one of these texts, which come on standard input: grep's own arguments hold none."""
    patterns = "\n".join(texts)
    return bare.cluster.shell(
        host, f"grep -lsF --binary-files=text --devices=skip -f - {where} <<'E' || true\n{patterns}\nE\n"
    ).splitlines()


def test_no_file_of_this_machine_holds_a_secret_but_the_operators_own(bare: Bare) -> None:
    home = bare.cluster.info.overlay.parent
    state, cache, own = xdg.state_home(), xdg.cache_home(), xdg.config_home()
    # Hosts keep their disks in the lab's directory: what lies there is the hosts' (see above).
    disks = [lab_home / "hosts" for lab_home in home.parent.iterdir()]
    places = ("/tmp", "/var/tmp", "/dev/shm", "/var/log", "/var/spool", tempfile.gettempdir())  # noqa: S108 (searched)
    roots = [state, cache, own, Path.home(), ROOT, bare.cluster.file.parent, *map(Path, places)]

    found = holders(bare.secrets(), roots, since=(home / "keyring-password").stat().st_ctime - 1, leave=disks)

    assert found == {name: {(home / path).resolve() for path in paths} for name, paths in OPERATORS.items()}
