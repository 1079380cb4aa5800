"""A warm key made on a real host, with every secret looked for wherever it might have been left."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.bech32 import raw_address
from gonka_state.lab.standins import wallet
from tests.e2e.world import NETWORK, ROOT, Ran

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

PLACE = "/opt/keys-canary"
KEYRING = f"{PLACE}/.inference/keyring-file"
KINDS = [word for kind in ("directory", "file", "keyring", "warm-key") for word in ("--kind", kind)]
_YAML = """
cluster: canary
lab: true
ssh: {{user: ubuntu, key: {key}, known_hosts: {known_hosts}}}
network:
  account: {{pubkey: Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY}}
  ml_key_name: canary-key
  keyring_password: {{env: CANARY}}
  warm_key: {{mnemonic_file: words}}
hosts:
  canary-net:
    address: {address}
    role: network
    directories: {{{place}: {{}}}}
    files:
      {place}/config.env: {{template: canary.env.j2, mode: "0600"}}
      {place}/a.yml:
        content: |
          services:
            api:
              image: ghcr.io/product-science/api:0.2.13
              network_mode: none
              environment: ["KEYRING_PASSWORD=${{KEYRING_PASSWORD}}"]
              volumes: ["./.inference:/root/.inference"]
    services:
      {place}: {{files: [a.yml], env_file: config.env, services: {{api: {{admin: true}}}}}}
"""


@dataclass(frozen=True)
class Canary:
    """A cluster of its own on the network host: only what a key needs, and a passphrase of its own."""

    cluster: Cluster
    home: Path
    password: str

    def run(self, command: str, *words: str, password: str = "") -> Ran:
        """One command on it."""
        argv = [sys.executable, "-m", "gonka_state", command, str(self.home / "canary.yaml"), *words]
        done = subprocess.run(
            argv,
            env={"PATH": "/usr/bin:/bin", "CANARY": password or self.password},
            capture_output=True, text=True, check=False, timeout=200, cwd=ROOT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def shell(self, script: str, *, check: bool = True) -> str:
        """Another shell on the host."""
        return self.cluster.shell(NETWORK, script, check=check)

    @property
    def words(self) -> str:
        """The mnemonic that was kept."""
        return (self.home / "words").read_text().splitlines()[1]


@pytest.fixture(scope="module")
def canary(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Canary:
    home = tmp_path_factory.mktemp("canary")
    state = cluster.info.overlay.parent
    (home / "templates").mkdir()
    (home / "templates/canary.env.j2").write_text("KEYRING_PASSWORD='{{ network.keyring_password }}'\n")
    values = {"key": state / "id_ed25519", "known_hosts": state / "known_hosts", "place": PLACE}
    (home / "canary.yaml").write_text(_YAML.format(address=cluster.info.hosts[NETWORK], **values))
    return Canary(cluster, home, f"canary-{secrets.token_hex(8)}")


@pytest.fixture(scope="module")
def made(canary: Canary) -> Ran:
    """The key, made with everything told that can be told."""
    canary.shell(f"rm -rf {PLACE}")
    held = canary.run("converge", "--yes", *KINDS)
    assert (held.status, "needs --allow warm-key" in held.out) == (6, True), held.out + held.err
    assert not (canary.home / "words").exists()
    ran = canary.run("converge", "--yes", "--allow", "warm-key", "-vvv", "--json", *KINDS)
    assert ran.status == 0, ran.out + ran.err
    return ran


def test_the_key_is_the_one_of_the_words(canary: Canary, made: Ran) -> None:
    address = wallet.address(canary.words)

    assert canary.shell(f"ls {KEYRING}").split() == sorted(
        ["canary-key.info", "keyhash", f"{raw_address(address).hex()}.address"]
    )
    assert f"warm key canary-key is {address}" in made.err


def test_no_secret_was_said_or_left(canary: Canary, made: Ran) -> None:
    snapshot = canary.run("observe")
    said = made.out + made.err + snapshot.out + snapshot.err
    # Journal files are compressed: they are asked, everything else is searched as it lies on the disk.
    found = canary.shell(
        f"""for word in '{canary.password}' '{canary.words[:60]}'; do
          journalctl --no-pager -o export | grep -cF -- "$word"
          grep -rslIF --exclude-dir=overlay2 -- "$word" /etc /home /opt /root /run /srv /tmp /var
          echo end
        done""",
        check=False,
    )

    assert canary.password not in said
    assert not re.search(r"\b" + " ".join(canary.words.split()[:3]), said)
    assert found.split() == ["0", f"{PLACE}/config.env", "end", "0", "end"]


@pytest.mark.usefixtures("made")
def test_another_passphrase_is_refused_and_never_written(canary: Canary) -> None:
    before = canary.shell(f"cat {PLACE}/config.env")

    ran = canary.run("converge", "--yes", *KINDS, password="another passphrase")  # noqa: S106

    assert ran.status == 6
    assert f"network.keyring_password does not open {KEYRING}" in ran.out
    assert canary.shell(f"cat {PLACE}/config.env") == before


@pytest.mark.usefixtures("made")
def test_a_lost_key_is_never_made_again(canary: Canary) -> None:
    canary.shell(f"mv {KEYRING}/canary-key.info /root/kept.info")
    try:
        ran = canary.run("converge", "--yes", "--allow", "warm-key", *KINDS)
    finally:
        canary.shell(f"mv /root/kept.info {KEYRING}/canary-key.info")

    assert ran.status == 6
    assert "canary-key.info is gone" in ran.out
    assert "a human closes this" in ran.out


@pytest.mark.usefixtures("made")
def test_a_run_that_died_between_words_and_key_goes_on_with_the_same_words(canary: Canary) -> None:
    before = canary.words
    canary.shell(f"mv {KEYRING} {KEYRING}.away; mkdir {KEYRING}; cp {KEYRING}.away/keyhash {KEYRING}")

    ran = canary.run("converge", "--yes", "--allow", "warm-key", *KINDS)

    assert ran.status == 0, ran.out + ran.err
    assert canary.words == before
    assert canary.shell(f"ls {KEYRING}; rm -r {KEYRING}.away") == canary.shell(f"ls {KEYRING}")
    assert f"{raw_address(wallet.address(before)).hex()}.address" in canary.shell(f"ls {KEYRING}")
