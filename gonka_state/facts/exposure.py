"""Which ports of a host answer whom: tried from the other hosts and from this machine, not read from rules.

A look at a host cannot tell this by itself. Every host tries the ports of the others in an exec of its own, beside
its look, and says on which ports it listens; this machine tries too (`engine/probing.py`). What all of them saw of
one host is put together into the section that is parsed here.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core.observation import Observation, Present, Unknown, Value
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.exposure import ExposureResource
from gonka_state.resources.firewall import ContainerPortResource, FirewallRuleResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.base import Parts
    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

WAIT = 2
"""Seconds: a lost first packet is sent again after one."""
LONG_WAIT = 8
"""Seconds, before silence is believed that nobody declared: lost packets are sent again after one, three and seven."""
OPEN, REFUSED, SILENT = "open", "refused", "silent"
THIS_MACHINE = "this machine"

_RULES = "container_ports (Docker's ports) or firewall.rules (the host's own)"

# All attempts in one process, which on a busy host has its turn sooner than one for each. perl because every Debian
# and Ubuntu has it; of `select` it tells what is left of the time.
_SCRIPT = r"""
tries() {
  command -v perl >/dev/null || { echo 'perl is not installed' >&2; return 1; }
  perl -e '
    use Errno; use Socket qw(:DEFAULT getaddrinfo SOCK_NONBLOCK);
    my ($left, @targets) = @ARGV; my ($bits, %asked) = ("");
    sub told { my ($at, $error) = @_; print "$at ", $error == 0 ? "open" : $!{ECONNREFUSED} ? "refused" : "failed $!", "\n" }
    for my $at (@targets) {
      my ($error, $found) = getaddrinfo((split / /, $at)[0, 1], {socktype => SOCK_STREAM});
      if ($error) { print "$at failed $error\n"; next }
      if (!socket(my $socket, $found->{family}, SOCK_STREAM | SOCK_NONBLOCK, 0)) { told($at, $!) }
      elsif (connect($socket, $found->{addr})) { told($at, 0) }
      elsif (!$!{EINPROGRESS}) { told($at, $!) }
      else { $asked{fileno $socket} = [$at, $socket]; vec($bits, fileno $socket, 1) = 1 }
    }
    while (%asked && $left > 0) {
      (my $count, $left) = select(undef, my $ready = $bits, undef, $left);
      for my $number ($count > 0 ? grep { vec($ready, $_, 1) } keys %asked : ()) {
        my ($at, $socket) = @{delete $asked{$number}}; vec($bits, $number, 1) = 0;
        $! = unpack("i", getsockopt($socket, SOL_SOCKET, SO_ERROR)); told($at, $!);
      }
    }
    print "$_->[0] silent\n" for values %asked' "$@"
}
listens() { { ss -Hltn | sed 's/^[A-Z]* *[0-9]* *[0-9]* *[^ ]*:\([0-9]*\) .*/\1/'; iptables-save -t nat 2>/dev/null | sed -n 's/^-A DOCKER .*-p tcp .*--dport \([0-9]*\) .*DNAT.*/\1/p'; } | sort -un; }
"""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: who tried which address and port, and what came back (open, refused, silent, or failed …)."""

    observer: str
    address: str
    port: int
    result: str


@dataclass(frozen=True, slots=True)
class Tries:
    """All attempts on one host, and the ports it says it listens on; None where it could not say."""

    tries: tuple[Try, ...]
    listens: frozenset[int] | None


def script(targets: Sequence[tuple[str, int]], wait: int = WAIT) -> str:
    """POSIX sh (and perl for the connections): tries every (address, port) at once, and lists own listeners."""
    words = [f"{address} {port}" for address, port in targets]
    return _SCRIPT + quote("part", "tries", "tries", str(wait), *words) + "\npart listens listens\n"


def own_words(text: str) -> tuple[list[tuple[str, int, str]], frozenset[int] | None]:
    """What one host's probing said: its attempts (address, port, result) and its listeners.

    Raises:
        FactError: it was cut short or could not try at all.
    """
    parts = split_parts(text)
    tried = []
    for line in parts.need("tries").lines:
        address, _, rest = line.partition(" ")
        port, _, result = rest.partition(" ")
        if port.isdecimal():
            tried.append((address, int(port), result.strip()))
    return tried, _listeners(parts)


def _listeners(parts: Parts) -> frozenset[int] | None:
    """The ports that somebody listens on; None where the host could not say."""
    part = parts.get("listens")
    return None if part is None or part.failed else frozenset(map(int, part.text.split()))


