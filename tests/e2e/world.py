"""The plan's second cluster on six real hosts, and the eyes to judge it without our own report."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.lab import lifecycle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state import lab

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "desired" / "cluster2.yaml"
NETWORK = "cluster2-network"
LOADING = 90.0
"""Seconds for the broker to look at a node and have its model loaded."""
ML = tuple(f"cluster2-ml-{number:02d}" for number in range(1, 6))


@dataclass(frozen=True)
class Ran:
    """One command line's end."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What it printed, as JSON."""
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed

    @property
    def cluster(self) -> dict[str, Any]:
        """The one cluster of a plan or report document."""
        (found,) = self.document["clusters"]
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Demo:
    """One run of scripts/demo: what it printed, and how long it took."""

    out: str
    seconds: float


@dataclass(frozen=True)
class Cluster:
    """The lab under test, and the file it is declared in."""

    info: lab.LabInfo
    file: Path = CLUSTER
    overlays: tuple[Path, ...] = ()

    def run(self, command: str, *words: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Ran:
        """One `gonka-state` command on this cluster."""
        argv = [
            sys.executable,
            "-m",
            "gonka_state",
            *command.split(),
            str(self.file),
            *(
                word
                for overlay in (self.info.overlay, *self.overlays)
                for word in ("--overlay", str(overlay))
            ),
        ]
        done = subprocess.run(
            [*argv, *words],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            cwd=cwd,
            env=dict(os.environ if env is None else env),
            stdin=subprocess.DEVNULL,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def shell(self, host: str, script: str, *, check: bool = True) -> str:
        """Another shell on a host, as root: the independent truth."""
        done = subprocess.run(
            [*self.info.ssh(host), "sudo -n sh -s"],
            input=script,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def reboot(self, host: str) -> None:
        """Have a host boot anew, and wait until it is another boot that lets in and runs Docker."""
        asked = "cat /proc/sys/kernel/random/boot_id"
        before = self.shell(host, asked)
        self.shell(host, "(sleep 1; systemctl reboot) >/dev/null 2>&1 &")
        deadline = time.monotonic() + lifecycle.BOOT_SECONDS
        while self.shell(host, asked, check=False) in {before, ""}:
            assert time.monotonic() < deadline, f"{host} does not boot anew"
            time.sleep(0.5)
        lifecycle.wait_ready(self.info, host)

    def grant(self) -> Ran:
        """The human's step: the printed command, typed where the account key is. The diff that printed it."""
        seen = self.run("diff", "--kind", "grants", "--exit-zero")
        lines = [line.strip() for line in seen.out.splitlines()]
        line = next(line for line in lines if line.startswith("inferenced tx "))
        home = self.info.overlay.parent
        done = subprocess.run(
            [str(home / "inferenced"), *shlex.split(line)[1:]],
            input=(home / "operator" / "passphrase").read_text(),
            text=True, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr + seen.out
        deadline = time.monotonic() + 60
        while self.run("diff", "--kind", "grants").status != 0:  # until the own node has the block, too
            assert time.monotonic() < deadline, "the grants do not arrive at the own node"
        return seen

    def complete(self, model: str, **headers: str) -> tuple[int, Any]:
        """One question to the network node's public API, from this machine: status and body."""
        body = {"model": model, "messages": [{"role": "user", "content": "Is anybody there?"}]}
        (entrance,) = [at for name, at in self.info.hosts.items() if name.endswith("-network")]
        request = urllib.request.Request(
            f"http://{entrance}:8000/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  (the lab's own address)
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def served(self, models: Sequence[str], name: str) -> dict[str, Any]:
        """The first answer for each model, once the nodes have loaded them; `name` is whoever asks."""
        deadline, answers = time.monotonic() + LOADING, dict[str, Any]()
        while len(answers) < len(models):
            assert time.monotonic() < deadline, f"only {list(answers)} served within {LOADING:.0f} s"
            for model in models:
                status, answer = self.complete(model, Authorization=name)
                if status == 200:
                    answers[model] = answer
            time.sleep(0 if len(answers) == len(models) else 1)
        return answers

    def reaches(self, source: str, target: str, port: int) -> bool:
        """Whether a TCP connection from one host to a port of another is accepted."""
        address = self.info.hosts[target]
        probe = f"import socket; socket.create_connection(({address!r}, {port}), 2)"
        done = subprocess.run(
            [*self.info.ssh(source), f'python3 -c "{probe}" 2>/dev/null && echo open || echo closed'],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout.strip() == "open"

    def started(self) -> dict[str, str]:
        """When each container of each host was started."""
        times: dict[str, str] = {}
        for host in self.info.hosts:
            lines = self.shell(
                host, "docker ps -aq | xargs -r docker inspect -f '{{.Name}} {{.Id}} {{.State.StartedAt}}'"
            )
            for line in lines.splitlines():
                name, ident, at = line.split()
                times[f"{host}{name}"] = f"{ident} {at}"
        return times

    def sessions(self, host: str) -> int:
        """How many commands sshd says it was asked to run for the login user so far."""
        # The question itself is one more, which the caller subtracts by asking twice.
        lines = self.shell(
            host, "journalctl -u ssh --no-pager -o cat | grep -c 'Starting session: command' || true"
        )
        return int(lines.strip() or 0)
