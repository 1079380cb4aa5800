"""Sets of source addresses of one family, as ranges, and of both families together."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.resources.sources import normalise_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IPV4, IPV6 = 4, 6
_BITS = {IPV4: 32, IPV6: 128}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of one family: sorted ranges of numbers, both ends included, that do not touch."""

    family: int
    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, family: int, ranges: Iterable[tuple[int, int]]) -> Addresses:
        """The union of `ranges`, in any order, overlapping or not."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return cls(family, tuple(merged))

    @classmethod
    def everybody(cls, family: int) -> Addresses:
        """Every address there is."""
        return cls(family, ((0, 2 ** _BITS[family] - 1),))

    @classmethod
    def network(cls, family: int, text: str) -> Addresses:
        """The addresses of a CIDR, an address, or an address with a netmask.

        Raises:
            ValueError: the text is none of these, or of the other family.
        """
        network = ipaddress.ip_network(text, strict=False)
        if network.version != family:
            raise ValueError(f"{text!r} is not of IPv{family}")
        return cls(family, ((int(network.network_address), int(network.broadcast_address)),))

    def __or__(self, other: Addresses) -> Addresses:
        return Addresses.of(self.family, (*self.ranges, *other.ranges))

    def __and__(self, other: Addresses) -> Addresses:
        return self - (self - other)

    def __sub__(self, other: Addresses) -> Addresses:
        left = list(self.ranges)
        for low, high in other.ranges:
            left = [piece for mine in left for piece in _cut(mine, low, high)]
        return Addresses(self.family, tuple(left))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def networks(self) -> list[str]:
        """The set as CIDRs."""
        make = ipaddress.IPv4Address if self.family == IPV4 else ipaddress.IPv6Address
        found: list[str] = []
        for low, high in self.ranges:
            found += [str(net) for net in ipaddress.summarize_address_range(make(low), make(high))]
        return found


def _cut(mine: tuple[int, int], low: int, high: int) -> list[tuple[int, int]]:
    """What is left of a range without another one."""
    if high < mine[0] or low > mine[1]:
        return [mine]
    pieces = [(mine[0], low - 1), (high + 1, mine[1])]
    return [piece for piece in pieces if piece[0] <= piece[1]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Addresses of both families."""

    v4: Addresses = Addresses(IPV4)
    v6: Addresses = Addresses(IPV6)

    @classmethod
    def read(cls, words: Iterable[str]) -> Sources:
        """From a resource's `from`: `any`, CIDRs, or nothing for nobody."""
        found = cls()
        for word in words:
            if word == "any":
                return cls.everybody()
            family = IPV6 if ":" in word else IPV4
            found = found | cls.one(Addresses.network(family, word))
        return found

    @classmethod
    def one(cls, addresses: Addresses) -> Sources:
        """Addresses of one family, nobody of the other."""
        return cls(v6=addresses) if addresses.family == IPV6 else cls(v4=addresses)

    @classmethod
    def everybody(cls) -> Sources:
        """Every address of both families."""
        return cls(Addresses.everybody(IPV4), Addresses.everybody(IPV6))

    def family(self, family: int) -> Addresses:
        """The part of one family."""
        return self.v4 if family == IPV4 else self.v6

    def __or__(self, other: Sources) -> Sources:
        return Sources(self.v4 | other.v4, self.v6 | other.v6)

    def __and__(self, other: Sources) -> Sources:
        return Sources(self.v4 & other.v4, self.v6 & other.v6)

    def __sub__(self, other: Sources) -> Sources:
        return Sources(self.v4 - other.v4, self.v6 - other.v6)

    def __bool__(self) -> bool:
        return bool(self.v4) or bool(self.v6)

    def words(self, wish: Sequence[str] | None = None) -> list[str]:
        """The set as a resource's `from` spells it, as `wish` does where that is the same set.

        Any other that is shorter to tell by who is missing reads `0.0.0.0/0`, `not X`, which equals no wish.
        """
        if wish is not None and self == Sources.read(wish):
            return list(wish)
        told: list[str] = []
        left_out: list[str] = []
        for mine in (self.v4, self.v6):
            everybody = Addresses.everybody(mine.family)
            missing = (everybody - mine).networks()
            if len(missing) < len(mine.networks()):
                told += everybody.networks()
                left_out += missing
            else:
                told += mine.networks()
        return [*normalise_sources(told), *(f"not {word}" for word in normalise_sources(left_out))]
