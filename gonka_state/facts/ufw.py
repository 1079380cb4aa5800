"""What ufw has saved: its switches and, tuple by tuple, its rules and the kernel rules each stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gonka_state.errors import FactError
from gonka_state.facts.addresses import Addresses, Sources
from gonka_state.facts.iptables import Rule, Ruleset, parse

TUPLE = "### tuple ### "
_ANY = {"0.0.0.0/0", "::/0", "any"}
_POLICIES = {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}


@dataclass(frozen=True, slots=True)
class Saved:
    """One rule of ufw in one family's file.

    `log` is `log` or `log-all` where it logs; `app` and `source_app` are application profiles. `rules` are
    the kernel rules that ufw makes of it.
    """

    family: int
    action: str
    log: str
    protocol: str
    port: str
    destination: str
    source_port: str
    source: str
    app: str
    source_app: str
    direction: str
    interface: str
    route: bool
    comment: str
    rules: tuple[Rule, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it is about a port of the host, whatever its address, and nothing else."""
        bare = self.destination in _ANY and self.source_port == "any" and "!" not in self.interface
        return bare and not self.route and "," not in self.port

    @property
    def sources(self) -> Sources:
        """Whom it is about."""
        return Sources.one(Addresses.network(self.family, self.source))

    def words(self) -> tuple[str, ...]:
        """The rule as `ufw` takes it, for its own family alone, without its comment."""
        inbound, _, outbound = self.interface.partition("!")
        words = ["route"] if self.route else []
        words.append(self.action)
        if self.route and outbound:
            words += ["in", "on", inbound, "out", "on", outbound]
        else:
            words += [self.direction, *(["on", inbound] if inbound else [])]
        words += [self.log] if self.log else []
        if not (self.app or self.source_app):
            words += ["proto", self.protocol] if self.protocol != "any" else []
        words += ["from", self.source, *_port(self.source_app, self.source_port)]
        destination = "any" if self.destination in _ANY else self.destination
        return (*words, "to", destination, *_port(self.app, self.port))

    def __str__(self) -> str:
        return "ufw " + " ".join(self.words())


def _port(app: str, port: str) -> list[str]:
    if app:
        return ["app", app]
    return [] if port == "any" else ["port", port]


def saved_rules(text: str, family: int) -> tuple[tuple[Saved, ...], Ruleset]:
    """Read `user.rules` or `user6.rules`: its tuples in order, and the file as a ruleset.

    Raises:
        FactError: a tuple or a rule cannot be understood.
    """
    found: list[Saved] = []
    for line in text.splitlines():
        if line.startswith(TUPLE):
            found.append(_saved(line.removeprefix(TUPLE), family))
        elif line.startswith("### END RULES"):
            break
        elif line.startswith("-A ") and found:
            chains = parse(f"*filter\n{line}", family).tables["filter"]
            own = tuple(rule for chain in chains.values() for rule in chain.rules)
            found[-1] = replace(found[-1], rules=found[-1].rules + own)
    return tuple(found), parse(text, family)


def _saved(text: str, family: int) -> Saved:
    body, _, comment = text.partition(" comment=")
    words = body.split()
    if not 6 <= len(words) <= 9:  # noqa: PLR2004 (with or without profiles and direction)
        raise FactError(f"not a rule of ufw: {text[:80]!r}")
    where = words.pop() if len(words) in {7, 9} else "in"
    apps = [re.sub("^-$", "", word).replace("%20", " ") for word in words[6:8]] or ["", ""]
    action, _, log = words[0].removeprefix("route:").partition("_")
    try:
        said = bytes.fromhex(comment.strip()).decode("utf-8", "replace")
        Addresses.network(family, words[5])
    except ValueError as error:
        raise FactError(f"not a rule of ufw: {text[:80]!r}: {error}") from error
    direction, _, interface = where.partition("_")
    return Saved(
        family=family,
        action=action,
        log=log,
        protocol=words[1],
        port=words[2],
        destination=words[3],
        source_port=words[4],
        source=words[5],
        app=apps[0],
        source_app=apps[1],
        direction=direction,
        interface=interface.replace("!out_", "!"),
        route=words[0].startswith("route:"),
        comment=said,
    )


def switches(text: str) -> dict[str, str]:
    """Read a file of shell assignments, such as `ufw.conf` and `/etc/default/ufw`."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and re.fullmatch(r"\s*\w+\s*", name):
            found[name.strip()] = value.split("#")[0].strip().strip("\"'")
    return found


def policy(value: str) -> str:
    """A policy in ufw's word for it."""
    return _POLICIES.get(value.upper(), value.lower())
