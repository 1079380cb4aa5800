"""Registration and grants, read from a seed node that really answers; what nobody says for certain is unknown."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.bech32 import account_address, address_of
from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.core.permissions import CURRENT, RELEASES
from gonka_state.errors import FactError
from gonka_state.facts.base import Look
from gonka_state.facts.here import Here
from gonka_state.facts.membership import FACT
from gonka_state.facts.membership_observed import observe_grants, observe_registration, wanted_registration
from gonka_state.lab.standins import chainclock, web
from gonka_state.lab.standins.ledger import write
from gonka_state.lab.standins.seed import Seed
from gonka_state.resources.grants import GrantsResource
from gonka_state.resources.registration import RegistrationResource
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gonka_state.core.observation import Observation
    from gonka_state.facts.membership_read import Membership

PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
COLD, WARM, OTHER = account_address(PUBKEY), address_of(bytes(range(20))), address_of(bytes(range(1, 21)))
URL = "http://203.0.113.12:8000"
HERE = Here("net", {})
AWAY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A docker without any container: the seed alone is asked."""
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "Error: No such container: node" >&2\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


class Chain:
    """A seed node that serves, its state, and the keyring of the host that asks."""

    def __init__(self, place: Path) -> None:
        self.path, self.keyring = place / "seed.json", place / "keyring-file"
        write(self.path, {})
        self.server = web.serve(0, lambda request: Seed(self.path).answer(request))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.keyring.mkdir()
        self.keys("warm.info", f"{bytes(range(20)).hex()}.address", "keyhash")

    def keys(self, *names: str) -> None:
        """Put these files in the keyring, and no others."""
        for path in self.keyring.iterdir():
            path.unlink()
        for name in names:
            (self.keyring / name).touch()

    def has(self, **state: object) -> None:
        """Edit the state by hand."""
        write(self.path, {**json.loads(self.path.read_text()), **state})

    def registered(self, url: str = URL, key: str = "KEY=") -> None:
        """Register the account."""
        self.has(accounts={COLD: {}}, participants={COLD: {"url": url, "validator_key": key}})

    def granted(self, *messages: str, days: float = 365, grantee: str = WARM, fees: bool = True) -> None:
        """Grant these to somebody."""
        expiration = chainclock.rfc3339(time.time() + days * 24 * 3600)
        pair = {"granter": COLD, "grantee": grantee}
        allowed = [{**pair, "spend_limit": [], "expiration": expiration}] if fees else []
        grants = [{**pair, "msg": message, "expiration": expiration} for message in messages]
        self.has(grants=grants, allowances=allowed)

    def wishes(self, seed: str = "") -> tuple[RegistrationResource, GrantsResource]:
        """What is declared."""
        place: dict[str, Any] = {"name": COLD, "directory": "/j", "seed_api": seed or self.url, "seed_rpc": f"{self.url}/chain-rpc/", "key_name": "cold"}  # fmt: skip
        registration = RegistrationResource(**place, url=URL, pubkey=PUBKEY)
        grants = GrantsResource(**place, warm_key="warm", keyring=str(self.keyring), fee_allowance=True)
        return registration, grants

    def look(self, seed: str = "") -> Membership:
        """One look at it."""
        return FACT.parse(run_body(FACT.script(self.wishes(seed), Look(http_timeout=4))))

    def both(self) -> tuple[Observation, Observation]:
        """What the look says."""
        registration, grants = self.wishes()
        state = self.look()
        return observe_registration(state, registration, HERE), observe_grants(state, grants, HERE)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    chain = Chain(tmp_path)
    yield chain
    chain.server.shutdown()
    chain.server.server_close()


ALL = RELEASES[CURRENT]


@pytest.mark.parametrize("state", [{}, {"version": "0.2.1"}, {"chain_api": False}])
def test_a_registered_host_is_seen_in_every_era_and_through_every_door(
    chain: Chain, state: dict[str, Any]
) -> None:
    chain.registered()
    chain.has(**state)

    seen = chain.look()

    assert (seen.registered, seen.url, seen.key, seen.account) == (True, URL, "KEY=", True)


