"""The words for the backup of what a network host cannot be made again from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from gonka_state.core.units import parse_duration
from gonka_state.spec.vocabulary import Positive, Text, VariableName, Words

_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")
_SFTP = re.compile(r"sftp:(?://)?(?:[^@/:]+@)?[^/:]+(?::\d+)?[:/].+")
_KINDS = re.compile(r"(/|(sftp|rest|s3|b2|azure|gs|swift|rclone):)\S+")


def _span(text: str) -> str:
    if parse_duration(text) <= 0:
        raise ValueError("is no span of time")
    return text


def _repository(text: str) -> str:
    if not _KINDS.fullmatch(text) or (text.startswith("sftp:") and not _SFTP.fullmatch(text)):
        raise ValueError(
            "is no repository of restic: expected a path, sftp:USER@HOST:/PATH, rest:URL, s3:URL or another of its kinds"
        )
    if _PASSWORD.search(text):
        raise ValueError(
            "holds a password: write it without, and set RESTIC_REPOSITORY in backup.environment"
        )
    return text


Span = Annotated[str, AfterValidator(_span)]


class Keep(Words):
    """Which snapshots are kept: the newest of so many runs, hours, days and so on, in restic's own sense."""

    last: Positive | None = None
    hourly: Positive | None = None
    daily: Positive | None = None
    weekly: Positive | None = None
    monthly: Positive | None = None


class Backup(Words):
    """Keys, node database and configuration of the network host, kept by restic.

    `environment` is what restic wants of its repository (credentials); `ssh_key` and `known_hosts` are contents, for
    a repository on an SFTP server. `keep: {}` forgets nothing, for a repository that only lets add.
    """

    repository: Annotated[str, AfterValidator(_repository)]
    password: Text
    environment: dict[VariableName, Text] = Field(default_factory=dict)
    ssh_key: Text | None = None
    known_hosts: Text | None = None
    every: Span = "6h"
    max_age: Span = "26h"
    check: Span = "7d"
    keep: Keep = Keep(last=8, daily=14, weekly=8, monthly=12)

    @model_validator(mode="after")
    def _age(self) -> Backup:
        if parse_duration(self.max_age) <= parse_duration(self.every):
            raise ValueError(f"max_age ({self.max_age}) has to be longer than every ({self.every})")
        return self

    @model_validator(mode="after")
    def _ssh(self) -> Backup:
        if (self.ssh_key or self.known_hosts) and not self.repository.startswith("sftp:"):
            raise ValueError("ssh_key and known_hosts are for a repository that begins with sftp:")
        return self
