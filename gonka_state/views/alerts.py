"""Prometheus' alert rules: for hosts, for their cards, and for what the checks of this tool find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonka_state.views.scraping import HOSTS

if TYPE_CHECKING:
    from collections.abc import Sequence

# Pseudo file systems say nothing of a disk.
DISKS = f'{{job="{HOSTS}",fstype!~"tmpfs|ramfs|squashfs|nsfs|autofs"}}'
_FREE = f"node_filesystem_avail_bytes{DISKS} / node_filesystem_size_bytes{DISKS}"
_OURS = f'{{job="{HOSTS}"}}'
_MEMORY = f"node_memory_MemAvailable_bytes{_OURS} / node_memory_MemTotal_bytes{_OURS}"
_CHECKED = "gonka_state_last_check_timestamp_seconds"
_HOST, _CARD = "{{ $labels.host }} of {{ $labels.cluster }}", "GPU {{ $labels.gpu }} of {{ $labels.host }}"
_AT = "{{ $labels.mountpoint }} of {{ $labels.host }}"
_DIFF = "gonka-state diff shows which, gonka-state drift since when."
_CLUSTER = "{{ $labels.cluster }}"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a finding stands before it is an alert: seconds, as everything of Prometheus is told here.

    `every` is how often the checks run: three of them in a row have to be missing.
    """

    drift: int = 900
    every: int = 600


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule. `wait` is in seconds; `severity` is critical where income or data is at risk now."""

    name: str
    expr: str
    wait: int
    severity: str
    summary: str
    todo: str

    def words(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        return {
            "alert": f"Gonka{self.name}",
            "expr": self.expr,
            "for": f"{self.wait}s",
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "description": self.todo},
        }


ON_HOSTS = (
    Alert("HostDown", f"up{_OURS} == 0", 300, "critical", f"{_HOST} does not answer Prometheus",
          "Is the host up, and does its firewall let this Prometheus in? gonka-state hosts check"),
    Alert("DiskFull", f"{_FREE} < 0.05", 300, "critical", f"Less than 5 % is free at {_AT}",
          "A chain node that cannot write stops. Make room, or grow the disk."),
    Alert("DiskFilling", f"{_FREE} < 0.2 and predict_linear(node_filesystem_avail_bytes{DISKS}[6h], 86400) < 0",
          3600, "warning", f"{_AT} is full within a day", "docs/monitoring.md names what usually grows."),
    Alert("MemoryLow", f"{_MEMORY} < 0.05", 600, "warning", f"{_HOST} has less than 5 % of its memory left",
          "What runs there beside Gonka? docker stats"),
    Alert("ClockWrong", f"abs(node_time_seconds{_OURS} - timestamp(node_time_seconds{_OURS})) > 5", 300, "critical",
          f"The clock of {_HOST} is more than 5 s away from Prometheus'",
          "A validator with a wrong clock misses blocks: timedatectl on the host."),
    Alert("ClockNotSynchronised", f"node_timex_sync_status{_OURS} == 0", 900, "warning",
          f"Nothing sets the clock of {_HOST}", "Enable systemd-timesyncd or chrony on the host."),
    Alert("TextfileBroken", 'node_textfile_scrape_error{job=~"gonka-.*"} == 1', 600, "warning",
          f"node_exporter cannot read a metrics file on {_HOST}", "journalctl -u prometheus-node-exporter says which."),
)  # fmt: skip

ON_CARDS = (
    Alert("GpuMissing", "gonka_state_gpus < gonka_state_gpus_expected", 120, "critical",
          f"A GPU of {_HOST} is gone, {{{{ $value }}}} answer", "nvidia-smi and dmesg on the host; the model does not fit any more."),
    Alert("GpusUnreadable", "gonka_state_gpus_readable == 0", 120, "critical",
          f"The driver of {_HOST} does not answer", "nvidia-smi on the host; was the driver upgraded without a restart?"),
    Alert("GpuMetricsStale",
          'time() - node_textfile_mtime_seconds{file=~"(.*/)?gonka-state-gpus[.]prom"} > 300', 60, "warning",
          f"The GPUs of {_HOST} have not been read for 5 minutes", "systemctl status gonka-state-gpus on the host."),
    Alert("GpuHot", "gonka_state_gpu_temperature_celsius > 85", 300, "warning",
          f"{_CARD} has {{{{ $value }}}} °C", "Soon it slows down by itself: air flow, fans."),
    Alert("GpuMemoryErrors", "gonka_state_gpu_ecc_uncorrected_errors > 0", 0, "critical",
          f"{_CARD} has memory errors that could not be corrected",
          "nvidia-smi -q -d ECC,ROW_REMAPPER on the host; a reset or a new card is due."),
)  # fmt: skip


def _of_checks(clusters: Sequence[str], waits: Waits) -> list[Alert]:
    never = [
        Alert("NeverChecked", f'absent({_CHECKED}{{cluster="{name}"}})', 3 * waits.every,
              "critical", f"Prometheus has no check of {name}", "docs/monitoring.md: how the checks get into Prometheus.")
        for name in clusters
    ]  # fmt: skip
    return [
        Alert("Drift", "gonka_state_drift > 0", waits.drift, "warning",
              f"Drift on {_CLUSTER}: {{{{ $value }}}} not as declared, the hosts moved", _DIFF),
        Alert("Pending", "gonka_state_pending - gonka_state_drift > 0", 86400, "info",
              f"Pending on {_CLUSTER} for a day: {{{{ $value }}}} declared and not made", _DIFF),
        Alert("Unknown", "gonka_state_unknown > 0", max(1800, waits.drift), "warning",
              f"Unknown on {_CLUSTER}: {{{{ $value }}}} could not be looked at", "gonka-state hosts check"),
        Alert("CheckerDead", f"time() - {_CHECKED} > {3 * waits.every}", 0, "critical",
              f"{_CLUSTER} has not been checked for three runs", "gonka-state schedule status"),
        Alert("SeldomInSync",
              "avg_over_time((gonka_state_pending + gonka_state_unknown == bool 0)[1d:10m]) < 0.5", 3600, "info",
              f"{_CLUSTER} was in sync less than half of the last day", "gonka-state history names what comes and goes."),
        *never,
    ]  # fmt: skip


def rules(clusters: Sequence[str], waits: Waits) -> dict[str, Any]:
    """The rule file for these clusters."""
    groups = {"hosts": ON_HOSTS, "gpus": ON_CARDS, "checks": _of_checks(clusters, waits)}
    return {
        "groups": [
            {"name": f"gonka-{name}", "rules": [alert.words() for alert in alerts]}
            for name, alerts in groups.items()
        ]
    }
