"""The type of what JSON can say."""

from typing import Any

Json = Any
"""Anything; checked where it is read, because it comes from outside."""
