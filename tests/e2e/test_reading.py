"""Commands that read leave no trace: every file, container, rule and package is the same to a second observer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.e2e.tampers import JOIN

if TYPE_CHECKING:
    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

# What changes by itself: logs, the chain, the API's database, and what programs of the system write now and then.
_BY_ITSELF = (
    "/var/log", "/var/lib/systemd", "/var/lib/docker", "/var/lib/containerd", "/var/lib/private", "/var/cache", "/run", "/dev", "/proc", "/sys",
    f"{JOIN}/.inference", f"{JOIN}/.dapi", f"{JOIN}/.tmkms",
)  # fmt: skip
_PRUNED = " -o ".join(f"-path {path}" for path in (*_BY_ITSELF, "/tmp"))  # noqa: S108 (the hosts' own)
_EVERYTHING = rf"""
find / -xdev \( {_PRUNED} \) -prune -o -printf '%p %y %m %U:%G %s %T@ %C@ %i\n'
find /mnt/shared -printf '%p %y %m %U:%G %s %T@ %C@ %i\n'
docker ps -aq --no-trunc | sort | xargs -r docker inspect -f 'container {{{{.Name}}}} {{{{.Id}}}} {{{{.State.StartedAt}}}} {{{{.RestartCount}}}}'
docker ps -aq | sort | while read -r id; do docker diff "$id" | sed "s/^/$id /"; done | grep -v -e /tmp -e /run -e /var
docker images --no-trunc -q | sort; docker network ls -q --no-trunc | sort; docker volume ls -q | sort
iptables-save | sed 's/ *\[[0-9:]*\]//; /^#/d'; ip6tables-save | sed 's/ *\[[0-9:]*\]//; /^#/d'
ufw status verbose; dpkg -l | sha256sum; sysctl -a 2>/dev/null | grep -e somaxconn -e ip_forward
systemctl list-unit-files --no-legend --no-pager; systemctl list-units --no-legend --no-pager --all --type=service,timer --plain | cut -d' ' -f1 | grep -v -e ^session- -e ^user | sort
crontab -l 2>&1; getent passwd; ls -la /root /home/*
"""


EVERYTHING = 40_000
"""Lines of six hosts, of which each has more than 9,000 files: what saw less did not look everywhere."""
READING = ("drift", "verify", "doctor", "diff", "observe", "hosts check")


def test_no_command_that_reads_leaves_a_trace(cluster: Cluster) -> None:
    assert cluster.run("converge", "--yes").status == 0
    before = _seen(cluster)

    ran = [cluster.run(command) for command in READING]

    after = _seen(cluster)
    assert {one.status for one in ran} == {0}, "\n".join(f"{one.status} {one.out}{one.err}" for one in ran)
    assert len(before) > EVERYTHING
    assert before == after, "\n".join(sorted(before ^ after))


def _seen(cluster: Cluster) -> set[str]:
    """One line per thing on any host."""
    with ThreadPoolExecutor(max_workers=len(cluster.info.hosts)) as pool:
        told = pool.map(
            lambda host: (host, cluster.shell(host, _EVERYTHING, check=False)), cluster.info.hosts
        )
    return {f"{host} {line}" for host, text in told for line in text.splitlines()}
