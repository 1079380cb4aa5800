"""What is asked of the network host: its chain node, its upgrades, its keys, its standing on the chain, its API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonka_state.core.diagnosis import Finding, clear, found, unknown
from gonka_state.engine.case import differs, in_attributes, missing
from gonka_state.engine.told import advice
from gonka_state.facts import chain_sync, setup_report
from gonka_state.resources.chain_sync import ChainSyncResource
from gonka_state.resources.registration import RegistrationResource
from gonka_state.resources.setup_report import SetupReportResource

if TYPE_CHECKING:
    from gonka_state.core.change import Change
    from gonka_state.engine.case import Case

GRACE = 100
"""Blocks that the API has to claim a reward by itself."""

ADMIN = "http://127.0.0.1:9200/admin/v1"


def behind(case: Case) -> Finding | None:
    """A chain node that runs, and is not in sync. One that does not run is a container's symptom."""
    mine = case.all(ChainSyncResource)
    if not mine:
        return None
    node = case.section(chain_sync.FACT)
    if isinstance(node, str):
        return unknown(node)
    if node.absent or node.down:
        return None
    if node.synced:
        return clear(node.words)
    if node.problem and not node.silent:
        return unknown(node.problem, f"docker logs --tail 50 {mine[0][0].name}, on this host")
    fix = f"gonka-state logs {case.host} {mine[0][0].name} --path {case.desired.file}"
    alone = "" if node.problem or node.peers else "without a peer it never catches up: see seed node"
    return found(node.words, "\n".join(filter(None, [fix, alone])))


def seeds(case: Case) -> Finding | None:
    """Whether the seed node answers this host."""
    ways = case.extra.ways
    if ways is None or isinstance(ways, str) or not case.all(RegistrationResource):
        return unknown(ways) if isinstance(ways, str) and case.all(RegistrationResource) else None
    silent = [f"{target}: {said}" for target, said in ways.items() if said != "ok"]
    fix = (
        "network.seed names another one (api_url, rpc_url, p2p_url); the chain node reads its peers at its first start only,\n"
        "later they stand in .inference/config/config.toml: persistent_peers, seeds"
    )
    return found("; ".join(silent), fix) if silent else clear(f"{len(ways)} addresses answer")


def upgrade(case: Case) -> Finding | None:
    """An upgrade that a program waits for, and cosmovisor has no binary of."""
    homes = case.extra.homes
    if homes is None or isinstance(homes, str):
        return None if homes is None else unknown(homes)
    waits = {
        home: state for home, state in homes.items() if state.upgrade and state.upgrade not in state.ready
    }
    told = [
        f"{home}: {state.upgrade} was due at block {state.height}, and its binary is not there"
        for home, state in waits.items()
    ]
    told += [
        f"{one.name}: {', '.join(one.said['upgrade'])}"
        for one in case.containers()
        if one.said and "upgrade" in one.said and one.status != "running"
    ]
    if not told:
        return clear(
            "; ".join(f"{home}: {state.current or 'the first binary'}" for home, state in homes.items())
        )
    places = [f"{home}/cosmovisor/upgrades/{state.upgrade}/bin" for home, state in waits.items()]
    fix = [
        "put the release's own binary there, executable, its sha256 compared (github.com/gonka-ai/gonka/releases), then",
        "gonka-state converge, or docker start, of the container that waits",
    ]
    return found("; ".join(told), "\n".join([*places, *fix]))


def jailed(case: Case) -> Finding | None:
    """A validator that signed too little."""
    standing = case.extra.standing
    if standing is None or isinstance(standing, str):
        return None if standing is None else unknown(standing)
    if standing.problem:
        return None if _stopped(case) else unknown(standing.problem)
    if not standing.jailed:
        return clear("not jailed" if standing.jailed is False else "no validator yet")
    (registration, _), *_ = case.all(RegistrationResource)
    words = f"inferenced tx slashing unjail --from {registration.key_name} --keyring-backend file"
    fix = (
        "first what kept it from signing: chain node behind? consensus key? Then, on the machine with the account key:\n"
        f"{words} --gas auto --gas-adjustment 1.5 --node {registration.seed_rpc}"
    )
    return found("the chain holds its validator as jailed", fix)


