"""Who really gets an answer from a port of a host, as others try it."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.sources import Sources


class ExposureResource(Resource):
    """A TCP port, and who may get a connection to it; nothing is changed, only tried.

    `sources` as for a firewall rule. Compared are names: the hosts of the cluster and this machine that get an
    answer. `also` is a further address of the host that this machine tries (its public one), as an observer of its own.
    """

    kind: ClassVar[str] = "exposure"
    human: ClassVar[bool] = True

    name: str = ""
    port: int = Field(ge=1, le=65535)
    sources: Annotated[Sources, Attribute()] = ()
    also: str | None = None

    model_config = Resource.model_config | {"populate_by_name": True}

    @model_validator(mode="before")
    @classmethod
    def _name(cls, values: object) -> object:
        if isinstance(values, dict) and not values.get("name"):
            values = {**values, "name": f"{values.get('port')}/tcp"}
        return values

    def answers(self, address: str) -> bool:
        """Whether somebody at this address should get an answer; one whose address nobody knows only where anybody may."""
        if self.sources in {(), ("any",)}:
            return bool(self.sources)
        try:
            mine = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(mine in ipaddress.ip_network(source, strict=False) for source in self.sources)
