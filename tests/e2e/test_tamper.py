"""Each kind tampered with: diff names exactly that, converge runs exactly its step, nothing else is touched."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from gonka_state.core.bech32 import account_address, raw_address
from gonka_state.engine.criteria import CRITERIA
from tests.e2e import tampers
from tests.e2e.tampers import BIG, CLOSED, HUB, LEFT, SHARD, Tamper
from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.world import Cluster, Ran

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

CONTROL = f"{tampers.JOIN}/.dapi/lab-control.json"
# What a host is, as its own programs tell it: one line per thing. Files with inode and time, so that one which was
# only written again shows as well; what the world writes by itself is left out.
_TRUTH = rf"""
docker ps -aq | xargs -r docker inspect -f 'container {{{{.Name}}}} {{{{.Id}}}} {{{{.State.StartedAt}}}}'
docker images --no-trunc --format 'image {{{{.Repository}}}}:{{{{.Tag}}}} {{{{.ID}}}}' | grep -v '<none>'
ufw status | sed 's/^/ufw /'
iptables-save | grep -E '^:(INPUT|FORWARD|OUTPUT)|^-A (ufw-user|DOCKER-USER|INPUT|FORWARD|OUTPUT)' | sed 's/ \[.*//; s/^/rule /' | sort
for file in $(find {tampers.JOIN} -maxdepth 1 -type f ! -name '*-previous') $(find {HUB}/snapshots {HUB}/refs {HUB}/blobs ! -type d 2>/dev/null) /etc/ufw/*.rules \
  /etc/ufw/ufw.conf /etc/environment /etc/docker/daemon.json /home/ubuntu/.ssh/authorized_keys; do
  echo "file $file $(stat -c '%a %U %i %Y' -- "$file") $(sha256sum <"$file")"
done
stat -c 'directory %n %a %U' /mnt/shared /opt/gonka {tampers.JOIN}
echo "checkout $(git -c safe.directory='*' -C /opt/gonka rev-parse HEAD) $(git -c safe.directory='*' -C /opt/gonka status --porcelain -uno | tr '\n' ' ')"
for unit in cron docker; do echo "unit $unit $(systemctl is-active $unit) $(systemctl is-enabled $unit)"; done
echo "parameter $(sysctl net.core.somaxconn)"
dpkg-query -W -f 'package ${{Package}} ${{db:Status-Abbrev}} ${{Version}}\n' wget curl git ufw
/opt/gonka-state/hf/bin/hf version 2>/dev/null | sed 's/^/tool /'
"""


@dataclass
class Whole:
    """The plan's cluster and, on one host, the kinds that the plan does not use.

    `left` is the truth as the last test left it, in sync; None before the first, and after one that failed.
    """

    cluster: Cluster
    left: set[str] | None = None

    def truth(self) -> set[str]:
        """What is on all hosts, as they tell it themselves."""
        with ThreadPoolExecutor(max_workers=len(self.cluster.info.hosts)) as pool:
            told = pool.map(self._truth, self.cluster.info.hosts)
        nodes = json.loads(self.cluster.shell(NETWORK, "curl -sf 127.0.0.1:9200/admin/v1/nodes"))
        lines = {f"{NETWORK} node {json.dumps(_declarable(item['node']), sort_keys=True)}" for item in nodes}
        return lines.union(*told)

    def _truth(self, host: str) -> set[str]:
        return {f"{host} {line}" for line in self.cluster.shell(host, _TRUTH).splitlines()}

    @contextmanager
    def in_sync(self) -> Iterator[set[str]]:
        """The truth while everything is as declared; the next test begins with what is true after this one."""
        before, self.left = self.left, None
        if before is None:
            ran = self.cluster.run("converge", "--yes")
            assert ran.status == 0, ran.out + ran.err
            before = self.truth()
        yield before

    @property
    def account(self) -> str:
        """The address of the cluster's account."""
        words: Any = YAML(typ="safe", pure=True).load(self.cluster.info.overlay)
        return account_address(words["network"]["account"]["pubkey"])

    def shell(self, host: str, script: str) -> None:
        """A script that may speak of the lab's own addresses."""
        hub, cold = urlsplit(self.cluster.info.hub_url), raw_address(self.account).hex()
        self.cluster.shell(host, f"HUB={hub.hostname} HUB_PORT={hub.port} COLD={cold}\n{script}")

    def named(self, tampers_: list[Tamper]) -> dict[str, set[str]]:
        """All that has to be named, and each one's attributes."""
        found = [item for tamper in tampers_ for item in tamper.named.items()]
        return {address.replace("$ACCOUNT", self.account): attributes for address, attributes in found}


def _declarable(node: dict[str, Any]) -> dict[str, Any]:
    """A node without what the API finds out or counts by itself."""
    return {name: value for name, value in node.items() if name not in {"hardware", "node_num"}}


@pytest.fixture(scope="module")
def whole(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    file = tmp_path_factory.mktemp("whole") / "whole.yaml"
    with file.open("w") as stream:
        hosts = {tampers.HOST: tampers.NOT_IN_THE_PLAN}
        YAML().dump({"cluster": "cluster2", "hosts": hosts, "backup": tampers.BACKUP}, stream)
    before = cluster.shell(tampers.HOST, tampers.BEFORE).split()[-1]
    cluster.shell(ML[3], "docker pull -q ghcr.io/gonka-ai/mlnode:3.0.12")
    # A report that is kept for a minute would tell each test of the one before.
    cluster.shell(NETWORK, f"""printf %s '{{"report_seconds": 0}}' >{CONTROL}""")
    try:
        yield Whole(dataclasses.replace(cluster, overlays=(file,)))
    finally:
        cluster.shell(NETWORK, f"rm {CONTROL}")
        cluster.shell(tampers.HOST, tampers.AFTER % before)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A hand on each host at the same time; with --soak one after the other."""
    for name, tampers_ in (("closed", CLOSED), ("left", LEFT)):
        if name in metafunc.fixturenames:
            rounds = in_rounds(tampers_, single=metafunc.config.getoption("--soak"))
            metafunc.parametrize(name, rounds, ids=[", ".join(item.name for item in one) for one in rounds])


def in_rounds(listed: list[Tamper], *, single: bool) -> list[list[Tamper]]:
    """Rounds of tampers, none of which has a host twice; or each alone."""
    if single:
        return [[tamper] for tamper in listed]
    queues: dict[str, list[Tamper]] = {}
    for tamper in listed:
        queues.setdefault(tamper.host, []).append(tamper)
    return [[tamper for tamper in one if tamper] for one in zip_longest(*queues.values())]


def test_exactly_what_was_changed_is_named_and_closed(whole: Whole, closed: list[Tamper]) -> None:
    with whole.in_sync() as before:
        for tamper in closed:
            whole.shell(tamper.host, tamper.script)
        seen = whole.cluster.run("diff", "--json")
        verified = whole.cluster.run("verify", "--json")
        for tamper in (one for one in closed if one.meanwhile):
            whole.shell(tamper.host, tamper.meanwhile)
        ran = whole.cluster.run("converge", "--yes", "--json")
        after = whole.truth()

        _named(seen, whole.named(closed))
        _red(verified, whole.named(closed))
        assert ran.status == 0, ran.out + ran.err
        follow = set[str]().union(*(tamper.follows for tamper in closed))
        assert {step["address"] for step in ran.cluster["steps"]} == set(whole.named(closed)) - follow
        assert ran.cluster["after"]["summary"]["pending"] == 0
        _untouched(before, after, closed)
    whole.left = after


def test_exactly_what_is_for_a_human_is_named_and_nothing_runs(whole: Whole, left: list[Tamper]) -> None:
    kinds = set[str]().union(*(tamper.kinds for tamper in left)) - {"setup-report"}
    with whole.in_sync() as before:
        try:
            for tamper in left:
                whole.shell(tamper.host, tamper.script)
            seen = whole.cluster.run("diff", "--json")
            verified = whole.cluster.run("verify", "--json")
            only = [word for kind in sorted(kinds) for word in ("--kind", kind)]
            ran = whole.cluster.run("converge", "--yes", "--json", *only)
        finally:
            for tamper in left:
                whole.shell(tamper.host, tamper.undo)
        after = whole.truth()

        _named(seen, whole.named(left))
        _red(verified, whole.named(left))
        assert (ran.status, ran.cluster["steps"]) == (6, []), ran.out + ran.err
        _untouched(before, after, left)
    whole.left = after


def test_in_the_end_it_is_in_sync(whole: Whole) -> None:
    """Each look above tells of the test before; nobody else tells of the last."""
    assert whole.cluster.run("diff").status == 0


def test_all_checks_of_a_finished_cluster_are_green_and_its_nodes_answer(whole: Whole) -> None:
    ran = whole.cluster.run("verify", "--performance", "--json")

    checks = {(host, check["name"]): check for host, check in _checks(ran)}
    assert ran.status == 0, ran.out + ran.err
    assert {check["verdict"] for check in checks.values()} <= {"ok", "warn"}
    for node in ("network-node", *ML):
        assert "tokens/s" in checks[NETWORK, f"completion of {node}"]["evidence"]
        assert checks[NETWORK, f"load time of {node}"]["verdict"] == "ok"


def _checks(ran: Ran) -> list[tuple[str, dict[str, Any]]]:
    return [(name, check) for name, host in ran.cluster["hosts"].items() for check in host["checks"]]


def _red(verified: Ran, named: dict[str, set[str]]) -> None:
    """Every cause is one red line on its host, and there is no other."""
    expected = set()
    for address in named:
        host, _, local = address.partition("/")
        expected |= {(host, name) for name, kinds in CRITERIA.items() if local.partition(":")[0] in kinds}
    found = {
        (host, check["name"]): check for host, check in _checks(verified) if check["verdict"] == "failed"
    }
    assert found.keys() == expected, found
    assert all(check["evidence"] and check["hint"] for check in found.values()), found


def _named(seen: Ran, named: dict[str, set[str]]) -> None:
    """Who gets an answer from a port is known after its rules are closed: conditional, and passed over here."""
    changes = {item["address"]: item for item in seen.cluster["changes"] if _seen(item)}
    listed = "\n".join(
        f"{address}: {item['attributes']} {item['reason']}" for address, item in changes.items()
    )
    assert seen.status == 2, seen.out
    assert set(changes) == set(named), listed
    for address, attributes in named.items():
        found = {item["name"].split(".")[0] for item in changes[address]["attributes"]}
        assert attributes <= found, listed


def _seen(item: dict[str, Any]) -> bool:
    return not item["warning"] and not item["conditional"]


def _untouched(before: set[str], after: set[str], tampers_: list[Tamper]) -> None:
    """Only containers and files that the tampers name are other ones, and these files only younger."""
    moved = {tuple(line.split(" ")) for line in before ^ after}
    containers = {f"{host}{name[0]}" for host, what, *name in moved if what == "container"}
    files = {(host, name[0]) for host, what, *name in moved if what == "file"}
    others = [line for line in moved if line[1] not in {"container", "file"}]
    anew = {tamper.host: tamper.files for tamper in tampers_}

    assert containers == set[str]().union(*(tamper.restarts for tamper in tampers_))
    assert others == []
    assert [(host, path) for host, path in files if not path.startswith(anew.get(host, ()))] == []
    assert _lasting(before) == _lasting(after)


def _lasting(lines: set[str]) -> set[tuple[str, ...]]:
    """Files without inode and time."""
    words = [tuple(line.split(" ")) for line in lines]
    return {(*line[:5], *line[7:]) for line in words if line[1] == "file"}


def test_wrong_bytes_are_found_on_request_and_fetched_again(cluster: Cluster) -> None:
    assert cluster.run("converge", "--yes").status == 0
    cluster.shell(ML[1], f'printf X | dd of="{SHARD}" bs=1 seek=5000 conv=notrunc status=none')

    plain = cluster.run("diff")
    seen = cluster.run("diff", "--verify-models", "--json")
    closed = cluster.run("converge", "--yes", "--verify-models", "--json")

    assert plain.status == 0, plain.out
    (change,) = [item for item in seen.cluster["changes"] if _seen(item)]
    assert change["address"] == f"{ML[1]}/model:{BIG}"
    assert "wrong bytes: model-00002-of-00004.safetensors" in change["reason"]
    assert f"{ML[1]}: reading 2.4 MB of {BIG}" in seen.err
    assert closed.status == 0, closed.out + closed.err
    assert [step["address"] for step in closed.cluster["steps"]] == [change["address"]]
    assert cluster.run("diff", "--verify-models").status == 0


def test_what_nobody_declared_is_no_drift_and_is_listed(cluster: Cluster) -> None:
    assert cluster.run("converge", "--yes").status == 0
    stray = "/mnt/shared/hub/models--some--stray/snapshots/0123456789012345678901234567890123456789"
    cluster.shell(
        ML[4],
        f"""
        docker run -d --name stray --network none --entrypoint sleep ghcr.io/gonka-ai/mlnode:3.0.13 600 >/dev/null
        mkdir -p {stray} && echo '{{}}' >{stray}/config.json
        ufw allow 7777/tcp >/dev/null
        """,
    )
    try:
        quiet = cluster.run("diff")
        listed = cluster.run("diff", "--unmanaged")
    finally:
        cluster.shell(
            ML[4],
            "docker rm -f stray >/dev/null; rm -rf /mnt/shared/hub/models--some--stray; ufw delete allow 7777/tcp >/dev/null",
        )

    assert quiet.status == 0, quiet.out
    for expected in ("stray", "some/stray", "7777"):
        assert expected in listed.out, listed.out
        assert expected not in quiet.out
