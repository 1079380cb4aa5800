"""Hosts that somebody else set up, as recorded from real ones, become cluster files.

tests/engine/adoption/ holds what the look prints on lab hosts (Debian 12, Docker 20.10.24, compose 5.6.1,
git 2.39.5, mawk 1.3.4, 2026-11-25): `ansible` as tests/e2e/by_ansible.sh leaves them, `hand` as the documentation
does (~/gonka, sourced config.env, hub cache), with one compose file edited.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.engine.adopted import Adopted, adopt
from gonka_state.errors import GonkaStateError
from gonka_state.facts.adoption import Found, parse
from gonka_state.spec.write import as_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent / "adoption"
ADDRESSES = {"net": "10.86.0.11", "ml-01": "10.86.0.12"}
SSH = {"user": "ubuntu", "key": "~/.ssh/key", "known_hosts": "/etc/known_hosts"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUgB2p1bXBlZCBvdmVyIHRoZSBsYXp5IGRvZyAhISEh"


def found(how: str) -> dict[str, Found]:
    return {
        name: parse((HERE / f"{how}-{role}.txt").read_text())
        for name, role in (("net", "network"), ("ml-01", "ml"))
    }


def adopted(hosts: Mapping[str, Found]) -> Adopted:
    return adopt("old", SSH, KEY, hosts, ADDRESSES)


def changed(how: str, host: str, **parts: Any) -> dict[str, Found]:  # noqa: ANN401  (fields of Found)
    hosts = found(how)
    return hosts | {host: replace(hosts[host], **parts)}


def api(**parts: Any) -> dict[str, Found]:  # noqa: ANN401  (fields of AdminApi)
    (only,) = found("hand")["net"].apis.items()
    return changed("hand", "net", apis={only[0]: replace(only[1], **parts)})


def nodes(change: Mapping[str, Any], *, times: int = 1) -> dict[str, Found]:
    """The API's nodes, node2 with something else in it, and listed so many times."""
    (only,) = found("hand")["net"].apis.values()
    entries = {entry["node"]["id"]: entry for entry in only.nodes}
    other = {**entries["node2"], "node": {**entries["node2"]["node"], **change}}
    return api(nodes=(entries["node1"], *[other] * times))


@pytest.mark.parametrize("how", ["ansible", "hand"])
def test_a_cluster_file_of_what_was_found(how: str, golden: Callable[[str, str], None]) -> None:
    made = adopted(found(how))

    golden(f"adopted-{how}.yaml", as_yaml(made.words) + "".join(f"\n# {note}" for note in made.notes))


def test_no_value_that_is_not_gonkas_own_is_in_what_a_look_prints() -> None:
    for path in HERE.glob("*.txt"):
        assert "Hidden" not in path.read_text()
        assert "not-yours" not in path.read_text()


def test_exactly_one_host_is_the_network_node() -> None:
    hosts = found("hand")
    with pytest.raises(GonkaStateError, match="and none does"):
        adopted({"ml-01": hosts["ml-01"]})
    with pytest.raises(GonkaStateError, match="these do: net, ml-01"):
        adopted({"net": hosts["net"], "ml-01": hosts["net"]})


def test_an_api_that_does_not_answer_is_no_api_without_nodes() -> None:
    with pytest.raises(GonkaStateError, match="net: the Admin API answers 500"):
        adopted(api(problem="answers 500"))


def test_a_node_of_another_host_and_one_listed_twice_are_left_unmanaged() -> None:
    made = adopted(nodes({"host": "192.0.2.99"}))
    assert made.notes[-1] == "net: node node2 is left unmanaged: its host 192.0.2.99 is none of these"

    made = adopted(nodes({}, times=2))
    assert "node" not in made.words["hosts"]["ml-01"]
    assert made.notes[-2:] == ["net: node node2 is left unmanaged: the API lists it twice"] * 2


