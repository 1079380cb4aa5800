"""Facts as plain pyinfra facts: `pyinfra HOST fact gonka_state.facts.firewall.FirewallRules`."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, TypeVar

from pyinfra.api import FactBase
from pyinfra.api.exceptions import FactProcessError

from gonka_state.errors import FactError
from gonka_state.facts.base import MARK, PRELUDE, Fact

if TYPE_CHECKING:
    from collections.abc import Iterable

S = TypeVar("S")


def make(name: str, source: Fact[S]) -> type[FactBase[object]]:
    """A pyinfra fact class around a fact of ours. It becomes root by itself where sudo allows."""

    class HostFact(FactBase[object]):
        __doc__ = type(source).__doc__

        def command(self, **arguments: Any) -> str:  # noqa: ANN401 (texts, or pyinfra's map of them)
            # pyinfra binds keywords to the signature first: ours come back under the parameter's own name.
            given = arguments.get("arguments", arguments)
            body = f"M={MARK}\n{PRELUDE}\n{source.standalone(**given)}"
            return (
                'if [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null; then sh -s; else sudo -n sh -s; fi'
                f" <<'GONKA_STATE_SECTION'\n{body}\nGONKA_STATE_SECTION"
            )

        def process(self, output: Iterable[str]) -> object:
            try:
                return plain(source.parse("\n".join(output)))
            except FactError as error:
                raise FactProcessError(str(error)) from error

    HostFact.__name__ = HostFact.__qualname__ = name
    HostFact.name = f"{type(source).__module__}.{name}"
    return HostFact


def plain(value: object) -> object:
    """A state as JSON types, so that pyinfra can print it."""
    return json.loads(json.dumps(value, default=_default))


def _default(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)
