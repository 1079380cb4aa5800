"""The public proxy: its own health, and the API behind it; the chain's RPC only when it is switched on.

`/health` that proves nginx only, and the routes it blocks: gonka-contract 2; `/chain-rpc/`: 3 and 5.3.
"""

from __future__ import annotations

import os

from gonka_state.lab.standins import forward, web


def answer(request: web.Request, settings: dict[str, str]) -> web.Reply:
    """Route one request as the proxy's configuration does."""
    if request.path == "/health":
        return web.as_text("healthy\n")
    if request.path.startswith("/chain-rpc/"):
        if settings.get("DISABLE_CHAIN_RPC", "true") == "true":
            return web.as_text("Chain RPC is disabled\n", 404)
        return forward.forward(request, "node", 26657, request.target.removeprefix("/chain-rpc"))
    target = request.target.removeprefix("/api") if request.path.startswith("/api/") else request.target
    if target.startswith(("/v1/poc-batches", "/v1/training")):
        return web.as_text("Forbidden\n", 403)
    if target.startswith(("/v1/", "/v2/")):
        return forward.forward(request, "api", int(settings.get("GONKA_API_PORT") or 9000), target)
    return forward.forward(request, "explorer", 5173, target)


def main() -> None:
    """Serve until stopped."""
    web.serve(80, lambda request: answer(request, dict(os.environ)))
    web.run_until_stopped()


if __name__ == "__main__":
    main()
