"""The words for what a host needs in the days after: bounded logs, and who may read its metrics."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gonka_state.spec.system_words import System
from gonka_state.spec.vocabulary import Age, JournalSize, LogSize, Port, Positive, Texts, Words


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no address of the host; for all of them write 0.0.0.0") from None
    return text


class DockerLogs(Words):
    """What Docker keeps of a container's log, for containers that are made from now on."""

    driver: Literal["json-file", "local"] = "json-file"
    max_size: LogSize = "100m"
    max_file: Positive = 5


class Journald(Words):
    """What systemd's journal keeps on disk."""

    max_use: JournalSize = "2G"
    max_retention: Age | None = None


class Logging(Words):
    """How much room logs may take; each part is managed where it is declared."""

    docker: DockerLogs | None = None
    journald: Journald | None = None


class Monitoring(Words):
    """A host whose metrics Prometheus reads. `sources` may; `gpus` is how many cards must be there.

    The port is not node_exporter's usual 9100: that is the API's PoC callback on the network host.
    """

    sources: Texts | None = Field(default=None, alias="from")
    port: Port = 9101
    listen: Annotated[str, AfterValidator(_address)] | None = None
    gpus: Positive | None = None


class Upkeep(System):
    """What a host's system has, and what watches over it."""

    logging: Logging | None = None
    monitoring: Monitoring | None = None
