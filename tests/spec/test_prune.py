"""The word prune: the kinds of which everything can be listed, and why others are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonka_state.errors import InputError
from tests.spec.conftest import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource


def test_a_role_prunes_on_all_its_hosts_and_a_host_has_its_own_list(
    read: Callable[..., Desired[Resource]],
) -> None:
    overlay = "cluster: small\nroles: {ml: {prune: [firewall-rule]}}\nhosts: {ml-02: {prune: []}, net: {prune: [node]}}\n"

    assert read(small=SMALL, overlay=overlay).prune == {"net": ("node",), "ml-01": ("firewall-rule",)}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("model", "'model' cannot be pruned; compose-service, firewall-rule, node can."),
        ("file", "Nobody can list a host's files: declare those state: absent."),
    ],
)
def test_other_kinds_are_refused(read: Callable[..., Desired[Resource]], kind: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(small=SMALL, overlay=f"cluster: small\nhosts: {{net: {{prune: [{kind}]}}}}\n")

    assert words in caught.value.problems[0]
