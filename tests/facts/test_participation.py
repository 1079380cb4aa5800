"""What would be lost if a cluster stopped now, asked of a seed that answers over HTTP as the chain does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.chain import ChainSource
from gonka_state.facts import participation
from gonka_state.facts.base import MARK, Look
from gonka_state.facts.participation import NOTHING, Participation
from gonka_state.facts.snapshot import Answer, HostLook
from gonka_state.lab.standins import chainclock, web
from gonka_state.lab.standins.ledger import write
from gonka_state.lab.standins.seed import Seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

COLD = "gonka1" + "q" * 38
ORIGIN = 86_400
HEIGHT = ORIGIN + 9000
EPOCH = ORIGIN // chainclock.EPOCH


def frames(warm: str = "yes", nodes: Sequence[str] = (), *, claimed: bool = True) -> str:
    """A section as a host prints it in epoch 5, for tests of what follows from it."""
    told = chainclock.latest_epoch({"height": HEIGHT}, ORIGIN)
    mine = [
        f'"active_participants"\t"participants"\t0\t"ml_nodes"\t0\t"ml_nodes"\t{place}\t"node_id"\t"{node}"'
        for place, node in enumerate(nodes)
    ]
    parts = {
        "warm": warm,
        "epoch": json.dumps(told),
        "mine": "\n".join([*mine, "end { 0 200"]),
        "summary": json.dumps({"epochPerformanceSummary": {"rewarded_coins": "7", "claimed": claimed}})
        + "\n200",
    }
    return "".join(f"{MARK}x part {name}\n{text}\n{MARK}x rc 0 \n" for name, text in parts.items())


class Answering(Seed):
    """A seed that knows which ML nodes its one participant has in the epoch."""

    def nodes_of(self, url: str) -> list[str]:  # noqa: ARG002 (there is one)
        """Whoever asks."""
        return list(self.control.read().get("in_epoch") or ())


@pytest.fixture
def seed(tmp_path: Path) -> Iterator[tuple[Answering, str]]:
    """The seed and its URL."""
    path = tmp_path / "seed.json"
    person = {COLD: {"url": "http://203.0.113.12:8000"}}
    write(path, {"epoch_origin": ORIGIN, "height": HEIGHT, "participants": person})
    state = Answering(path)
    server = web.serve(0, state.answer)
    try:
        yield state, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def seen(
    seed: tuple[Answering, str], tmp_path: Path, body: Callable[[str], str]
) -> Callable[..., Participation]:
    """Change the chain, then look at it; another API is asked first, and is not there."""

    def look(*, key: bool = True, address: str = COLD, **control: object) -> Participation:
        state, url = seed
        write(state.control.path, {**state.control.read(), **control})
        keyring = tmp_path / "key.info"
        if key:
            keyring.touch()
        source = ChainSource("h", ("http://127.0.0.1:9", url), str(keyring), address)
        return participation.parse(body(participation.script(source, Look())))

    return look


def test_a_new_host_has_nothing_to_lose(seen: Callable[..., Participation]) -> None:
    found = seen()

    stages = chainclock.stages(EPOCH, ORIGIN)
    assert (found.problem, found.nodes, found.claimed) == ("", frozenset(), True)
    assert (found.epoch, found.height, found.ends) == (EPOCH, HEIGHT, stages["next_poc_start"])
    assert (found.claims, found.claims_next - found.claims) == (stages["claim_money"], chainclock.EPOCH)


def test_it_is_told_with_which_nodes_it_takes_part(seen: Callable[..., Participation]) -> None:
    assert seen(in_epoch=["ml-01", "ml-02"]).nodes == {"ml-01", "ml-02"}


@pytest.mark.parametrize(
    ("epoch", "summary", "claimed"),
    [
        (EPOCH - 1, {"rewarded_coins": 5}, False),
        (EPOCH - 1, {"rewarded_coins": 5, "claimed": True}, True),
        (EPOCH - 1, {"rewarded_coins": 0}, True),
        (EPOCH - 2, {"rewarded_coins": 5}, True),
    ],
)
def test_a_reward_waits_until_it_is_claimed(
    seen: Callable[..., Participation], epoch: int, summary: dict[str, object], *, claimed: bool
) -> None:
    assert seen(summaries={f"{epoch}/{COLD}": summary}).claimed is claimed


def test_without_a_key_the_chain_is_believed_all_the_same(seen: Callable[..., Participation]) -> None:
    assert seen(key=False, in_epoch=["ml-01"]).nodes == {"ml-01"}
    assert not seen(key=False, summaries={f"{EPOCH - 1}/{COLD}": {"rewarded_coins": 5}}).claimed
    assert seen(key=False, chain_api=False).problem == "no API answers"


def test_without_a_key_and_a_sign_of_a_part_nothing_is_lost(seen: Callable[..., Participation]) -> None:
    assert seen(key=False, address="") == NOTHING
    assert seen(key=False, chain_api=False, participants={}) == NOTHING
    assert seen(key=False, fail="500") == NOTHING


@pytest.mark.parametrize("fail", ["500", "garbage"])
def test_an_api_that_does_not_answer_is_no_answer(seen: Callable[..., Participation], fail: str) -> None:
    assert seen(fail=fail).problem == "no API answers"


def test_a_closed_chain_api_leaves_the_reward_unknown(seen: Callable[..., Participation]) -> None:
    assert seen(chain_api=False).problem == "no API answers"


def test_without_an_address_nobody_can_be_asked(seen: Callable[..., Participation]) -> None:
    assert "public key" in seen(address="").problem


def test_a_look_without_the_section_says_why() -> None:
    assert participation.read(HostLook(unknown="is off")).problem == "is off"
    cut = HostLook({participation.SECTION: Answer(f"{MARK}x part epoch\n{{}}\n{MARK}x rc 0 \n")})
    assert "cut short" in participation.read(cut).problem


@given(st.dictionaries(st.sampled_from(["epoch", "mine", "summary"]), st.text(max_size=80)))
def test_whatever_is_answered_it_is_known_or_a_problem(parts: dict[str, str]) -> None:
    frames = {"warm": "yes", **parts}
    text = "".join(
        f"{MARK}x part {name}\n{said.replace(MARK, '')}\n{MARK}x rc 0 \n" for name, said in frames.items()
    )

    found = participation.read(HostLook({participation.SECTION: Answer(text)}))

    assert found.problem
