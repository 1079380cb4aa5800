"""Checks of the API's own setup report: a gate after the full stack is launched."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.resources.base import Attribute, Resource


class SetupReportResource(Resource):
    """`name` is the level: what fails of `block` is drift, of `warn` it is only shown.

    `checks` are ids of the report (gonka-contract 1.9), or `versions`: GET /v1/versions answers; each has to
    pass. `api` and `public_api` are the Admin and the public API's base URLs on this host, `node` the chain
    node's container, which an API without a report leaves us to judge by.
    """

    kind: ClassVar[str] = "setup-report"
    plan_phase: ClassVar[int] = 4

    name: Literal["block", "warn"]
    checks: Annotated[dict[str, Literal["PASS"]], Field(min_length=1), Attribute()]
    api: str = "http://127.0.0.1:9200"
    public_api: str = "http://127.0.0.1:8000"
    node: str = "node"

    @property
    def warns(self) -> bool:
        """The checks of level warn."""
        return self.name == "warn"
