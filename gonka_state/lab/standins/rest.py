"""The chain's REST as far as an operator reads it (gonka-contract 2 and 6.4), over any copy of the ledger."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from gonka_state.lab.standins import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.lab.standins.jsons import Json
    from gonka_state.lab.standins.ledger import Entry, Ledger

NOT_FOUND = 5
PAGE = 100
"""Entries of a page where nobody asks for more or fewer: the SDK's."""


class Rest:
    """The handlers. `ledger` gives the state to answer from; `page` the size of a page."""

    def __init__(self, ledger: Callable[[], Ledger], page: Callable[[], int] = lambda: PAGE) -> None:
        self._ledger, self._page = ledger, page
        self.routes = web.Routes()
        add = self.routes.add
        add("GET", "/productscience/inference/inference/participant/:address", self.participant)
        add(
            "GET",
            "/productscience/inference/inference/epoch_performance_summary/:epoch/:address",
            self.summary,
        )
        add("GET", "/cosmos/auth/v1beta1/accounts/:address", self.account)
        add("GET", "/cosmos/bank/v1beta1/balances/:address", self.balances)
        add("GET", "/cosmos/authz/v1beta1/grants", self.grants)
        add("GET", "/cosmos/authz/v1beta1/grants/grantee/:address", self.to_grantee)
        add("GET", "/cosmos/authz/v1beta1/grants/granter/:address", self.by_granter)
        add("GET", "/cosmos/feegrant/v1beta1/allowance/:granter/:grantee", self.allowance)
        add("GET", "/cosmos/staking/v1beta1/delegators/:address/validators", self.validators)

    def participant(self, _request: web.Request, address: str) -> web.Reply:
        """A registered host."""
        item = self._ledger().participants().get(address)
        if item is None:
            return not_found("participant not found")
        return web.as_json({"participant": {**about(address, item), "status": "ACTIVE", "join_time": "0",
                                            "join_height": str(item.get("height", 0))}})  # fmt: skip

    def summary(self, _request: web.Request, epoch: str, address: str) -> web.Reply:
        """One host in one epoch; numbers are texts, as the gateway writes them."""
        item = self._ledger().summary(epoch, address)
        if item is None:
            return not_found("not found")
        told = {"epoch_index": epoch, "participant_id": address, "missed_requests": "0",
                "rewarded_coins": str(item.get("rewarded_coins", 0)), "claimed": bool(item.get("claimed"))}  # fmt: skip
        return web.as_json({"epochPerformanceSummary": told})

    def account(self, _request: web.Request, address: str) -> web.Reply:
        """An account."""
        item = self._ledger().account(address)
        if item is None:
            return not_found(f"account {address} not found")
        key = {"@type": "/cosmos.crypto.secp256k1.PubKey", "key": item.get("pubkey", "")}
        kind = "/cosmos.auth.v1beta1.BaseAccount"
        return web.as_json({"account": {"@type": kind, "address": address, "pub_key": key, "sequence": "0"}})

    def balances(self, _request: web.Request, address: str) -> web.Reply:
        """What an account owns; an account that does not exist owns nothing."""
        amount = int((self._ledger().account(address) or {}).get("balance", 0))
        coins = [{"denom": "ngonka", "amount": str(amount)}] if amount else []
        return web.as_json({"balances": coins, "pagination": {"next_key": None, "total": str(len(coins))}})

    def grants(self, request: web.Request) -> web.Reply:
        """The grants between two accounts: neither is repeated in the answer."""
        query = request.query
        found = self._ledger().grants(granter=query.get("granter", ""), grantee=query.get("grantee", ""))
        return self._pages(request, [_grant(item) for item in found])

    def to_grantee(self, request: web.Request, address: str) -> web.Reply:
        """All that was granted to one account."""
        return self._pages(request, [_named(item) for item in self._ledger().grants(grantee=address)])

    def by_granter(self, request: web.Request, address: str) -> web.Reply:
        """All that one account has granted."""
        return self._pages(request, [_named(item) for item in self._ledger().grants(granter=address)])

    def allowance(self, _request: web.Request, granter: str, grantee: str) -> web.Reply:
        """A fee allowance."""
        item = self._ledger().allowance(granter, grantee)
        if item is None:
            return not_found("fee-grant not found")
        kind = "/cosmos.feegrant.v1beta1.BasicAllowance"
        limit = {"@type": kind, "spend_limit": item["spend_limit"], "expiration": item["expiration"]}
        return web.as_json({"allowance": {"granter": granter, "grantee": grantee, "allowance": limit}})

    def validators(self, _request: web.Request, address: str) -> web.Reply:
        """The validator of a registered host, as jailed as the ledger's `jailed` says."""
        item = self._ledger().participants().get(address)
        jailed = bool((item or {}).get("jailed"))
        status = "BOND_STATUS_UNBONDING" if jailed else "BOND_STATUS_BONDED"
        found = [] if item is None else [{"operator_address": address, "jailed": jailed, "status": status}]
        return web.as_json({"validators": found, "pagination": {"next_key": None, "total": str(len(found))}})

    def _pages(self, request: web.Request, found: list[Entry]) -> web.Reply:
        size = min(int(request.query.get("pagination.limit") or self._page()), self._page())
        first = int(base64.b64decode(request.query.get("pagination.key") or "MA=="))
        rest = first + size
        key = base64.b64encode(str(rest).encode()).decode() if rest < len(found) else None
        return web.as_json(
            {"grants": found[first:rest], "pagination": {"next_key": key, "total": str(len(found))}}
        )


def about(address: str, item: Entry) -> Entry:
    """A registered host in the fields that every answer about it has."""
    return {"index": address, "address": address, "weight": 0, "inference_url": item.get("url", ""),
            "validator_key": item.get("validator_key", ""), "worker_public_key": item.get("worker_key", "")}  # fmt: skip


def not_found(message: str) -> web.Reply:
    """What the gateway says when a query finds nothing."""
    said: Json = {"code": NOT_FOUND, "message": f"rpc error: code = NotFound desc = {message}: key not found"}
    return web.as_json({**said, "details": []}, 404)


def _grant(item: Entry) -> Entry:
    kind = "/cosmos.authz.v1beta1.GenericAuthorization"
    return {"authorization": {"@type": kind, "msg": item["msg"]}, "expiration": item["expiration"]}


def _named(item: Entry) -> Entry:
    return {"granter": item["granter"], "grantee": item["grantee"], **_grant(item)}
