"""A real cron and a real timer run drift every minute while hands change hosts; each lasting change is told once."""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.e2e.control import Control, addresses
from tests.e2e.tampers import BIG, HUB, JOIN
from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

MINUTE = 60.0
TOLD = 2.5 * MINUTE
"""Until a mail about a change must have come: the minute until the first check, and two checks."""
WRONG = "0123456789012345678901234567890123456789"
AT_ONCE, SEED, SURE = 3, 7, 2
LASTS = (15.0, 130.0, 160.0, 200.0)
"""Seconds for which a change stays, by chance."""
_CHECKS = """
import sqlite3, glob
for file in glob.glob("/root/.local/state/gonka-state/**/history.db", recursive=True):
    reads = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    for row in reads.execute("SELECT at - seconds, at FROM runs WHERE command = 'drift' ORDER BY at"): print(*row)
"""
JOURNAL = "journalctl -u gonka-state-drift --no-pager -o cat"


@dataclass(frozen=True)
class Hand:
    """A change that one can make and take back, and what it shows under on its host."""

    host: str
    does: str
    undoes: str
    local: str

    @property
    def address(self) -> str:
        """Where it shows."""
        return f"{self.host}/{self.local}"


def hands() -> list[Hand]:
    """What can be done on any host; no address twice."""
    env, main = f"{JOIN}/config.env", f"{HUB}/refs/main"
    rule = "-p tcp -m conntrack --ctorigdstport 5050 -j ACCEPT"
    everywhere = ((f"chmod 0644 {env}", f"chmod 0600 {env}", f"env-file:{env}"),)
    on_network = (("ufw delete allow 443/tcp", "ufw allow 443/tcp", "firewall-rule:443/tcp"),)
    on_ml = (
        ("chmod 0700 /mnt/shared", "chmod 0755 /mnt/shared", "directory:/mnt/shared"),
        ("docker stop -t 1 join-inference-1", "docker start join-inference-1", "compose-service:inference"),
        (f"iptables -I DOCKER-USER {rule}", f"iptables -D DOCKER-USER {rule}", "container-port:5050/tcp"),
    )
    with_big = (
        (f"cp -p {main} /root/main; printf {WRONG} >{main}", f"mv /root/main {main}", f"model:{BIG}"),
    )
    places = (((NETWORK, *ML), everywhere), ((NETWORK,), on_network), (ML, on_ml), (ML[:4], with_big))
    return [Hand(host, *words) for hosts, some in places for host in hosts for words in some]


@dataclass
class Deed:
    """When a hand began and ended to do something, and to take it back."""

    hand: Hand
    began: float
    done: float
    ended: float = 0.0
    undone: float = 0.0


@dataclass
class Watched:
    """A cluster in sync that two control machines look at every minute, and what was done to it."""

    cluster: Cluster
    cron: Control
    timer: Control
    deeds: list[Deed] = field(default_factory=list)

    def do(self, hand: Hand) -> Deed:
        """Change something."""
        began = time.time()
        self.cluster.shell(hand.host, hand.does)
        deed = Deed(hand, began, time.time())
        self.deeds.append(deed)
        return deed

    def undo(self, deed: Deed) -> None:
        """Take it back."""
        deed.ended = time.time()
        self.cluster.shell(deed.hand.host, deed.hand.undoes)
        deed.undone = time.time()

    def wait_for_a_check(self) -> None:
        """Until cron has seen the cluster in sync: what is found from then on is drift."""
        deadline = time.monotonic() + 2 * MINUTE
        while not self.checks():
            assert time.monotonic() < deadline, "cron does not check"
            time.sleep(3)

    def tamper(self, seconds: float) -> None:
        """Do and undo for so long, several at once, each for a time of chance.

        Each twice at most, and all others between: what comes a third time is called flapping.
        """
        dice = random.Random(SEED)  # noqa: S311 (a test's choice of moments)
        left = dice.sample(hands(), len(hands())) * 2
        until, pending = time.monotonic() + seconds, list[tuple[float, Deed]]()
        while time.monotonic() < until or pending:
            now = time.monotonic()
            for one in [one for one in pending if one[0] <= now]:
                self.undo(one[1])
                pending.remove(one)
            if now < until and left and len(pending) < AT_ONCE:
                pending.append((now + dice.choice(LASTS), self.do(left.pop())))
            time.sleep(dice.uniform(2, 10))

    def checks(self) -> list[tuple[float, float]]:
        """Begin and end of every look that cron had made, as its record says, oldest first."""
        said = self.cluster.shell(self.cron.host, f"cd / && python3 - <<'EOF'\n{_CHECKS}EOF")
        return [(float(at), float(end)) for at, end in (line.split() for line in said.splitlines())]

    def lasting(self) -> Counter[str]:
        """How often something was there from the begin to the end of two checks."""
        checks = self.checks()
        return Counter(deed.hand.address for deed in self.deeds if _whole(deed, checks) >= SURE)

    def possible(self) -> Counter[str]:
        """How often any check may have seen something."""
        checks = self.checks()
        found = [deed.hand.address for deed in self.deeds if _touched(deed, checks)]
        return Counter(
            [
                *found,
                *(name.replace("container-port", "exposure") for name in found if "container-port" in name),
            ]
        )


