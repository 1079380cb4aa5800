"""The words of maintenance: whose they are, and what is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gonka_state.errors import InputError
from tests.spec.conftest import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

HOST = "cluster: small\nhosts: {ml-01: {maintenance: {until: 2026-12-01, reason: new disks}}}\n"
NODE = 'cluster: small\nhosts: {ml-01: {node: {maintenance: {until: "2026-12-01T18:00", reason: tuning}}}}\n'


def test_a_host_in_maintenance_includes_the_node_about_it(read: Callable[..., Desired[Resource]]) -> None:
    desired = read(small=SMALL, overlay=HOST)

    marked = {str(a) for a, item in desired.resources.items() if item.maintenance}
    assert marked == {str(a) for a in desired.resources if a.host == "ml-01"} | {"net/node:ml-01"}
    assert str(desired.maintenance["ml-01"]) == "in maintenance until 2026-12-01: new disks"
    assert desired.maintenance["ml-01"].ends == datetime(2026, 12, 2, tzinfo=UTC)


def test_a_node_in_maintenance_is_only_that(read: Callable[..., Desired[Resource]]) -> None:
    desired = read(small=SMALL, overlay=NODE)

    assert [str(a) for a, item in desired.resources.items() if item.maintenance] == ["net/node:ml-01"]
    assert desired.maintenance == {}


def test_a_time_that_is_none_is_refused_at_its_place(read: Callable[..., Desired[Resource]]) -> None:
    with pytest.raises(InputError) as caught:
        read(small=SMALL, overlay=HOST.replace("2026-12-01", "soon"))

    assert "overlay.yaml:2" in caught.value.problems[0]
    assert "'soon' is no date such as 2026-12-01" in caught.value.problems[0]
