"""Ansible's INI format read as Ansible reads it, without Ansible.

The rules are those of its `ini` inventory plug-in: sections, `:children`, `:vars`, host ranges, quoting. Sections
with names of ansible.cfg are read as settings, since inventories are handed around with these below them.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.core.desired import Source
from gonka_state.spec.inventory import EVERYBODY, UNGROUPED, Group, Inventory, Listed, Said, is_secret
from gonka_state.spec.inventory_hosts import MAX_HOSTS, expand, without_port
from gonka_state.spec.problems import did_you_mean

if TYPE_CHECKING:
    from gonka_state.spec.problems import Problems

CONFIG = frozenset(
    ["defaults", "inventory", "ssh_connection", "connection", "privilege_escalation", "persistent_connection",
     "paramiko_connection", "colors", "diff", "galaxy"]
)  # fmt: skip
"""Sections of ansible.cfg."""

_SECTION = re.compile(r"\[(?P<name>[^:\]\s]+)(?::(?P<what>\w+))?\]\s*(?:[#;].*)?")
_SETTING = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>.*)")
_CONFIG_SETTING = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*[=:]\s*(?P<value>.*)")
_WORD = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)(?:\s*[=:]|\s)")
# Everything up to a comment; a mark inside quotes begins none.
_CODE = re.compile(r"""(?:[^"'#\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')*""")
_URL_LOGIN = re.compile(r"(://)[^/@\s]*@")


def parse(text: str, file: str, problems: Problems) -> Inventory:
    """Read an inventory; what cannot be understood is collected with its line, and left out."""
    lines = re.split(r"\r\n|\r|\n", text)
    problems.register(file, "\n".join(map(masked, lines)))
    if foreign := _foreign(lines):
        problems.add(file, *foreign)
        return Inventory(file)
    parser = _Parser(Inventory(file), problems)
    for number, line in enumerate(lines, 1):
        parser.line(line.strip(), Source(file, number, 1))
    parser.end()
    return parser.inventory


def parse_config(text: str, file: str, problems: Problems) -> dict[str, Said]:
    """The settings of an ansible.cfg, whatever their sections; continued lines belong to what stands above."""
    lines = re.split(r"\r\n|\r|\n", text)
    problems.register(file, "\n".join(map(masked, lines)))
    found: dict[str, Said] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line[0] in " \t#;[":
            continue
        setting = _CONFIG_SETTING.fullmatch(line.strip())
        if setting is None:
            problems.add(Source(file, number, 1), "expected NAME = VALUE, as in an ansible.cfg")
        else:
            found[setting["name"].lower()] = Said(_plain(setting["value"]), Source(file, number, 1))
    return found


def masked(line: str) -> str:
    """A line as it may be shown: nothing after the name of a secret, no login in a URL."""
    cuts = [found.end() for found in _WORD.finditer(line) if is_secret(found["name"])]
    shown = f"{line[: min(cuts)]}<secret>" if cuts else line
    return _URL_LOGIN.sub(r"\1<secret>@", shown)


def _foreign(lines: list[str]) -> tuple[str, str] | None:
    """What to say about an inventory in another of Ansible's formats."""
    first = next((line for line in map(str.strip, lines) if line and line[0] not in "#;"), "")
    if lines and lines[0].startswith("#!"):
        return "is a program; only an inventory in INI format can be read", "write its hosts into an INI file"
    if first == "---" or re.fullmatch(r"(all|[\w-]+):(\s*#.*)?", first):
        hint = "write its groups and hosts as INI: [cluster1_ml_nodes], then a line NAME ansible_host=ADDRESS each"
        return "is YAML; only an inventory in INI format can be read", hint
    return None


@dataclass(slots=True)
class _Parser:
    inventory: Inventory
    problems: Problems
    group: str = UNGROUPED
    what: str = ""
    mentioned: list[tuple[str, Source]] = field(default_factory=list)
    _waiting: dict[str, list[tuple[str, Said]]] = field(default_factory=dict)

    def line(self, text: str, at: Source) -> None:
        if not text or text[0] in "#;":
            return
        section = _SECTION.fullmatch(text)
        if section:
            self._section(section["name"], section["what"] or "", at)
        elif self.group in CONFIG and not self.what and _SETTING.fullmatch(text):
            self._variable(text, at, self.inventory.settings)
        elif self.what == "vars":
            self._variable(text, at, None)
        elif self.what == "children":
            self._child(text, at)
        elif self.what != "?":
            self._host(text, at)

    def end(self) -> None:
        """What can only be judged once every group is known."""
        known = self.inventory.groups
        for name, at in self.mentioned:
            if name not in known and name not in {EVERYBODY, UNGROUPED}:
                names = [*known, EVERYBODY]
                self.problems.add(at, f"there is no group [{name}]", did_you_mean(name, names))
        for name, found in self._waiting.items():
            group = known.get(name) or (
                self._group(name, found[0][1].source) if name in {EVERYBODY, UNGROUPED} else None
            )
            if group is not None:
                group.variables.update(found)
        self.inventory.arrange()

    def _section(self, name: str, what: str, at: Source) -> None:
        self.group, self.what = name, what
        if what == "vars":
            self.mentioned.append((name, at))
        elif what in {"", "children"}:
            if name not in CONFIG or what:
                self._group(name, at)
        else:
            self.what = "?"
            meant = did_you_mean(what, ["children", "vars"])
            self.problems.add(at, f"a group has :children or :vars, and no :{what}", meant)

    def _group(self, name: str, at: Source) -> Group:
        return self.inventory.groups.setdefault(name, Group(name, at))

    def _variable(self, text: str, at: Source, into: dict[str, Said] | None) -> None:
        found = _SETTING.fullmatch(text)
        if found is None:
            self.problems.add(at, f"expected NAME=VALUE in [{self.group}{':vars' if self.what else ''}]")
            return
        said = Said(_plain(found["value"]), at)
        if into is None:
            self._waiting.setdefault(self.group, []).append((found["name"], said))
        else:
            into[found["name"]] = said

    def _child(self, text: str, at: Source) -> None:
        name = text.partition("#")[0].strip()
        if re.search(r"\s|=", name):
            what = f"expected a group's name in [{self.group}:children]; its hosts and variables have sections of their own"
            self.problems.add(at, what)
            return
        self.mentioned.append((name, at))
        self._group(self.group, at).children.setdefault(name, at)

    def _host(self, text: str, at: Source) -> None:
        code = _CODE.match(text)
        end = code.end() if code else 0
        try:
            first, *rest = shlex.split(text[:end] if text[end : end + 1] in {"", "#"} else text) or [""]
        except ValueError:
            self.problems.add(at, "a quote or a backslash has no end")
            return
        label, colon, _ = first.partition(":")
        if "=" in first or rest[:1] == ["="] or (colon and is_secret(label)):
            hint = f"variables of a group have a section of their own: [{self.group}:vars]"
            self.problems.add(at, "expected a host's name in front of its variables", hint)
            return
        name, port = without_port(first)
        try:
            names = expand(name)
        except ValueError as error:
            self.problems.add(at, str(error))
            return
        before = {"ansible_port": Said(port, at)} if port else {}
        variables = before | self._pairs(rest, at)
        listed = Listed(name, at, text[end:].removeprefix("#").strip(), len(variables) < len(rest), variables)
        for one in names:
            self._add(one, listed)

    def _pairs(self, words: list[str], at: Source) -> dict[str, Said]:
        found: dict[str, Said] = {}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or not name:
                what = "expected NAME=VALUE behind a host's name, without blanks; a value with blanks needs quotes"
                self.problems.add(at, what)
                return found
            found[name] = Said(value, at)
        return found

    def _add(self, name: str, line: Listed) -> None:
        if len(self.inventory.hosts) >= MAX_HOSTS and name not in self.inventory.hosts:
            self.problems.add(self.inventory.file, f"names more than {MAX_HOSTS} hosts")
            return
        self._group(self.group, line.source).hosts.setdefault(name)
        host = self.inventory.hosts.setdefault(name, Listed(name, line.source))
        host.comment = " ".join(filter(None, (host.comment, line.comment)))
        host.broken |= line.broken
        for key, said in line.variables.items():
            before = host.variables.setdefault(key, said)
            if before.value != said.value:
                what = f"{name} has two values of {key}"
                self.problems.add(line.source, what, f"line {before.source.line} says another")


def _plain(text: str) -> str:
    """A value behind `=`: without its quotes, without a comment."""
    quoted = re.fullmatch(r"""(["'])(?P<value>.*?)\1\s*(?:[#;].*)?""", text)
    return quoted["value"] if quoted else re.split(r"\s[#;]", text)[0].strip()
