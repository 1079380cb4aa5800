"""A message to those who are told of incidents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Occasion(StrEnum):
    """Why a message is sent."""

    INCIDENT = "incident"
    RECOVERY = "recovery"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message, in plain text."""

    occasion: Occasion
    subject: str
    body: str
