"""A year of checks every five minutes is answered at once, and takes no more room than is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gonka_state.history import read
from gonka_state.history.file import opened
from gonka_state.history.overview import detail, overview
from tests.history.year import CHECKS_A_DAY, DAY, fill

if TYPE_CHECKING:
    from tests.history.conftest import Store

NOW, YEAR = 2_000_000_000.0, 365
LARGEST = 20_000_000


def test_a_year_of_two_clusters(store: Store) -> None:
    with opened(store.file) as connection:
        assert fill(connection, YEAR, NOW) == 2 * YEAR * CHECKS_A_DAY

    started = time.process_time()
    with opened(store.file) as connection:
        whole = [overview(connection, one, NOW - YEAR * DAY, NOW) for one in read.clusters(connection)]
        middle = detail(connection, YEAR * CHECKS_A_DAY // 2)
    spent = time.process_time() - started

    assert [one.checks for one in whole] == [YEAR * CHECKS_A_DAY] * 2
    assert middle is not None
    # About half a second on an idle machine; a busy one counts more for the same work.
    assert spent < 2
    assert store.file.stat().st_size < LARGEST
