"""What Prometheus is told of a cluster's hosts: its configuration and its lists of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

HOSTS, CHECKS = "gonka-hosts", "gonka-checks"
"""The jobs: node_exporter on the hosts, and the one that reads what `drift --prometheus` writes."""
TARGETS, RULES = "targets", "rules.yml"


def configuration(
    clusters: Sequence[str], interval: int, checker: Sequence[str], alertmanagers: Sequence[str]
) -> dict[str, Any]:
    """A whole configuration. Its paths are relative to it.

    The checks' metrics name their own cluster, which must not give way to the label of the host they lie on.
    """
    jobs: list[dict[str, Any]] = [
        {
            "job_name": HOSTS,
            "honor_labels": True,
            "file_sd_configs": [{"files": [f"{TARGETS}/{name}.json" for name in clusters]}],
        }
    ]
    if checker:
        jobs.append(
            {"job_name": CHECKS, "honor_labels": True, "static_configs": [{"targets": list(checker)}]}
        )
    told = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
    return {
        "global": {"scrape_interval": f"{interval}s", "evaluation_interval": f"{interval}s"},
        **({"alerting": told} if alertmanagers else {}),
        "rule_files": [RULES],
        "scrape_configs": jobs,
    }


def targets(desired: Desired[Resource]) -> list[dict[str, Any]]:
    """One cluster's hosts, each with its labels."""
    return [
        {
            "targets": [host.at],
            "labels": {"cluster": desired.cluster, "host": host.host, "role": host.role},
        }
        for host in desired.scraped
    ]