def _stopped(case: Case) -> bool:
    """Whether the chain node's container does not run, which is told elsewhere."""
    node = case.section(chain_sync.FACT)
    return not isinstance(node, str) and (node.absent or node.down or node.silent)


def reward(case: Case) -> Finding | None:
    """The last epoch's reward, once the API had its time to claim it."""
    part = case.extra.participation
    if part is None:
        return None
    if part.problem:
        return unknown(f"whether the last epoch's reward is claimed is not known: {part.problem}")
    last = part.epoch - 1
    if part.claimed:
        return clear("nothing waits to be claimed")
    if part.height <= part.claims + GRACE:
        return clear(f"epoch {last}: the API has still time to claim it")
    body = json.dumps({"force_claim": True, "epoch_index": last})
    fix = (
        "a transaction of the warm key, within this epoch, on this host:\n"
        f"curl -X POST {ADMIN}/claim-reward/recover -H 'Content-Type: application/json' -d '{body}'"
    )
    return found(f"epoch {last}: its reward is not claimed", fix)


def missed(case: Case) -> Finding | None:
    """Requests that were missed, by the API's own report."""
    report = _report(case)
    if not isinstance(report, setup_report.Report) or "missed_requests_threshold" not in report.checks:
        return None
    check = report.checks["missed_requests_threshold"]
    if check.status == setup_report.FAIL:
        fix = "which node? gonka-state verify --performance; then its vLLM arguments, its cards, its log"
        return found(check.message, fix)
    return clear(check.message) if check.status == setup_report.PASS else unknown(check.message)


def consensus_key(case: Case) -> Finding | None:
    """Whether the chain expects the signatures of another key than the host's own."""
    differing = [
        c for _, c in case.all(RegistrationResource) if c.pending and in_attributes("consensus_key")(c)
    ]
    report = _report(case)
    check = None if report is None or isinstance(report, str) else report.checks.get("consensus_key_match")
    failed = check is not None and check.status == setup_report.FAIL
    if differing or failed:
        said = check.message if check is not None and failed else "the registered key is not the host's own"
        warning = (
            "is .tmkms lost, or does another host sign? Two signers of one key are slashed: never copy .tmkms"
        )
        return found(said, "\n".join(filter(None, [warning, advice(differing, case.desired, case.host)])))
    if check is None:
        return None
    return clear(check.message) if check.status == setup_report.PASS else None


def _report(case: Case) -> setup_report.Report | str | None:
    if not case.all(SetupReportResource):
        return None
    state = case.section(setup_report.FACT)
    return state  # noqa: RET504 (its type is narrower than ours)


def api(case: Case) -> Finding | None:
    """Whether the public API and the Admin API answer."""
    public, report = case.extra.public, _report(case)
    told = []
    if isinstance(public, tuple):
        told += [f"{one.path} {one.problem}" for one in public if one.problem]
    if isinstance(report, setup_report.Report) and report.problem:
        told.append(report.problem)
    if told:
        fix = f"gonka-state logs {case.host} api --path {case.desired.file}\nit answers once its chain node does"
        return found("; ".join(told), fix)
    if isinstance(public, str):
        return unknown(public)
    return None if public is None else clear("public and Admin API answer")


def _lost(change: Change) -> bool:
    """A key that was there, or a keyring that does not open: what a first converge makes is no symptom."""
    return change.human


warm_key = differs("warm-key", "keyring", when=_lost)
account_key = differs("account", when=_lost)
grants = differs("grants")
backup = differs("backup")
not_registered = differs("registration", when=missing)
registered_url = differs("registration", when=in_attributes("url"))
