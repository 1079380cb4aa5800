"""What a host has before Gonka, on a real host: packages, units, parameters, blocks, keys, and Docker's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.e2e.world import CLUSTER, ML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

HOST = ML[4]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlw69h2UqhJsPXkWxSibiQi2mgTlG2/I4ywr+DguqXI jane"
KINDS = ("package", "service", "sysctl", "file-block", "authorized-keys", "docker-daemon")
ONLY = ("--host", HOST, *(word for kind in KINDS for word in ("--kind", kind)))

# A repository of two packages that depend on each other, which apt has not heard of yet.
BEFORE = r"""
mkdir -p /srv/gs && cd /srv/gs
for name in gs-base gs-tool; do
  mkdir -p tree/DEBIAN
  printf 'Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@invalid>\nDescription: t\n' $name >tree/DEBIAN/control
  [ $name = gs-base ] || echo 'Depends: gs-base' >>tree/DEBIAN/control
  dpkg-deb --root-owner-group -Znone -b tree $name.deb >/dev/null
  { dpkg-deb -f $name.deb; echo "Filename: ./$name.deb"; echo "Size: $(stat -c %s $name.deb)"
    echo "SHA256: $(sha256sum $name.deb | cut -d ' ' -f 1)"; echo; } >>Packages
done
cp -a /etc/apt /root/apt; rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/gs ./' >/etc/apt/sources.list.d/gs.list
cp -p /etc/environment /root/environment; printf 'A=1' >/etc/environment
cp -p /etc/docker/daemon.json /root/daemon.json
systemctl disable --quiet --now cron
sysctl -n net.core.somaxconn
"""
AFTER = """
dpkg --purge gs-tool gs-base >/dev/null 2>&1
rm -rf /etc/apt && mv /root/apt /etc/apt
rm -rf /srv/gs /var/lib/apt/lists/_srv_gs_* /etc/sysctl.d/99-gonka-state-*
mv /root/environment /etc/environment; mv /root/daemon.json /etc/docker/daemon.json; systemctl reload docker
cd /home/ubuntu/.ssh && mv authorized_keys.gonka-state-previous authorized_keys
systemctl enable --quiet --now cron; sysctl -q -w net.core.somaxconn=%s
"""
WORDS: dict[str, Any] = {
    "packages": ["gs-tool"],
    "units": {"cron": {"running": True, "enabled": True}},
    "sysctl": {"net.core.somaxconn": "2048"},
    "blocks": {"/etc/environment": {"content": "HF_HOME=/mnt/shared"}},
    "authorized_keys": {"ubuntu": [KEY]},
    "docker_daemon": {"max-concurrent-downloads": 5},
}


def overlay(path: Path, **words: Any) -> tuple[str, str]:  # noqa: ANN401  (words of a host)
    """The words of one option that lays these over the host under test."""
    file = path / f"{len(list(path.iterdir()))}.yaml"
    with file.open("w") as out:
        YAML().dump({"cluster": CLUSTER.stem, "hosts": {HOST: words}}, out)
    return "--overlay", str(file)


@pytest.fixture
def bare(cluster: Cluster) -> Iterator[Cluster]:
    before = cluster.shell(HOST, BEFORE).split()[-1]
    try:
        yield cluster
    finally:
        cluster.shell(HOST, AFTER % before)


def test_a_bare_host_gets_what_is_declared_and_nothing_else(bare: Cluster, tmp_path: Path) -> None:
    started = bare.started()
    words = overlay(tmp_path, **WORDS)

    report = bare.run("converge", "--yes", "--json", *words, *ONLY)

    assert report.status == 0, report.out + report.err
    done = {step["address"].partition("/")[2] for step in report.cluster["steps"]}
    assert done == {
        "package:gs-tool", "service:cron", "sysctl:net.core.somaxconn", "file-block:/etc/environment",
        "authorized-keys:ubuntu", "docker-daemon:daemon.json",
    }  # fmt: skip
    truth = bare.shell(
        HOST,
        """
        dpkg-query -W -f '${db:Status-Abbrev}${Package}\\n' gs-tool gs-base
        systemctl is-active cron; systemctl is-enabled cron; sysctl -n net.core.somaxconn
        cat /etc/environment; tail -n 1 /home/ubuntu/.ssh/authorized_keys
        ls /opt/.gonka-state* /etc/.gonka-state* /nonexistent 2>/dev/null || true
        """,
    )
    assert truth.splitlines() == [
        "ii gs-base", "ii gs-tool", "active", "enabled", "2048", "A=1", "# BEGIN gonka-state",
        "HF_HOME=/mnt/shared", "# END gonka-state", KEY,
    ]  # fmt: skip
    assert bare.started() == started
    assert bare.run("converge", "--yes", *words, *ONLY).status == 0

    gone = overlay(tmp_path, blocks={"/etc/environment": {"state": "absent"}})
    assert bare.run("converge", "--yes", "--allow", "destructive", *words, *gone, *ONLY).status == 0
    assert bare.shell(HOST, "cat /etc/environment") == "A=1\n"


def test_docker_gets_its_settings_back_when_it_does_not_answer_with_new_ones(
    cluster: Cluster, tmp_path: Path
) -> None:
    before = cluster.shell(HOST, "cat /etc/docker/daemon.json")
    words = overlay(tmp_path, docker_daemon={"data-root": "/dev/null/x"})

    report = cluster.run("converge", "--yes", "--json", *words, "--kind", "docker-daemon")

    assert report.status == 5, report.out + report.err
    (step,) = report.cluster["steps"]
    assert "the previous file is in place and Docker answers" in step["detail"]
    assert (
        cluster.shell(HOST, "cat /etc/docker/daemon.json; docker version >/dev/null && echo answers")
        == f"{before}answers\n"
    )
    assert cluster.run("converge", "--yes", "--host", HOST).status == 0
