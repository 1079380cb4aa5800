"""A Grafana dashboard: what the checks found, the hosts, and their cards."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from gonka_state.views.alerts import DISKS
from gonka_state.views.scraping import HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterator

UID = "gonka-state"
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_CLUSTER, _HOST = 'cluster=~"$cluster"', 'cluster=~"$cluster",host=~"$host"'
_DISKS = DISKS.replace("}", f",{_HOST}}}")
_WIDTH, _ROW = 24, 1


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and how the answer is drawn: `kind` is Grafana's. `width` is in parts of 24.

    `limits` are where green turns yellow, and yellow red.
    """

    title: str
    query: str
    legend: str = "{{host}}"
    unit: str = "none"
    kind: str = "timeseries"
    width: int = 8
    limits: tuple[float, ...] = ()


_CHECKS = (
    Panel("Alerts", 'ALERTS{alertname=~"Gonka.*",cluster=~"$cluster|",alertstate="firing"}',
          "{{alertname}} {{cluster}} {{host}}", kind="table", width=12),
    Panel("Drift", f"gonka_state_drift{{{_CLUSTER}}}", "{{cluster}}", kind="stat", width=3, limits=(1, 5)),
    Panel("Pending", f"gonka_state_pending{{{_CLUSTER}}}", "{{cluster}}", kind="stat", width=3, limits=(1, 20)),
    Panel("Unknown", f"gonka_state_unknown{{{_CLUSTER}}}", "{{cluster}}", kind="stat", width=3, limits=(1, 5)),
    Panel("Last check", f"time() - gonka_state_last_check_timestamp_seconds{{{_CLUSTER}}}", "{{cluster}}", "s",
          "stat", 3, (1200, 1800)),
    Panel("In sync, share of the last day",
          f"avg_over_time((gonka_state_pending{{{_CLUSTER}}} + gonka_state_unknown{{{_CLUSTER}}} == bool 0)[1d:1m])",
          "{{cluster}}", "percentunit", "stat"),
    Panel("Resources that differ", f"gonka_state_pending{{{_CLUSTER}}}", "{{cluster}}"),
    Panel("How long a check takes", f"gonka_state_check_duration_seconds{{{_CLUSTER}}}", "{{cluster}}", "s"),
    Panel("In maintenance", f"gonka_state_maintenance{{{_CLUSTER}}}", "{{cluster}}", width=8),
    Panel("Resources in sync", f"gonka_state_in_sync{{{_CLUSTER}}}", "{{cluster}}", width=8),
    Panel("Hosts that gave no answer", f"gonka_state_hosts_unknown{{{_CLUSTER}}}", "{{cluster}}", width=8),
)  # fmt: skip
_HOSTS = (
    Panel("Answers", f'up{{job="{HOSTS}",{_HOST}}}', kind="stat", width=24),
    Panel("CPU in use", f'1 - avg by (host) (rate(node_cpu_seconds_total{{mode="idle",{_HOST}}}[$__rate_interval]))',
          unit="percentunit"),
    Panel("Memory in use", f"1 - node_memory_MemAvailable_bytes{{{_HOST}}} / node_memory_MemTotal_bytes{{{_HOST}}}",
          unit="percentunit"),
    Panel("Disk in use", f"1 - node_filesystem_avail_bytes{_DISKS} / node_filesystem_size_bytes{_DISKS}",
          "{{host}} {{mountpoint}}", "percentunit"),
    Panel("Load per core", f'node_load5{{{_HOST}}} / on (cluster, host) count by (cluster, host) (node_cpu_seconds_total{{mode="idle",{_HOST}}})'),
    Panel("Network, received",
          f'sum by (host) (rate(node_network_receive_bytes_total{{device!~"lo|veth.*|br-.*|docker.*",{_HOST}}}[$__rate_interval]))',
          unit="Bps"),
    Panel("Network, sent",
          f'sum by (host) (rate(node_network_transmit_bytes_total{{device!~"lo|veth.*|br-.*|docker.*",{_HOST}}}[$__rate_interval]))',
          unit="Bps"),
    Panel("Clock, seconds from Prometheus'", f"node_time_seconds{{{_HOST}}} - timestamp(node_time_seconds{{{_HOST}}})",
          unit="s", width=12),
    Panel("Up since", f"time() - node_boot_time_seconds{{{_HOST}}}", unit="s", width=12),
)  # fmt: skip
_CARDS = (
    Panel("Cards that answer", f"gonka_state_gpus{{{_HOST}}}", kind="stat", width=12),
    Panel("Cards expected", f"gonka_state_gpus_expected{{{_HOST}}}", kind="stat", width=12),
    Panel("Utilisation", f"avg by (host) (gonka_state_gpu_utilization_ratio{{{_HOST}}})", unit="percentunit"),
    Panel("Memory in use",
          f"sum by (host) (gonka_state_gpu_memory_used_bytes{{{_HOST}}}) / sum by (host) (gonka_state_gpu_memory_total_bytes{{{_HOST}}})",
          unit="percentunit"),
    Panel("Power", f"sum by (host) (gonka_state_gpu_power_watts{{{_HOST}}})", unit="watt"),
    Panel("Temperature of the hottest card", f"max by (host) (gonka_state_gpu_temperature_celsius{{{_HOST}}})",
          unit="celsius", width=12),
    Panel("Memory errors that could not be corrected",
          f"sum by (host) (gonka_state_gpu_ecc_uncorrected_errors{{{_HOST}}})", width=12),
)  # fmt: skip
SECTIONS = {"Checks": _CHECKS, "Hosts": _HOSTS, "GPUs": _CARDS}


def dashboard() -> dict[str, Any]:
    """What Grafana imports. It asks for a data source, and offers clusters and hosts to choose from."""
    return {
        "uid": UID,
        "title": "Gonka",
        "tags": ["gonka-state"],
        "schemaVersion": 38,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": list(_variables())},
        "panels": list(_panels()),
    }


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}
    choices = {
        "cluster": f'label_values(up{{job="{HOSTS}"}}, cluster)',
        "host": f'label_values(up{{job="{HOSTS}",{_CLUSTER}}}, host)',
    }
    for name, query in choices.items():
        yield {
            "name": name,
            "type": "query",
            "label": name.capitalize(),
            "datasource": _SOURCE,
            "query": {"query": query, "refId": name},
            "definition": query,
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }


def _panels() -> Iterator[dict[str, Any]]:
    numbers, top = count(1), 0
    for title, panels in SECTIONS.items():
        place = {"x": 0, "y": top, "w": _WIDTH, "h": _ROW}
        yield {
            "id": next(numbers),
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": place,
            "panels": [],
        }
        top, left, height = top + _ROW, 0, 0
        for panel in panels:
            if left + panel.width > _WIDTH:
                top, left, height = top + height, 0, 0
            tall = 4 if panel.kind == "stat" else 7
            place = {"x": left, "y": top, "w": panel.width, "h": tall}
            yield {"id": next(numbers), "gridPos": place, **_panel(panel)}
            left, height = left + panel.width, max(height, tall)
        top += height


def _panel(panel: Panel) -> dict[str, Any]:
    table = panel.kind == "table"
    steps = [
        {"color": color, "value": value}
        for color, value in zip(("green", "yellow", "red"), (None, *panel.limits), strict=False)
    ]
    question = {"refId": "A", "expr": panel.query, "legendFormat": panel.legend, "datasource": _SOURCE}
    return {
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "targets": [question | ({"instant": True, "format": "table"} if table else {})],
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
    }