def test_a_node_that_the_words_cannot_say_is_declared_raw() -> None:
    two: dict[str, Any] = {"Qwen/Qwen3-32B-FP8": {"args": []}, "Qwen/QwQ-32B": {"args": []}}
    for change in ({"models": two}, {"models": {"Qwen/Qwen3-32B-FP8": {"args": ["--seed", "1"]}}}):
        words = adopted(nodes(change)).words["hosts"]
        (raw,) = [item for item in words["net"]["resources"] if item["kind"] == "node"]
        assert (raw["name"], raw["host"], raw["about"]) == ("node2", "10.86.0.12", "ml-01")
        assert raw["models"] == change["models"]
        # The model is whole on that host all the same.
        assert words["ml-01"]["cache"] == ["Qwen/Qwen3-32B-FP8"]


def test_a_variable_that_is_no_public_key_becomes_a_reference() -> None:
    hosts = found("hand")
    for file in hosts["net"].env_files.values():
        file.values["ACCOUNT_PUBKEY"] = "PLACEHOLDER_PUBKEY"

    words = adopted(hosts).words

    (file_words,) = words["roles"]["network"]["env_files"].values()
    wanted = {"env": "GONKA_ACCOUNT_PUBKEY_OLD"}
    assert words["network"]["account"]["pubkey"] == file_words["variables"]["ACCOUNT_PUBKEY"] == wanted


def test_a_container_made_in_another_way_keeps_its_own() -> None:
    hosts = found("hand")
    odd = replace(hosts["net"].attempts[0], env_file="", hashes={"proxy": "its-own"})
    containers = tuple(
        replace(one, hash="its-own") if one.service == "proxy" else one for one in hosts["net"].containers
    )

    words = adopted(
        changed("hand", "net", containers=containers, attempts=(*hosts["net"].attempts, odd))
    ).words

    (project,) = words["roles"]["network"]["services"].values()
    assert "proxy" not in project["services"]
    (raw,) = [item for item in words["hosts"]["net"]["resources"] if item["kind"] == "compose-service"]
    assert (raw["name"], "env_file" in raw, raw["project"]) == ("proxy", False, "join")


def test_what_cannot_be_explained_is_said() -> None:
    hosts = found("hand")
    containers = tuple(
        replace(one, hash="unknown") if one.service == "proxy" else one for one in hosts["net"].containers
    )
    notes = adopted(changed("hand", "net", containers=containers)).notes
    assert "net: proxy: no files and variables of today give its configuration" in notes

    gone = tuple(replace(one, hashes={}) for one in hosts["ml-01"].attempts)
    made = adopted(changed("hand", "ml-01", attempts=gone))
    assert any("its compose files are gone" in note for note in made.notes)
    assert "services" not in made.words["hosts"]["ml-01"]


def test_hosts_at_different_commits_have_each_their_own() -> None:
    hosts = found("ansible")
    (place,) = hosts["ml-01"].checkouts
    moved = {place: replace(hosts["ml-01"].checkouts[place], head="a" * 40)}

    words = adopted(changed("ansible", "ml-01", checkouts=moved)).words

    assert "repository" not in words
    assert [host["resources"][0]["ref"][:2] for host in words["hosts"].values()] == ["29", "aa"]


def test_a_model_at_another_commit_is_declared_raw() -> None:
    hosts = found("hand")
    ((home, known),) = hosts["ml-01"].models.homes.items()
    (model,) = known.values()
    (commit,) = model.snapshots
    other = replace(
        model, snapshots={"b" * 40: model.snapshots[commit]}, trees={"b" * 40: model.trees[commit]}, shards={}
    )
    homes = {home: {"Qwen/Qwen3-32B-FP8": other}}

    words = adopted(changed("hand", "ml-01", models=replace(hosts["ml-01"].models, homes=homes))).words

    raw = [item for item in words["hosts"]["ml-01"]["resources"] if item["kind"] == "model"]
    assert raw == [
        {"kind": "model", "name": "Qwen/Qwen3-32B-FP8", "revision": "b" * 40, "home": "/mnt/shared"}
    ]


def test_half_a_model_is_not_declared() -> None:
    hosts = found("hand")
    homes = {
        home: {
            name: replace(model, trees={}, heads={}, snapshots={"c" * 40: {}})
            for name, model in known.items()
        }
        for home, known in hosts["ml-01"].models.homes.items()
    }

    words = adopted(changed("hand", "ml-01", models=replace(hosts["ml-01"].models, homes=homes))).words

    assert words["hosts"]["ml-01"].keys().isdisjoint({"model", "cache"})