class ExposureFact(Fact[Tries]):
    """What others saw of a host. As a plain fact it takes `address=` and `ports=` and tries them from the host."""

    section = "exposure"
    elsewhere = True

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (the contract's signature)
        """The attempts of one observer on the loopback address; the engine's own are made from `script`."""
        return script([("127.0.0.1", item.port) for item in wanted if isinstance(item, ExposureResource)])

    def standalone(self, **arguments: object) -> str:
        """`address=` and `ports=22,80`: tries them from the host it runs on."""
        address, ports = str(arguments.pop("address", "127.0.0.1")), str(arguments.pop("ports", "22"))
        if arguments or not all(port.strip().isdecimal() for port in ports.split(",")):
            raise FactError("exposure takes address= and ports=22,80")
        return script([(address, int(port)) for port in ports.split(",")])

    def parse(self, text: str) -> Tries:
        """The put-together section: `OBSERVER<tab>ADDRESS<tab>PORT<tab>RESULT` lines and the host's listeners."""
        parts = split_parts(text)
        rows = [line.split("\t") for line in parts.need("tries").lines if line]
        if not all(len(row) == 4 and row[2].isdecimal() for row in rows):  # noqa: PLR2004 (as written above)
            raise FactError("the attempts cannot be understood")
        return Tries(tuple(Try(row[0], row[1], int(row[2]), row[3]) for row in rows), _listeners(parts))


def observe_exposure(state: Tries, resource: ExposureResource, here: Here) -> Observation:
    """Who gets an answer. Whoever could not try, or whose address nobody knows, is left out on both sides."""
    mine = [one for one in state.tries if one.port == resource.port]
    judged = [
        one for one in mine if one.result in {OPEN, REFUSED, SILENT} and not _either(one, resource, here)
    ]
    if not judged:
        said = "; ".join(sorted({f"{one.observer}: {one.result}" for one in mine})) or "nobody tried"
        return Unknown(f"nobody could try port {resource.port}: {said}")
    expected = {_who(one, resource) for one in judged if _expects(one, resource, here)}
    reached = {_who(one, resource) for one in judged if one.result == OPEN}
    # A port nobody listens on answers nobody, whatever the rules; only who gets an answer can be wrong then.
    deaf = state.listens is None or resource.port not in state.listens
    silent = {_who(one, resource) for one in judged if one.result == SILENT}
    # What others reach is refused at the public address by whoever stands before the host.
    silent |= {_who(one, resource) for one in judged if reached and _in_public(one, resource)} - reached
    missed = set() if deaf else expected & silent - reached
    seen = (expected - missed) | reached
    return Present(
        {"from": sorted(seen)},
        {"expected": sorted(expected), "listens": not deaf},
        reason=_reason(resource, reached - expected, missed),
        hint=_hint(resource, here, reached - expected, missed),
    )


def wanted_exposure(state: Tries, resource: ExposureResource, here: Here) -> dict[str, Value]:
    """The observers that should get an answer."""
    seen = observe_exposure(state, resource, here)
    return {"from": seen.details["expected"]} if isinstance(seen, Present) else {}


def _in_public(one: Try, resource: ExposureResource) -> bool:
    return one.observer == THIS_MACHINE and one.address == resource.also


def _who(one: Try, resource: ExposureResource) -> str:
    """The observer; this machine is another where it comes from outside, since other walls stand there."""
    return f"{one.observer} at {one.address}" if _in_public(one, resource) else one.observer


def _expects(one: Try, resource: ExposureResource, here: Here) -> bool:
    """Whether this attempt should get an answer."""
    address = here.peer if one.observer == THIS_MACHINE else here.addresses.get(one.observer, "")
    return resource.answers(address)


def _either(one: Try, resource: ExposureResource, here: Here) -> bool:
    """Whether what came back at the public address proves nothing."""
    if not _in_public(one, resource):
        return False
    if resource.answers(""):
        # Many routers do not lead their own network to their public address.
        return one.result != OPEN and _inside(here.peer)
    # From which address we come there, nobody knows; but from here we may.
    return resource.answers(here.peer)


def _inside(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _reason(resource: ExposureResource, open_to: set[str], closed_to: set[str]) -> str:
    parts = (
        [f"port {resource.port} answers {', '.join(sorted(open_to))}, which should get no answer"]
        if open_to
        else []
    )
    parts += [f"port {resource.port} does not answer {', '.join(sorted(closed_to))}"] if closed_to else []
    return "; ".join(parts)


def _hint(resource: ExposureResource, here: Here, open_to: set[str], closed_to: set[str]) -> str:
    ruled = any(
        isinstance(item, (ContainerPortResource, FirewallRuleResource))
        and str(item.port) == str(resource.port)
        for item in here.declared
    )
    lines = []
    if open_to and ruled:
        lines.append(
            "the rules look right, the port is open all the same: what listens there, and on which address?"
        )
    elif open_to:
        lines.append(f"restrict it: {_RULES} has no {resource.port}/tcp; or stop what listens there")
    if closed_to and ruled:
        lines.append(
            "something listens there and this host's own rules let it in: an upstream firewall or security group is "
            "in the way, which is not ours to change"
        )
    elif closed_to:
        lines.append(
            f"let it in: {_RULES} has no {resource.port}/tcp; else an upstream firewall is in the way"
        )
    return "\n".join(lines)


FACT = ExposureFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Exposure", FACT, name)
