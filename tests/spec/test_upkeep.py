"""The words for logs and for metrics, and what they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Effect
from gonka_state.core.desired import Scraped
from gonka_state.engine.needs import edges
from gonka_state.errors import InputError
from gonka_state.registry import KINDS
from tests.spec.test_expand import changed, names, resource

if TYPE_CHECKING:
    from collections.abc import Callable

ARGUMENTS = "/etc/default/prometheus-node-exporter"
LIMITS = "/etc/systemd/journald.conf.d/50-gonka-state.conf"


def test_dockers_logs_are_settings_of_docker_beside_its_others(read: Callable[..., Any]) -> None:
    words = "logging: {docker: {}}, docker_daemon: {iptables: true}"
    desired = read(small=changed(host=words))

    assert resource(desired, "ml-01/docker-daemon:daemon.json").settings == {
        "iptables": True,
        "log-driver": "json-file",
        "log-opts": {"max-size": "100m", "max-file": "5"},
    }
    assert names(desired, "service") == []


@pytest.mark.parametrize("setting", ["log-driver: local", "log-opts: {max-size: 1m}"])
def test_a_log_setting_is_said_in_one_place(read: Callable[..., Any], setting: str) -> None:
    with pytest.raises(InputError, match=r"is said by logging.docker already") as refused:
        read(small=changed(ml="logging: {docker: {}}", host=f"docker_daemon: {{{setting}}}"))
    assert "small.yaml:" in refused.value.problems[0]


def test_the_journals_limits_are_a_file_that_journald_is_started_for(read: Callable[..., Any]) -> None:
    desired = read(small=changed(host="logging: {journald: {max_use: 500M, max_retention: 30d}}"))

    file = resource(desired, f"ml-01/file:{LIMITS}")
    assert file.content.splitlines()[1:] == ["[Journal]", "SystemMaxUse=500M", "MaxRetentionSec=30d"]
    unit = resource(desired, "ml-01/service:systemd-journald")
    assert unit.attributes() == {"running": True, "current": True}
    needed = edges(desired, KINDS)[Address("ml-01", "service", "systemd-journald")]
    assert [(edge.on.local, edge.refresh) for edge in needed] == [(f"file:{LIMITS}", True)]
    assert names(desired, "docker-daemon") == []
    assert unit.effect(..., ()) is Effect.SAFE


def test_a_monitored_host_has_its_exporter_and_lets_prometheus_in(read: Callable[..., Any]) -> None:
    desired = read(small=changed(host="monitoring: {from: [net, 10.9.0.5]}"))

    assert resource(desired, f"ml-01/file:{ARGUMENTS}").content.splitlines()[1:] == [
        'ARGS="--web.listen-address=10.0.0.2:9101 --collector.textfile.directory=/var/lib/prometheus/node-exporter"'
    ]
    rule = resource(desired, "ml-01/firewall-rule:9101/tcp")
    assert rule.sources == ("10.0.0.1", "10.9.0.5")
    assert names(desired, "service") == ["prometheus-node-exporter"]
    assert desired.scraped == (Scraped("ml-01", "ml", "10.0.0.2:9101"),)


def test_the_package_comes_after_its_arguments_or_it_takes_port_9100(read: Callable[..., Any]) -> None:
    desired = read(small=changed(host="monitoring: {}"))

    needed = edges(desired, KINDS)
    exporter = Address("ml-01", "package", "prometheus-node-exporter")
    assert [edge.on.local for edge in needed[exporter]] == [f"file:{ARGUMENTS}"]
    before = {edge.on.local for edge in needed[Address("ml-01", "service", exporter.name)]}
    assert before == {f"file:{ARGUMENTS}", f"package:{exporter.name}"}
    assert names(desired, "firewall-rule") == []
    phases = {a.kind: d.resource.in_phase for a, d in desired.resources.items() if exporter.name in a.name}
    assert phases == {"file": 1, "package": 1, "service": 1}


@pytest.mark.parametrize(
    ("words", "listens"),
    [
        ("monitoring: {port: 9200, listen: 10.8.0.2}", "10.8.0.2:9200"),
        ("monitoring: {listen: 'fd00::2'}", "[fd00::2]:9101"),
        ("monitoring: {listen: 0.0.0.0}", "0.0.0.0:9101"),
    ],
)
def test_where_it_listens(read: Callable[..., Any], words: str, listens: str) -> None:
    desired = read(small=changed(host=words))

    assert f"--web.listen-address={listens} " in resource(desired, f"ml-01/file:{ARGUMENTS}").content
    (found,) = desired.scraped
    # What listens everywhere is asked at the host's address.
    assert found.at == ("10.0.0.2:9101" if "0.0.0.0" in listens else listens)  # noqa: S104  (nobody binds it)


def test_a_host_that_has_only_a_name_listens_everywhere(read: Callable[..., Any]) -> None:
    text = changed(host="monitoring: {}").replace(
        "monitoring: {}, address: 10.0.0.2", "monitoring: {}, address: a.example"
    )
    desired = read(small=text.replace("container_ports: {5050/tcp: network}", "container_ports: {}"))

    assert '"--web.listen-address=:9101 ' in resource(desired, f"ml-01/file:{ARGUMENTS}").content
    assert [host.at for host in desired.scraped] == ["a.example:9101"]


def test_cards_are_read_by_a_program_that_a_timer_runs(read: Callable[..., Any]) -> None:
    desired = read(small=changed(host="monitoring: {gpus: 4}"))

    program = resource(desired, "ml-01/file:/usr/local/lib/gonka-state/gonka-state-gpus")
    assert (program.mode, "expected=4" in program.content) == ("0755", True)
    unit = resource(desired, "ml-01/file:/etc/systemd/system/gonka-state-gpus.service").content
    assert f"ExecStart={program.name}\n" in unit
    timer = resource(desired, "ml-01/service:gonka-state-gpus.timer")
    assert timer.restart_on == (
        "/etc/systemd/system/gonka-state-gpus.timer", "/etc/systemd/system/gonka-state-gpus.service",
    )  # fmt: skip
    needed = {edge.on.local for edge in edges(desired, KINDS)[Address("ml-01", "service", timer.name)]}
    assert needed == {
        f"file:{program.name}",
        "package:prometheus-node-exporter",
        *(f"file:{path}" for path in timer.restart_on),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("logging: {docker: {max_size: 100}}", "max_size"),
        ("logging: {docker: {max_size: 100x}}", "max_size"),
        ("logging: {docker: {driver: syslog}}", "json-file"),
        ("logging: {journald: {max_use: 2g}}", "is not a size as systemd writes it, such as 500M or 2G"),
        ("logging: {journald: {max_retention: 30}}", "max_retention"),
        ("monitoring: {listen: here}", "listen"),
        ("monitoring: {gpus: 0}", "gpus"),
        ("monitoring: {port: 5050}", "port 5050 is one that a container publishes"),
        ("monitoring: {from: nowhere}", "nowhere"),
        ("monitoring: {from: net}, firewall: {rules: {9101/tcp: any}}", "already declared"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(read: Callable[..., Any], words: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(small=changed(host=words))
    assert "small.yaml:" in refused.value.problems[0]
    assert said in "\n".join(refused.value.problems)
