"""Running containers in the words of a cluster file: how they were made, and who should reach their ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gonka_state.spec.host_words import NETWORK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.adoption import Attempt, Found, Made

MLNODE = "mlnode"
# Gonka's own services (gonka-contract 5.2); containers of others stay unmanaged.
_KNOWN: Mapping[str, Mapping[str, Any]] = {
    "tmkms": {"image_follows": False, "phase": 3},
    "node": {"image_follows": False, "phase": 3, "needs": ["tmkms"]},
    "api": {"admin": True, "image_follows": False, "needs": ["node"]},
    "proxy": {"needs": ["api"]},
    "proxy-ssl": {"needs": ["api"]},
    "explorer": {},
    "bridge": {"needs": ["api"]},
    "versiond": {"needs": ["api"]},
    "inference": {"phase": 5},
}
# Who may reach what a container listens on (gonka-contract 5.5); what is public is left as it is.
_NOBODY = {"9200/tcp", "26657/tcp"}
_CALLBACK = "9100/tcp"
_ML_PORTS = {"5000/tcp", "8080/tcp"}
DOCKERS = "172.16.0.0/12"
"""Where Docker takes its networks from: a host's own containers."""


@dataclass(slots=True)
class Projects:
    """A host's projects: `words` as under `services`, `raw` what these cannot say, `env_file` in use."""

    words: dict[str, dict[str, Any]] = field(default_factory=dict)
    raw: list[dict[str, Any]] = field(default_factory=list)
    env_file: str = ""
    notes: list[str] = field(default_factory=list)


def projects(host: Found) -> Projects:
    """Every project with a service of Gonka's that runs."""
    made = Projects()
    ours = [one for one in host.containers if one.status == "running" and _known(one.service) is not None]
    for directory, project in sorted({(one.directory, one.project) for one in ours}):
        mine = [one for one in ours if (one.directory, one.project) == (directory, project)]
        tries = [one for one in host.attempts if (one.directory, one.project) == (directory, project)]
        _project(made, mine, tries, plain=directory not in made.words)
    return made


def _known(service: str) -> Mapping[str, Any] | None:
    return {"models": True, "phase": 5} if service.startswith(MLNODE) else _KNOWN.get(service)


def _project(made: Projects, mine: Sequence[Made], tries: Sequence[Attempt], *, plain: bool) -> None:
    """The way that explains most containers is the project's; others keep their own."""
    if not any(one.hashes for one in tries):
        made.notes.append(
            f"{mine[0].directory}: its compose files are gone; its containers are left unmanaged"
        )
        return
    best = max(tries, key=lambda one: (_explains(one, mine), len(one.hashes), bool(one.env_file)))
    made.env_file = made.env_file or best.env_file
    services: dict[str, Any] = {}
    names = {one.service for one in mine}
    for one in mine:
        exact = [other for other in (best, *tries) if other.hashes.get(one.service) == one.hash]
        way = exact[0] if exact else best
        if not exact:
            made.notes.append(f"{one.name}: no files and variables of today give its configuration")
        words = dict(_known(one.service) or {})
        needs = [f"compose-service:{name}" for name in words.pop("needs", ()) if name in names]
        words |= {"needs": needs} if needs else {}
        if way is best and plain:
            services[one.service] = words
        else:
            made.raw.append(_raw(one, way, words))
    if services:
        made.words[best.directory] = _way(best) | {"services": dict(sorted(services.items(), key=_rank))}


def _rank(item: tuple[str, Any]) -> tuple[int, str]:
    names = list(_KNOWN)
    return (names.index(item[0]) if item[0] in names else names.index("inference"), item[0])


def _explains(one: Attempt, mine: Sequence[Made]) -> int:
    return sum(one.hashes.get(item.service) == item.hash for item in mine)


def _way(one: Attempt) -> dict[str, Any]:
    def shown(path: str) -> str:
        inside = PurePosixPath(path)
        return str(inside.relative_to(one.directory)) if inside.is_relative_to(one.directory) else path

    words: dict[str, Any] = {"files": [shown(path) for path in one.files], "project": one.project}
    return words | ({"env_file": shown(one.env_file)} if one.env_file else {})


def _raw(one: Made, way: Attempt, words: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in words.items() if name not in {"models", "admin"}}
    known |= {"serves_models": True} if words.get("models") else {}
    return {"kind": "compose-service", "name": one.service, "directory": way.directory, **_way(way), **known}


def container_ports(host: Found, role: str, *, ml: bool) -> dict[str, Any]:
    """Who should reach the ports that Gonka's containers publish to more than this host."""
    wishes: dict[str, Any] = {}
    for one in host.containers:
        if one.status != "running" or _known(one.service) is None:
            continue
        for inner, bindings in one.ports.items():
            wish = _wish(one.service, inner, role, ml=ml)
            outer = {bound["HostPort"] for bound in bindings or () if not _loopback(bound["HostIp"])}
            wishes |= {f"{port}/{inner.partition('/')[2]}": wish for port in outer if wish}
    return dict(sorted(wishes.items(), key=lambda item: int(item[0].partition("/")[0])))


def _loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _wish(service: str, inner: str, role: str, *, ml: bool) -> Any:  # noqa: ANN401  (sources, as in YAML)
    if inner in _NOBODY:
        return "nobody"
    if inner == _CALLBACK and service == "api":
        return ["ml", DOCKERS] if ml else [DOCKERS]
    if inner in _ML_PORTS and (service == "inference" or service.startswith(MLNODE)):
        return [DOCKERS] if role == NETWORK else "network"
    return None
