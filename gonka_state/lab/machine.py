"""What this machine is: its release, its package mirror, and whether hosts can be made here."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path

from gonka_state.errors import LabError
from gonka_state.lab import cgroups
from gonka_state.lab.paths import state_root
from gonka_state.lab.shell import missing_programs, package_of, run

APT = Path("/etc/apt")
TRY = (
    'mount -t overlay overlay -o "lowerdir=$1/a,upperdir=$1/b,workdir=$1/c" "$1/d"'
    " && mount -t tmpfs tmpfs /tmp && ip link add glabprobe type veth peer name glabprobe2"
    " && ip link add glabprobe3 type bridge && iptables -w -S > /dev/null"
)


def probe() -> str | None:
    """Try what a lab needs; None when hosts can be made here, else why not in one sentence."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"lab hosts need Linux on x86_64, this is {platform.system()} on {platform.machine()}"
    if missing := missing_programs():
        return f"programs are missing: {', '.join(missing)} ({package_of(missing[0])} …)"
    try:
        state_root().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=state_root(), prefix=".probe-") as scratch:
            for name in "abcd":
                (Path(scratch) / name).mkdir()
            argv = [
                "unshare",
                "--mount",
                "--net",
                "--propagation",
                "private",
                "sh",
                "-ec",
                TRY,
                "sh",
                scratch,
            ]
            done = run(argv, check=False, timeout=30)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            return f"namespaces, mounts or links cannot be made here: {reason}"
        if not cgroups.hierarchies():
            return "no control groups are mounted here"
        cgroups.create("probe", "probe")
        cgroups.remove("probe")
    except (OSError, LabError) as error:
        return f"namespaces, mounts or control groups cannot be made here: {error}"
    return None


def release(os_release: str) -> dict[str, str]:
    """Parse /etc/os-release."""
    pairs = (
        line.split("=", 1) for line in os_release.splitlines() if "=" in line and not line.startswith("#")
    )
    return {key: value.strip().strip("\"'") for key, value in pairs}


def codename() -> tuple[str, str]:
    """This machine's distribution and release name.

    Raises:
        LabError: it is not Debian or Ubuntu.
    """
    facts = release(Path("/etc/os-release").read_text())
    name = facts.get("VERSION_CODENAME", "")
    if facts.get("ID") not in {"debian", "ubuntu"} or not name:
        raise LabError(
            "a lab's hosts are made from this machine's own release, which must be Debian or Ubuntu"
        )
    return facts["ID"], name


def _entries(text: str, *, deb822: bool) -> list[tuple[list[str], list[str], list[str]]]:
    """Read one file of apt sources as (addresses, suites, components) of each enabled binary entry."""
    found = []
    if deb822:
        for stanza in "\n".join(line for line in text.splitlines() if not line.startswith("#")).split("\n\n"):
            fields: dict[str, str] = {}
            last = ""
            for line in stanza.splitlines():
                if line[:1].isspace():
                    fields[last] = f"{fields.get(last, '')} {line.strip()}"
                elif ":" in line:
                    last, _, value = line.partition(":")
                    last = last.lower()
                    fields[last] = value.strip()
            if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
                keys = ("uris", "suites", "components")
                found.append(tuple(fields.get(key, "").split() for key in keys))
        return [(uris, suites, components) for uris, suites, components in found]
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    for line in lines:
        words = line.split()
        if words[:1] != ["deb"]:
            continue
        if words[1:2] and words[1].startswith("["):
            closing = next(i for i, word in enumerate(words) if word.endswith("]"))
            words = [words[0], *words[closing + 1 :]]
        found.append((words[1:2], words[2:3], words[3:]))
    return [(uris, suites, components) for uris, suites, components in found]


def mirror(release_name: str, apt: Path = APT) -> tuple[str, tuple[str, ...]]:
    """The address and components of the entry that carries the base system of `release_name`.

    Third-party entries name other suites or lack the base system's component, and are passed over.

    Raises:
        LabError: no entry does.
    """
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for path in files:
        if path.suffix not in {".list", ".sources"} or not path.is_file():
            continue
        for uris, suites, components in _entries(path.read_text(), deb822=path.suffix == ".sources"):
            usable = [uri for uri in uris if uri.startswith(("http://", "https://", "file:"))]
            if release_name in suites and "main" in components and usable:
                wanted = tuple(name for name in ("main", "universe") if name in components)
                return usable[0], wanted
    raise LabError(f"apt on this machine knows no source for {release_name}", hint=f"looked in {apt}")