def test_the_first_eras_list_tells_of_a_registration_where_its_rest_is_closed(chain: Chain) -> None:
    chain.registered()
    chain.has(version="0.2.1", chain_api=False)

    seen = chain.look()

    assert (seen.registered, seen.url, seen.key) == (True, URL, "")
    assert wanted_registration(seen, chain.wishes()[0], HERE) == {"url": URL}


@pytest.mark.parametrize(
    "state", [{}, {"version": "0.2.1"}, {"chain_api": False}, {"version": "0.2.1", "chain_api": False}]
)
@pytest.mark.parametrize("funded", [False, True])
def test_a_host_that_is_not_registered_is_absent_and_a_funded_account_is_for_a_human(
    chain: Chain, state: dict[str, Any], *, funded: bool
) -> None:
    chain.has(**state, accounts={COLD: {"balance": 5}} if funded else {})

    seen = observe_registration(chain.look(), chain.wishes()[0], HERE)

    assert isinstance(seen, Absent), seen
    assert bool(seen.human) is funded
    if funded:
        command = seen.hint.splitlines()[1].split()
        assert command[:5] == ["inferenced", "tx", "inference", "submit-new-participant", URL]
        assert command[-2:] == ["--node", f"{chain.url}/chain-rpc/"]


@pytest.mark.parametrize("state", [{"fail": "500"}, {"fail": "garbage"}])
def test_a_seed_that_says_nothing_useful_leaves_everything_unknown(
    chain: Chain, state: dict[str, Any]
) -> None:
    chain.registered()
    chain.has(**state)

    registration, grants = chain.both()

    assert isinstance(registration, Unknown)
    assert isinstance(grants, Unknown)
    assert "the seed node does not say" in registration.reason


def test_a_seed_that_is_away_is_asked_once(chain: Chain) -> None:
    text = run_body(FACT.script(chain.wishes(AWAY), Look(http_timeout=4)))
    seen = FACT.parse(text)

    assert text.count("part versions") == 1
    assert not any(f"part {name}" in text for name in ("v2", "rest", "list", "account"))
    assert (seen.registered, seen.grants) == (None, None)
    assert "and there is no chain node yet" in seen.problem


@pytest.mark.parametrize(("url", "key", "human"), [(f"{URL}/", "KEY=", False), ("http://h:1", "KEY=", True)])
def test_another_url_is_for_the_account_key(chain: Chain, url: str, key: str, *, human: bool) -> None:
    chain.registered(url, key)

    seen = observe_registration(chain.look(), chain.wishes()[0], HERE)

    assert isinstance(seen, Present)
    assert bool(seen.human) is human
    assert ("docker exec node inferenced tendermint show-validator" in seen.hint) is human


def test_a_declared_consensus_key_is_compared_where_the_node_does_not_tell_its_own(chain: Chain) -> None:
    chain.registered()
    wish = chain.wishes()[0].model_copy(update={"consensus_key": "OTHER="})

    seen = observe_registration(chain.look(), wish, HERE)

    assert isinstance(seen, Present)
    assert "--validator-key OTHER= --from cold" in seen.hint


def test_everything_granted_for_a_year_is_in_sync(chain: Chain) -> None:
    chain.registered()
    chain.granted(*ALL)
    chain.has(page=3)

    grants = chain.both()[1]

    assert isinstance(grants, Present)
    assert (grants.attributes, grants.human, grants.blocks) == (
        {"missing": [], "expiring": [], "fee_allowance": True}, "", True
    )  # fmt: skip
    assert grants.details["warm_address"] == WARM


@pytest.mark.parametrize("size", [1, 7, 20, 100])
def test_pages_of_any_size_come_to_the_same(chain: Chain, size: int) -> None:
    chain.granted(*ALL)
    chain.has(page=size)

    assert [item.message for item in chain.look().grants or ()] == list(ALL)


