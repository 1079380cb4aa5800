"""What Prometheus and Grafana are told, as data: tests/e2e/test_monitoring.py has a real Prometheus judge it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.desired import Desired, Scraped
from gonka_state.spec.write import as_yaml
from gonka_state.views.alerts import Waits, rules
from gonka_state.views.dashboard import dashboard
from gonka_state.views.prometheus import render_prometheus
from gonka_state.views.scraping import configuration, targets

if TYPE_CHECKING:
    from collections.abc import Callable

    Golden = Callable[[str, str], None]

DESIRED: Desired[Any] = Desired(
    "a", "a.yaml", lab=False, hosts={}, resources={},
    scraped=(Scraped("a-network", "network", "10.0.0.1:9101"), Scraped("a-ml-01", "ml", "[fd00::2]:9101")),
)  # fmt: skip
RULES = [rule for group in rules(["a", "b"], Waits())["groups"] for rule in group["rules"]]
PANELS = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
ROOT = Path(__file__).parents[2]
OURS = re.compile(r"gonka_state_\w+")


def test_the_rules(golden: Golden) -> None:
    golden("rules.yml", as_yaml(rules(["cluster1", "cluster2"], Waits())).rstrip("\n"))


def test_a_configuration_names_the_lists_of_the_clusters_it_was_made_for() -> None:
    plain = configuration(["a", "b"], 30, [], [])
    (job,) = plain["scrape_configs"]
    assert job["file_sd_configs"] == [{"files": ["targets/a.json", "targets/b.json"]}]
    assert plain["global"] == {"scrape_interval": "30s", "evaluation_interval": "30s"}
    assert "alerting" not in plain

    whole = configuration(["a"], 5, ["10.0.0.9:9100"], ["10.0.0.9:9093"])
    assert whole["scrape_configs"][1]["static_configs"] == [{"targets": ["10.0.0.9:9100"]}]
    assert whole["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["10.0.0.9:9093"]}]}]


def test_labels_of_the_checks_metrics_win_over_those_of_the_host_they_lie_on() -> None:
    jobs = configuration(["a"], 30, ["10.0.0.9:9100"], [])["scrape_configs"]

    assert [job["honor_labels"] for job in jobs] == [True, True]


def test_a_target_carries_cluster_host_and_role() -> None:
    assert targets(DESIRED) == [
        {"targets": ["10.0.0.1:9101"], "labels": {"cluster": "a", "host": "a-network", "role": "network"}},
        {"targets": ["[fd00::2]:9101"], "labels": {"cluster": "a", "host": "a-ml-01", "role": "ml"}},
    ]


def test_waits_are_what_was_asked_for() -> None:
    found = {
        rule["alert"]: rule
        for group in rules(["a"], Waits(drift=60, every=300))["groups"]
        for rule in group["rules"]
    }

    assert found["GonkaDrift"]["for"] == "60s"
    assert found["GonkaCheckerDead"]["expr"].endswith("> 900")
    assert found["GonkaNeverChecked"]["for"] == "900s"


def test_every_rule_has_a_name_of_its_own_or_is_about_one_cluster() -> None:
    names = [rule["alert"] for rule in RULES]

    assert {name for name in names if names.count(name) > 1} == {"GonkaNeverChecked"}
    assert all(rule["labels"]["severity"] in {"critical", "warning", "info"} for rule in RULES)
    assert all(rule["annotations"]["summary"] and rule["annotations"]["description"] for rule in RULES)


@pytest.mark.parametrize(
    "questions", [[rule["expr"] for rule in RULES], [panel["targets"][0]["expr"] for panel in PANELS]]
)
def test_only_metrics_are_asked_for_that_somebody_writes(questions: list[str]) -> None:
    gpus = (ROOT / "templates/gonka-state-gpus.j2").read_text()
    written = {*OURS.findall(render_prometheus([], 0.0)), *OURS.findall(gpus)}

    asked = {name for question in questions for name in OURS.findall(question)}
    assert asked
    assert asked - written == set()


def test_the_dashboard_shows_every_metric_of_the_checks() -> None:
    shown = " ".join(panel["targets"][0]["expr"] for panel in PANELS)

    assert set(OURS.findall(render_prometheus([], 0.0))) - set(OURS.findall(shown)) == set()


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert max(x for x, _ in cells) < 24
        taken |= cells
