"""What a restore may do: nothing over keys that live, nothing while they are used, no signer beside another."""

from __future__ import annotations

import pytest

from gonka_state.core.restoring import Restore, signs_still

KEY = "/j/.tmkms/secrets/key"
STATE = "/j/.tmkms/state/state.json"
PLACES = {
    "keyring": "/j/w.info",
    "node-key": "/j/n.json",
    "database": "/j/g.db",
    "configuration": "/j/config.env",
}


def restore(
    now: dict[str, str] | None = None,
    *,
    consensus: bool = False,
    running: tuple[str, ...] = (),
    key: str = "AA==",
) -> Restore:
    now = now or {}
    files = [{"what": what, "path": path, "now": now.get(what, "missing")} for what, path in PLACES.items()]
    files.append({"what": "consensus-key", "path": KEY, "now": now.get("signer", "missing")})
    files.append({"what": "consensus-key", "path": STATE, "now": now.get("state", "missing")})
    return Restore.told({"files": files, "running": running, "consensus_key": key}, KEY, consensus=consensus)


def test_a_bare_host_gets_everything_but_the_signers_key() -> None:
    found = restore()

    assert found.refused() == ("", "")
    assert {item.path for item in found.missing} == set(PLACES.values())
    assert not found.brings_consensus


@pytest.mark.parametrize("what", ["keyring", "node-key", "database"])
def test_another_key_or_database_refuses_all_of_it(what: str) -> None:
    why, _ = restore({what: "differs"}).refused()

    assert PLACES[what] in why


def test_other_configuration_stays_and_refuses_nothing() -> None:
    found = restore({"configuration": "differs"})

    assert found.refused() == ("", "")
    assert PLACES["configuration"] not in {item.path for item in found.missing}


def test_what_uses_the_keys_must_not_run() -> None:
    assert "api and node run here" in restore(running=("api", "node")).refused()[0]


def test_a_signers_key_needs_its_name_on_the_chain() -> None:
    assert restore(consensus=True).brings_consensus
    assert "does not tell which consensus key" in restore(consensus=True, key="").refused()[0]
    assert restore(key="").refused() == ("", "")


def test_a_signer_that_moved_on_is_the_same_signer_and_another_key_is_not() -> None:
    assert restore({"signer": "same", "state": "differs"}, consensus=True).live == ()
    assert KEY in restore({"signer": "differs"}, consensus=True).refused()[0]
    assert restore({"signer": "differs"}).refused() == ("", "")


def test_a_signature_is_a_live_signer() -> None:
    assert signs_still(100, [], 24) == ""
    assert "block 98, 2 blocks ago (2 of the last 24)" in signs_still(100, [90, 98], 24)
