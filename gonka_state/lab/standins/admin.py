"""The Admin API: no password, plain HTTP, and the answers of its era down to the error texts.

Routes, bodies, statuses and faults: gonka-contract 1.1 to 1.6; the report: 1.9.
"""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING

from gonka_state.lab.standins import report, web
from gonka_state.lab.standins.nodes import Config, RefusedError, parse

if TYPE_CHECKING:
    from gonka_state.lab.standins.apistate import ApiState
    from gonka_state.lab.standins.jsons import Json

CHAIN_ACTIONS = ("models", "unit-of-compute-price-proposal", "tx/send", "bls/request", "claim-reward/recover")


class Admin:
    """The handlers, each under the lock that the broker's queue is in the real one."""

    def __init__(self, state: ApiState) -> None:
        self.state = state
        self.routes = web.Routes()
        self._cached_report: tuple[float, web.Reply] | None = None
        add = self.routes.add
        add("GET", "/admin/v1/nodes", self.listing)
        add("POST", "/admin/v1/nodes", self.post)
        add("POST", "/admin/v1/nodes/batch", self.batch)
        add("DELETE", "/admin/v1/nodes/:name", self.delete)
        add("POST", "/admin/v1/nodes/:name/enable", self.enable)
        add("POST", "/admin/v1/nodes/:name/disable", self.disable)
        for action in CHAIN_ACTIONS:
            add("POST", f"/admin/v1/{action}", self.chain_action)
        if not state.seed_era:
            add("PUT", "/admin/v1/nodes/:name", self.put)
            add("GET", "/admin/v1/nodes/upgrade-status", self.upgrade_status)
            add("GET", "/admin/v1/config", self.config)
            add("GET", "/admin/v1/export/db", self.export)
            add("GET", "/admin/v1/setup/report", self.report)

    def answer(self, request: web.Request) -> web.Reply:
        """Answer, or fail in the way the control file asks for."""
        trouble = self.state.control.read().get("admin")
        if trouble == "hang":
            time.sleep(600)
        if trouble == "garbage":
            return web.Reply(200, b'[{"node": {"id": "no', "application/json")
        if trouble:
            return web.error("Internal Server Error", 500)
        with self.state.lock:
            self.state.broker.governance = self.state.governance()
            self.state.broker.epoch = self.state.epoch()
            return self.routes.answer(request)

    def listing(self, _request: web.Request) -> web.Reply:
        """Every node with its state, in random order."""
        nodes = self.state.broker.listing(self.state.in_epoch())
        random.shuffle(nodes)
        return web.as_json(nodes)

    def _body(self, request: web.Request) -> Json:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise RefusedError("code=415, message=Unsupported Media Type")
        try:
            return json.loads(request.body)
        except ValueError as error:
            raise RefusedError(f"code=400, message=Syntax error: offset=0, error={error}") from error

    def post(self, request: web.Request) -> web.Reply:
        """Create, and since 0.2.4 update when the id is known."""
        try:
            node = parse(self._body(request))
        except RefusedError as refused:
            return web.error(f"invalid request body: {refused}", 400)
        updating = node["id"] in self.state.broker.nodes
        try:
            return web.as_json(self._saved(self.state.broker.upsert(node)))
        except RefusedError as refused:
            if self.state.seed_era:
                return web.error("error creating new node", 500)
            if updating:
                return web.error(f"failed to update node: {refused}", 500)
            return web.error(f"failed to create node: {refused}", 400)

    def put(self, request: web.Request, name: str) -> web.Reply:
        """The same as POST: the id in the path is not looked at, the body's decides."""
        del name
        return self.post(request)

    def _saved(self, node: Config) -> Config:
        if self.state.seed_era:  # which writes its file at once
            self.state.flush()
        return node

    def batch(self, request: web.Request) -> web.Reply:
        """Register each; never an update."""
        try:
            nodes = [parse(value) for value in self._body(request)]
        except (RefusedError, TypeError) as refused:
            return web.error(f"invalid request body: {refused}", 400)
        accepted: list[Config] = []
        errors: list[str] = []
        for place, node in enumerate(nodes):
            try:
                accepted.append(self._saved(self.state.broker.create(node)))
            except RefusedError as refused:
                errors.append(f"node[{place}] (id: {node['id']}): failed to create node: {refused}")
        if self.state.seed_era:
            return web.as_json(accepted or None, 201)
        if errors and not accepted:
            return web.error({"error": "all nodes failed validation", "errors": errors}, 400)
        if errors:
            return web.as_json({"nodes": accepted, "errors": errors}, 206)
        return web.as_json(accepted, 201)

    def delete(self, _request: web.Request, name: str) -> web.Reply:
        """Forget a node: true, or false when there is none; never 404."""
        existed = self.state.broker.delete(name)
        if self.state.seed_era:
            self.state.flush()
        return web.as_json(existed)

    def enable(self, _request: web.Request, name: str) -> web.Reply:
        """Let a node take part again."""
        return self._set(name, enabled=True)

    def disable(self, _request: web.Request, name: str) -> web.Reply:
        """Leave a node out from the next epoch on."""
        return self._set(name, enabled=False)

    def _set(self, name: str, *, enabled: bool) -> web.Reply:
        if not self.state.broker.enable(name, enabled=enabled):
            if self.state.seed_era:  # the real one keeps its lock for ever here
                time.sleep(3600)
            return web.error(f"node not found: {name}", 404)
        return web.as_json(
            {"message": f"node {'enabled' if enabled else 'disabled'} successfully", "node_id": name}
        )

    def upgrade_status(self, _request: web.Request) -> web.Reply:
        """No upgrade is ever planned here."""
        return web.as_json({"message": "No upgrade plan active"})

    def config(self, _request: web.Request) -> web.Reply:
        """The whole configuration, secrets included."""
        return web.as_json(self.state.config(), indent=2)

    def export(self, _request: web.Request) -> web.Reply:
        """What the store holds."""
        return web.as_json(self.state.snapshot())

    def report(self, _request: web.Request) -> web.Reply:
        """The setup report, or the last one while it is kept."""
        now = time.monotonic()
        if self._cached_report is None or now - self._cached_report[0] > report.kept(self.state):
            self._cached_report = (now, web.as_json(report.build(self.state)))
        return self._cached_report[1]

    def chain_action(self, _request: web.Request) -> web.Reply:
        """What would cost money or a vote on the chain: refused, and logged by the server."""
        return web.error("this is a lab: nothing is sent to a chain", 501)
