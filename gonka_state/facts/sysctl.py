"""Kernel parameters: what they are now, and what the host's files make of them at the next boot."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Absent, Observation, Present, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.sysctl import SysctlResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

# systemd-sysctl reads by the name of the file, whatever directory it is in; of two with one name the first
# directory's counts (sysctl.d(5)). ufw loads its own file when it starts, which is later.
_FUNCTIONS = r"""
now() { if [ -e "/proc/sys/$1" ]; then cat "/proc/sys/$1"; else echo absent; fi; }
shown() {
  for file; do
    [ -f "$file" ] || continue
    printf 'F %s\n' "$file"
    sed -n 's/^[[:space:]]*\([^#;[:space:]].*\)$/L \1/p' "$file" || return 1
  done
}
files() {
  for place in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
    for file in "$place"/*.conf; do [ ! -e "$file" ] || printf '%s %s\n' "${file##*/}" "$file"; done
  done | sort -s -u -k1,1 | while IFS= read -r line; do shown "${line#* }" || exit 1; done
}
ufw_file() {
  grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf || return 0
  shown "$(sed -n 's/^IPT_SYSCTL=//p' /etc/default/ufw | tail -n 1)"
}
"""
_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Setting:
    """One assignment of a file: the parameter's path (or a pattern of paths), its value, and the file."""

    path: str
    value: str
    file: str


@dataclass(frozen=True, slots=True)
class SysctlState:
    """`now` maps names to values, None where the kernel has no such parameter; `settings` are in boot's order."""

    now: Mapping[str, str | None]
    settings: tuple[Setting, ...]

    def at_boot(self, path: str) -> Setting | None:
        """What boot sets: the last that names the parameter itself, else the last pattern."""
        named = [setting for setting in self.settings if setting.path == path]
        depth = path.count("/")
        matching = [
            setting
            for setting in self.settings
            if setting.path.count("/") == depth and fnmatchcase(path, setting.path)
        ]
        return next(reversed(named or matching), None)


class SysctlFact(Fact[SysctlState]):
    """The parameters that are declared; `name=` when used alone."""

    section: ClassVar[str] = "sysctl"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """Each parameter, then all files once."""
        wishes = [resource for resource in wanted if isinstance(resource, SysctlResource)]
        now = [quote("part", f"now {wish.name}", "now", wish.path) for wish in wishes]
        return _FUNCTIONS + "\n".join([*now, "part files files", "part ufw ufw_file"]) + "\n"

    def standalone(self, **arguments: object) -> str:
        """`name=net.core.somaxconn,vm.swappiness`: the parameters to look at."""
        names = str(arguments.pop("name", "net.core.somaxconn")).split(",")
        if arguments:
            raise FactError(f"{self.section} takes name=")
        return self.script([SysctlResource(name=name, value="0") for name in names], Look())

    def parse(self, text: str) -> SysctlState:
        """Understand the section."""
        parts = split_parts(text)
        now = {name: _spaced(parts.need(f"now {name}").text) for name in parts.about("now")}
        lines = [*parts.need("files").lines, *parts.need("ufw").lines]
        return SysctlState(
            {name: None if value == _ABSENT else value for name, value in now.items()},
            tuple(_settings(lines)),
        )


def _spaced(value: str) -> str:
    return " ".join(value.split())


def _settings(lines: Iterable[str]) -> Iterable[Setting]:
    file = ""
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "F":
            file = rest
            continue
        name, equals, value = rest.partition("=")
        if equals:
            yield Setting(_path(name.strip().removeprefix("-").strip()), _spaced(value), file)


def _path(name: str) -> str:
    """A parameter as a path: whichever of `.` and `/` comes first is what separates."""
    first = next((character for character in name if character in "./"), ".")
    return name if first == "/" else name.translate(str.maketrans("./", "/."))


def observe_sysctl(state: SysctlState, resource: SysctlResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """The value now, and whether a boot keeps it."""
    if resource.name not in state.now:
        return not_looked_at(resource.name)
    now, boot = state.now[resource.name], state.at_boot(resource.path)
    if now is None:
        return Absent(
            human="this kernel has no such parameter: correct the name, or load the module that brings it"
        )
    kept = boot is not None and boot.value == resource.value
    ours = any(setting.file == resource.file for setting in state.settings)
    later = boot is not None and not kept and _comes_after(boot.file, resource.file)
    by_hand = f"correct it in {boot.file}, which is read after {resource.file}" if boot and later else ""
    return Present(
        {"value": now, "persistent": kept},
        {"ours": ours},
        reason="" if kept else "; ".join(filter(None, [_why(boot), by_hand])),
        human=by_hand,
    )


def _why(boot: Setting | None) -> str:
    return f"{boot.file} makes it {boot.value} at boot" if boot else "no file sets it at boot"


def _comes_after(file: str, ours: str) -> bool:
    """Ufw's own file is read after all; the others in the order of their names."""
    return "/sysctl.d/" not in file or file.rpartition("/")[2] > ours.rpartition("/")[2]


FACT = SysctlFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("KernelParameters", FACT, name)