def test_what_is_missing_blocks_and_what_only_expires_does_not(chain: Chain) -> None:
    chain.registered()
    chain.granted(*ALL[:-1], days=29)
    lacking = chain.both()[1]
    chain.granted(*ALL, days=29)
    expiring = chain.both()[1]
    chain.granted(*ALL, days=31)
    lasting = chain.both()[1]

    assert isinstance(lacking, Present)
    assert isinstance(expiring, Present)
    assert isinstance(lasting, Present)
    assert lacking.attributes["missing"] == ["MsgSubmitGroupKeyValidationSignature"]
    assert (lacking.blocks, expiring.blocks) == (True, False)
    assert [text.split(" on ")[0] for text in expiring.attributes["expiring"]] == ["20"]
    assert lasting.human == ""


def test_fees_that_nobody_pays_are_drift_that_blocks_nothing(chain: Chain) -> None:
    chain.registered()
    chain.granted(*ALL, fees=False)

    grants = chain.both()[1]

    assert isinstance(grants, Present)
    assert (grants.attributes["fee_allowance"], bool(grants.human), grants.blocks) == (False, True, False)


def test_the_command_has_the_keys_name_the_warm_address_and_the_operators_home(chain: Chain) -> None:
    chain.registered()
    wish = chain.wishes()[1].model_copy(update={"home": "/keys of mine"})

    seen = observe_grants(chain.look(), wish, HERE)

    assert isinstance(seen, Absent)
    assert seen.hint.splitlines()[1] == (
        f"  inferenced tx inference grant-ml-ops-permissions cold {WARM} --from cold --keyring-backend file"
        f" --home '/keys of mine' --gas 2000000 --node {chain.url}/chain-rpc/"
    )


def test_grants_to_somebody_else_are_none_of_ours_and_named(chain: Chain) -> None:
    chain.registered()
    chain.granted(*ALL, grantee=COLD)

    grants = chain.both()[1]

    assert isinstance(grants, Absent)
    assert f"granted to {COLD}, which is not the warm key {WARM}" in grants.reason


def test_without_a_warm_key_there_is_nobody_to_grant_to(chain: Chain) -> None:
    chain.registered()
    chain.keys()

    grants = chain.both()[1]

    assert isinstance(grants, Absent)
    assert bool(grants.human)
    assert "inferenced" not in grants.hint


def test_of_several_addresses_the_grants_tell_which_is_the_warm_keys(chain: Chain) -> None:
    chain.registered()
    other = f"{bytes(range(1, 21)).hex()}.address"
    chain.keys("warm.info", "other.info", f"{bytes(range(20)).hex()}.address", other)
    unsure = chain.both()[1]
    chain.granted(*ALL)
    sure = chain.both()[1]

    assert isinstance(unsure, Unknown)
    assert "keys show warm" in unsure.hint
    assert isinstance(sure, Present)


def test_a_keyring_that_cannot_be_read_is_not_empty(chain: Chain) -> None:
    chain.keys()
    chain.keyring.rmdir()
    chain.keyring.symlink_to("/nowhere/at/all")

    assert "is no directory" in chain.look().keyring.problem
    assert isinstance(chain.both()[1], Unknown)


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        FACT.parse(text)
    except FactError:
        return


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["participant", "grants", "code", "grantee", "authorization", "msg", "expiration", "api_version", "version"]), inner
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    JSON,
    st.sampled_from(["v2", "rest", "own", "account", "grants-seed", "versions"]),
    st.sampled_from([200, 404, 500]),
)
def test_whatever_json_answers_a_question_nothing_breaks(value: object, name: str, code: int) -> None:
    missing = "#@x part container\n\n#@x rc 1 Error: No such container: node\n#@x part clock\n5\n#@x rc 0 \n"
    asked = f"#@x part {name}\n{json.dumps(value)}\n{code}\n#@x rc 0 \n"

    seen = FACT.parse(f"{missing}{asked}#@x part end\nend\n#@x rc 0 \n")

    assert seen.registered in {True, False, None}
    if code != 200 and name != "rest":
        assert seen.registered is not True


def test_alone_it_takes_an_account() -> None:
    assert f"COLD={COLD} SEED=http://h:8000" in FACT.standalone(address=COLD, seed="http://h:8000/")
    with pytest.raises(FactError, match="takes address="):
        FACT.standalone(who="me")
