"""What `iptables-save` prints, rule by rule, with a meaning that equals only where rules are equal.

The same reader takes ufw's rules files, which `iptables-restore` reads too: there a protocol's options
come without `-m`, and defaults are left out.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.iptables_options import Match, Option, normal_answer, normal_matches, protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_BASE = {"-p", "-s", "-d", "-i", "-o"}
# These take the next word whatever it looks like: iptables-save leaves a comment such as -x unquoted.
_TEXT = {"--comment", "--log-prefix", "--string", "--name", "--nflog-prefix"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One `-A`. `words` is the rule as it can be given to `iptables -D CHAIN`, decoded.

    `meaning` is equal for two rules only where they are provably the same rule.
    """

    family: int
    table: str
    chain: str
    target: str | None
    goto: bool
    target_options: tuple[Option, ...]
    matches: tuple[Match, ...]
    words: tuple[str, ...] = field(compare=False)

    @property
    def meaning(self) -> tuple[object, ...]:
        """What the rule is, whatever its spelling; without its chain's family and table it means nothing."""
        return (
            self.family,
            self.table,
            self.chain,
            self.target,
            self.goto,
            self.target_options,
            self.matches,
        )

    @property
    def text(self) -> str:
        """The rule as an operator would type it."""
        return shlex.join(("-A", self.chain, *self.words))


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain's rules in order; a built-in chain has a policy."""

    policy: str | None = None
    rules: tuple[Rule, ...] = ()


Table = dict[str, Chain]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All tables of one family."""

    family: int
    tables: Mapping[str, Table] = field(default_factory=dict)

    def chain(self, table: str, name: str) -> Chain | None:
        """A chain, or None where there is none: the kernel has not been told anything about it."""
        return self.tables.get(table, {}).get(name)


def parse(text: str, family: int) -> Ruleset:
    """Read what `iptables-save` or `ip6tables-save` prints, or an `iptables-restore` file.

    Raises:
        FactError: a line is neither a table, a chain, a rule, a comment nor COMMIT, or the kernel holds
            rules that the program cannot show.
    """
    tables: dict[str, Table] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("#") and "incompatible" in line:
            raise FactError(f"the kernel holds rules that iptables cannot show: {line.strip('# ')}")
        if not line.strip() or line.startswith("#") or line == "COMMIT":
            continue
        if line.startswith("*"):
            table = line[1:].strip()
            tables.setdefault(table, {})
        elif not table:
            raise FactError(f"no table before {line[:80]!r}")
        else:
            _read(line, table, tables[table], family)
    return Ruleset(family, tables)


def _read(line: str, name: str, table: Table, family: int) -> None:
    if line.startswith(":"):
        chain, _, policy = line[1:].partition(" ")
        policy = policy.split(" ")[0]
        table[chain] = Chain(None if policy in {"-", ""} else policy)
        return
    words = split(re.sub(r"^\[\d+:\d+\] ", "", line))
    if len(words) < 2 or words[0][0] not in {"-A", "-I"}:  # noqa: PLR2004 (-A CHAIN)
        raise FactError(f"not a rule of iptables: {line[:80]!r}")
    rule = _rule(words[2:], name, words[1][0], family)
    held = table.get(rule.chain, Chain())
    rules = (rule, *held.rules) if words[0][0] == "-I" else (*held.rules, rule)
    table[rule.chain] = Chain(held.policy, rules)


def split(line: str) -> list[tuple[str, bool]]:
    """Words as iptables-restore reads them, each with whether it was quoted.

    Only double quotes quote, and a backslash escapes only inside them.

    Raises:
        FactError: a quote is left open.
    """
    words: list[tuple[str, bool]] = []
    for found in re.finditer(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)|(")', line):
        if found[3]:
            raise FactError(f"a quote is left open: {line[:80]!r}")
        quoted = found[1] is not None
        words.append((re.sub(r"\\(.)", r"\1", found[1]) if quoted else found[2], quoted))
    return words


def _rule(words: list[tuple[str, bool]], table: str, chain: str, family: int) -> Rule:
    base: list[Option] = []
    modules: list[tuple[str, list[Option]]] = []
    target: str | None = None
    goto = False
    answer: list[Option] = []
    current: list[Option] | None = None
    for option in _options(words):
        match option.name:
            case "-p" | "-s" | "-d" | "-i" | "-o" | "-f":
                base.append(option)
            case "-m":
                current = []
                modules.append((" ".join(option.values), current))
            case "-j" | "-g":
                target, goto, current = " ".join(option.values), option.name == "-g", answer
            case _ if current is None:  # a protocol's own options need no -m
                current = [option]
                modules.append((protocol(base), current))
            case _:
                current.append(option)
    return Rule(
        family=family,
        table=table,
        chain=chain,
        target=target,
        goto=goto,
        target_options=normal_answer(target, answer, family),
        matches=normal_matches(base, modules, family),
        words=tuple(word for word, _ in words),
    )


def _options(words: list[tuple[str, bool]]) -> list[Option]:
    """Cut words into options: a word that starts with a dash begins one, unless it was quoted."""
    options: list[Option] = []
    negated = False
    for word, quoted in words:
        last = options[-1] if options else None
        if last and last.name in _TEXT and not last.values:
            options[-1] = Option(last.name, last.negated, (word,))
        elif word == "!" and not quoted:
            negated = True
        elif not quoted and re.match(r"--?[A-Za-z]", word):
            options.append(Option(word, negated))
            negated = False
        elif last:
            options[-1] = Option(last.name, last.negated, (*last.values, word))
        else:
            raise FactError(f"not an option of iptables: {word[:80]!r}")
    return options
