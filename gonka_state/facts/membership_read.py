"""The answers about a cluster's place on the chain, understood: registered or not, granted or not, or not known."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.core.keyring_files import key_addresses, key_names
from gonka_state.facts.admin_api import read_answer
from gonka_state.facts.chain_shell import OK, Node, answered, moment, read_node

if TYPE_CHECKING:
    from gonka_state.facts.base import Part, Parts

NOT_FOUND, GATEWAY_NOT_FOUND = 404, 5
V2_SINCE = (0, 2, 12)
"""The first release with GET /v2/participants (gonka-contract 0)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission: to whom, for which message type, until when (seconds since 1970; None for ever)."""

    grantee: str
    message: str
    expires: float | None


@dataclass(frozen=True, slots=True)
class Keyring:
    """The file names of the warm key's keyring. `problem` is why they could not be read."""

    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """The cluster on the chain.

    `registered` is None where nobody said so for certain; then `problem` says who was asked. `url` and `key`
    are as registered, empty where the answer had none. `account`: whether the account exists, None where
    not known (`account_problem`). `grants` is None where they could not be read (`grants_problem`);
    `allowances` tells for a grantee whether its fees are paid, None where not known. `now` is the host's clock.
    """

    node: Node
    now: float
    registered: bool | None = None
    problem: str = ""
    url: str = ""
    key: str = ""
    account: bool | None = None
    account_problem: str = ""
    grants: tuple[Grant, ...] | None = None
    grants_problem: str = ""
    allowances: dict[str, bool | None] = field(default_factory=dict)
    keyring: Keyring = Keyring()


def read_membership(parts: Parts) -> Membership:
    """Understand the section.

    Raises:
        FactError: it was cut short.
    """
    parts.need("end")
    node, now = read_node(parts), float(parts.need("clock").text.strip())
    registered, url, key = _registered(parts, node)
    account, account_problem = (True, "") if registered else _account(parts, node)
    grants, grants_problem = _grants(parts, node)
    allowances = {grantee: _found(part) for grantee, part in parts.about("allowance").items()}
    problem = "" if registered is not None else _nobody_said(parts, node, ("rest", "v2"), "own")
    return Membership(
        node, now, registered, problem, url, key, account, account_problem, grants, grants_problem,
        allowances, _keyring(parts.get("files")),
    )  # fmt: skip


def _participant(said: Any) -> tuple[str, str]:  # noqa: ANN401 (JSON)
    """URL and consensus key, in either spelling (gonka-contract 2)."""
    inner = said.get("participant") if isinstance(said, dict) else None
    inner = inner if isinstance(inner, dict) else {}
    url = inner.get("inference_url") or inner.get("inferenceUrl") or ""
    return str(url), str(inner.get("validator_key") or inner.get("validatorKey") or "")


def _registered(parts: Parts, node: Node) -> tuple[bool | None, str, str]:
    """Whether somebody said for certain that the account is a participant, or that it is not."""
    v2, rest, own = (answered(parts.get(name)) for name in ("v2", "rest", "own"))
    for code, said in (v2, rest):
        if code == OK and isinstance(said, dict) and "participant" in said:
            return True, *_participant(said)
    listed, whole = _listed(parts.get("list"))
    if listed:
        return True, listed[0], ""
    if _nothing(rest) or (v2[0] == NOT_FOUND and _version(parts) >= V2_SINCE):
        return False, "", ""
    if whole and _version(parts) < V2_SINCE:
        return False, "", ""
    if node.synced and own[0] == OK:
        return True, *_participant(own[1])
    return (False if node.synced and _nothing(own) else None), "", ""


def _nothing(answer: tuple[int, Any]) -> bool:
    """The gateway's own word that there is no such thing; another 404 may be a closed door."""
    code, said = answer
    return code == NOT_FOUND and isinstance(said, dict) and said.get("code") == GATEWAY_NOT_FOUND


def _version(parts: Parts) -> tuple[int, ...]:
    """The seed's release; empty, which is before all others, where it does not say."""
    _, said = answered(parts.get("versions"))
    try:
        found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", str(said["api_version"]["version"]))
    except (KeyError, TypeError):
        return ()
    return tuple(map(int, found.groups())) if found else ()


def _listed(part: Part | None) -> tuple[list[str], bool]:
    """The URL of our entry in the list of all participants, if it is there; and whether the list was whole."""
    if part is None or part.failed:
        return [], False
    *entry, last = part.text.rstrip("\n").split("\n")
    urls = [found[1] if (found := re.search(r'"url": *"([^"]*)"', line)) else "" for line in entry if line]
    return urls, last == f"yes {OK}"


def _account(parts: Parts, node: Node) -> tuple[bool | None, str]:
    part = parts.get("account")
    code, said = answered(part)
    if code == OK:
        return True, ""
    text = json.dumps(said) if said is not None else ""
    if code == NOT_FOUND or "not found" in text:  # 500 in the first era
        return False, ""
    if node.synced and part is None:
        return None, "nobody was asked about the account"
    return None, f"whether the account exists is not known: {_why(part)}"


def _why(part: Part | None) -> str:
    """What became of a question, in words."""
    if part is None:
        return "not asked"
    if part.failed:
        return part.failed
    code, _ = read_answer(part)
    return f"answers {code}"


def _nobody_said(parts: Parts, node: Node, seed: tuple[str, ...], own: str) -> str:
    """Who was asked in vain, and why the own node did not help."""
    part = next((parts[name] for name in (*seed, "versions") if name in parts), None)
    if not node.synced:
        return f"the seed node does not say ({_why(part)}), and {node.words}"
    return f"neither the seed node ({_why(part)}) nor the own node ({_why(parts.get(own))}) says"


def _found(part: Part) -> bool | None:
    code, said = answered(part)
    if code == OK:
        return True
    return False if code and "not found" in json.dumps(said) else None


def _grants(parts: Parts, node: Node) -> tuple[tuple[Grant, ...] | None, str]:
    for name, believed in (("grants-seed", True), ("grants-own", node.synced)):
        part = parts.get(name)
        if part is None or part.failed or not believed:
            continue
        code, body = read_answer(part)
        if code == OK:
            try:
                return tuple(_pages(body)), ""
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return None, f"the grants cannot be understood: {type(error).__name__} {error}"[:200]
    return None, _nobody_said(parts, node, ("grants-seed",), "grants-own")


def _pages(text: str) -> list[Grant]:
    """Every grant of several JSON documents, one after the other."""
    decoder, at, found = json.JSONDecoder(), 0, list[Grant]()
    while text[at:].strip():
        page, end = decoder.raw_decode(text[at:].lstrip())
        at = len(text) - len(text[at:].lstrip()) + end
        for item in page["grants"] or ():
            expires = moment(item["expiration"]) if item.get("expiration") else None
            message = item["authorization"].get("msg")
            if message:
                found.append(Grant(str(item["grantee"]), str(message), expires))
    return found


def _keyring(part: Part | None) -> Keyring:
    if part is None:
        return Keyring(problem="the keyring was not looked at")
    if part.failed:
        return Keyring(problem=part.failed)
    names = [] if part.text.strip() == "none" else part.lines
    return Keyring(key_names(names), key_addresses(names))
