"""Two monitored hosts and a real Prometheus: every query has an answer, and drift becomes an alert. Logs have an end."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gonka_state import lab
from gonka_state.spec.expand_monitoring import TEXTFILES
from tests.e2e.world import ROOT, Cluster, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

NET, ML = "watched-network", "watched-ml-01"
CONFIG = "/etc/prometheus"
IMAGE = "nginx:1.28.0"
CHECKS = f"{TEXTFILES}/gonka-state-checks.prom"
QUICK = ("--scrape", "2s", "--drift-after", "5s", "--every", "10m")


def words(info: lab.LabInfo) -> dict[str, Any]:
    """What both hosts have, and on the network host the Prometheus that may ask them."""
    both: dict[str, Any] = {
        "packages": ["curl"],
        "units": {"cron": {"running": True, "enabled": True}},
        "logging": {
            "docker": {"driver": "local", "max_size": "10m", "max_file": 3},
            "journald": {"max_use": "1G", "max_retention": "30d"},
        },
        "monitoring": {"from": NET, "gpus": 8},
        "firewall": {"enabled": True, "incoming": "deny", "rules": {"22/tcp": "any"}},
    }
    return {
        "cluster": "watched",
        "lab": True,
        "ssh": {"user": info.user, "key": str(info.key), "known_hosts": str(info.known_hosts)},
        "roles": {"network": {**both, "packages": ["curl", "prometheus"]}, "ml": both},
        "hosts": {
            NET: {"address": info.hosts[NET], "role": "network"},
            ML: {"address": info.hosts[ML], "role": "ml"},
        },
    }


class Watched:
    """The two hosts, the file they are declared in, and their Prometheus."""

    def __init__(self, info: lab.LabInfo, directory: Path) -> None:
        self.cluster = Cluster(info)
        self.directory, self.file = directory, directory / "watched.yaml"
        self.declare(words(info))

    def declare(self, document: dict[str, Any]) -> None:
        """Write the cluster's file."""
        with self.file.open("w") as out:
            YAML().dump(document, out)

    def run(self, *given: str) -> Ran:
        """One command line of the tool."""
        done = subprocess.run(
            [str(ROOT / ".venv/bin/gonka-state"), *given], capture_output=True, text=True, timeout=400,
            check=False, stdin=subprocess.DEVNULL, cwd=self.directory,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def shell(self, host: str, script: str, *, check: bool = True) -> str:
        """The independent truth."""
        return self.cluster.shell(host, script, check=check)

    def check(self) -> int:
        """One run of `drift`, and its metrics where the network host's node_exporter reads them."""
        metrics = self.directory / "checks.prom"
        ran = self.run("drift", str(self.file), "--prometheus", str(metrics))
        self.shell(NET, f"cat >{CHECKS}.new <<'END'\n{metrics.read_text()}END\nmv {CHECKS}.new {CHECKS}")
        return ran.status

    def ask(self, path: str, **query: str) -> Any:  # noqa: ANN401  (JSON)
        """Prometheus' own answer."""
        given = " ".join(f"--data-urlencode '{name}={value}'" for name, value in query.items())
        answer = json.loads(self.shell(NET, f"curl -sSG {given} http://127.0.0.1:9090/api/v1/{path}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def value(self, query: str) -> list[dict[str, Any]]:
        """The series that answer a query now."""
        found: list[dict[str, Any]] = self.ask("query", query=query)["result"]
        return found

    def alerts(self) -> dict[str, str]:
        """Each alert that stands, and whether it is pending or firing."""
        return {a["labels"]["alertname"]: a["state"] for a in self.ask("alerts")["alerts"]}


def until(what: str, seconds: float, true: Any) -> None:  # noqa: ANN401  (any question)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(1)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Both hosts as they were booted, and a container that was made before anybody limited its log."""
    spec = lab.LabSpec("watched", "ubuntu", (lab.LabHost(NET, "network"), lab.LabHost(ML, "ml")), {})
    info = lab.up(spec, subnet="10.84.0.0/24", say=lambda _line: None)
    try:
        watched = Watched(info, tmp_path_factory.mktemp("watched"))
        watched.shell(ML, f"docker create --name before {IMAGE}")
        yield watched
    finally:
        lab.down("watched", say=lambda _line: None)


@pytest.fixture(scope="module")
def watched(bare: Watched) -> Watched:
    """As declared, with Prometheus running on the files that the tool wrote."""
    report = bare.run("converge", str(bare.file), "--yes", "--json")
    assert report.status == 0, report.out + report.err
    written = bare.directory / "monitoring"
    made = bare.run("monitoring", str(bare.file), "-o", str(written), *QUICK)
    assert made.status == 0, made.err
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(written, ".")
        tar.add(Path(__file__).parent / "rules.test.yml", "rules.test.yml")
    text = base64.b64encode(packed.getvalue()).decode()
    bare.shell(NET, f"cd {CONFIG}; echo {text} | base64 -d | tar -x --no-same-owner; chmod -R a+rX .")
    bare.shell(NET, "systemctl restart prometheus")
    until(
        "Prometheus is ready",
        30,
        lambda: "Ready" in bare.shell(NET, "curl -s 127.0.0.1:9090/-/ready", check=False),
    )
    return bare


def test_promtool_takes_what_was_written(watched: Watched) -> None:
    said = watched.shell(
        NET,
        f"cd {CONFIG}; promtool check config prometheus.yml 2>&1; promtool test rules rules.test.yml 2>&1",
    )

    assert "FAILED" not in said, said
    assert "18 rules found" in said
    lint = watched.shell(NET, f"promtool check metrics <{TEXTFILES}/gonka-state-gpus.prom 2>&1")
    assert lint == ""


def test_a_monitored_host_answers_those_who_may_ask_and_nobody_else(watched: Watched) -> None:
    assert watched.run("diff", str(watched.file)).status == 0

    for host, at in watched.cluster.info.hosts.items():
        listening = watched.shell(host, "ss -Hltnp | grep prometheus-node").split()
        assert listening[3] == f"{at}:9101"
    assert watched.cluster.reaches(NET, ML, 9101)
    assert not watched.cluster.reaches(ML, NET, 9101)


def test_logs_have_an_end(watched: Watched) -> None:
    journal = watched.shell(
        ML, "journalctl -q --no-pager -o cat -b -u systemd-journald | grep -o 'max [0-9.]*[A-Z]' | tail -n 1"
    )
    assert journal.strip() == "max 1.0G"
    watched.shell(ML, f"docker create --name after {IMAGE}")
    logs = watched.shell(ML, "docker inspect -f '{{.Name}} {{.HostConfig.LogConfig}}' before after").split(
        "\n"
    )
    assert logs[:2] == ["/before {json-file map[]}", "/after {local map[max-file:3 max-size:10m]}"]

    seen = watched.run("diff", str(watched.file), "-v")
    assert f"{ML}: no limit for before, made before one was declared" in seen.out
    checks = watched.run("verify", str(watched.file), "--host", ML, "--json").cluster["hosts"][ML]["checks"]
    (told,) = [check for check in checks if check["name"] == "container logs"]
    assert told["verdict"] == "warn"
    assert "after" not in told["evidence"]


def test_drift_becomes_an_alert_and_every_query_of_the_dashboard_has_an_answer(watched: Watched) -> None:
    assert watched.check() == 0
    until("both hosts are scraped", 30, lambda: len(watched.value('up{job="gonka-hosts"} == 1')) == 2)
    until("the check arrived", 30, lambda: watched.value('gonka_state_drift{cluster="watched"} == 0'))
    assert "GonkaDrift" not in watched.alerts()

    watched.shell(
        ML, "systemctl stop cron; echo 7 >/etc/gonka-state-lab/gpus; systemctl start gonka-state-gpus"
    )
    assert watched.check() == 2

    until("the drift is an alert", 40, lambda: watched.alerts().get("GonkaDrift") == "firing")
    assert watched.alerts()["GonkaGpuMissing"] == "pending"  # for two minutes
    dashboard = json.loads((watched.directory / "monitoring/dashboard.json").read_text())
    queries = [
        target["expr"].replace("$__rate_interval", "1m").replace("$cluster", ".*").replace("$host", ".*")
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    ]
    assert len(queries) > 20
    for query in queries:
        until(f"an answer to {query}", 70, lambda query=query: watched.value(query))
    for variable in dashboard["templating"]["list"][1:]:
        series, label = (
            variable["query"]["query"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        )
        found = watched.ask(f"label/{label}/values", **{"match[]": series.replace("$cluster", ".*")})
        assert found == {"cluster": ["watched"], "host": [ML, NET]}[label]

    watched.shell(ML, "echo 8 >/etc/gonka-state-lab/gpus; systemctl start gonka-state-gpus")
    assert watched.run("converge", str(watched.file), "--yes").status == 0
    assert watched.check() == 0
    until("the alerts are over", 40, lambda: not {"GonkaDrift", "GonkaGpuMissing"} & watched.alerts().keys())


def test_a_changed_port_is_a_restart_of_the_exporter_alone(watched: Watched) -> None:
    document = words(watched.cluster.info)
    document["hosts"][ML]["monitoring"] = {"port": 9110}
    watched.declare(document)
    since = watched.shell(
        ML, "systemctl show -p ActiveEnterTimestamp --value docker cron gonka-state-gpus.timer"
    )
    try:
        report = watched.run("converge", str(watched.file), "--yes", "--json")

        assert report.status == 0, report.out + report.err
        changed = {
            step["address"].partition("/")[2]
            for step in report.cluster["steps"]
            if step["status"] == "changed"
        }
        assert changed == {
            "file:/etc/default/prometheus-node-exporter", "service:prometheus-node-exporter", "firewall-rule:9110/tcp",
        }  # fmt: skip
        assert ":9110" in watched.shell(ML, "ss -Hltnp | grep prometheus-node")
        assert since == watched.shell(
            ML, "systemctl show -p ActiveEnterTimestamp --value docker cron gonka-state-gpus.timer"
        )
        assert watched.run("diff", str(watched.file)).status == 0
    finally:
        watched.declare(words(watched.cluster.info))