def _whole(deed: Deed, checks: list[tuple[float, float]]) -> int:
    return sum(1 for begin, end in checks if deed.done <= begin and end <= deed.ended)


def _touched(deed: Deed, checks: list[tuple[float, float]]) -> bool:
    return any(begin <= deed.undone and deed.began <= end for begin, end in checks)


@pytest.fixture(scope="module")
def watched(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """Five minutes of both in CI, and forty with --soak."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the lab's hosts have Python 3.11, and this machine's program is for another one")
    ran = cluster.run("converge", "--yes")
    assert ran.status == 0, ran.out + ran.err
    watched = Watched(cluster, Control(cluster, ML[4]), Control(cluster, ML[3]))
    try:
        for control, words in ((watched.cron, "--cron"), (watched.timer, "")):
            control.prepare()
            overlay = "" if control is watched.timer else control.told()
            installed = control.run(f"schedule install {control.paths} {overlay} --every 1m {words}")
            assert installed.status == 0, installed.err
        watched.wait_for_a_check()
        watched.tamper((40 if request.config.getoption("--soak") else 1) * MINUTE)
        time.sleep(TOLD)
        yield watched
    finally:
        for deed in watched.deeds:
            if not deed.undone:
                watched.undo(deed)
        watched.cron.clear()
        watched.timer.clear()


def test_cron_tells_each_lasting_change_once_and_once_that_it_is_over(watched: Watched) -> None:
    told, over = Counter[str](), Counter[str]()
    for mail in watched.cron.mails():
        first, _, _ = mail.get_content().partition("\n\n")
        (over if first.startswith("recovered") else told).update(
            re.findall(r"^  (\S+)  ", first, re.MULTILINE)
        )

    assert watched.lasting()
    assert watched.lasting() <= told <= watched.possible(), f"{told}\n{watched.checks()}\n{watched.deeds}"
    assert told == over


def test_a_timer_of_systemd_looks_every_minute_until_it_is_removed(watched: Watched) -> None:
    control, shell = watched.timer, watched.cluster.shell
    status = control.run("schedule status")
    said = shell(control.host, f"{JOURNAL}; systemctl list-timers --all --no-pager")
    removed = control.run("schedule remove")
    left = shell(control.host, "systemctl list-timers --all --no-pager; ls /etc/systemd/system")

    assert said.count("Finished gonka-state-drift.service") >= 4, said
    assert "gonka-state-drift.timer" in said
    assert watched.lasting().keys() <= addresses(said)
    assert re.search(r"^checked +\S+ \S+ UTC, .* ago, exit status 0 ", status.out, re.MULTILINE), status.out
    assert (removed.status, removed.out) == (0, "removed\n")
    assert "gonka-state-drift" not in left
