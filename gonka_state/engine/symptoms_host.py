"""What is asked of every host: the way to it, its Docker, its containers, its cards, its disks, its models, its ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.diagnosis import Finding, clear, found, unknown
from gonka_state.core.units import DAY, human_age, human_bytes
from gonka_state.engine.case import again, differs, ending, in_attributes, missing, times
from gonka_state.engine.told import advice, listed, reasons, unseen
from gonka_state.facts.base import quote
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.model import ModelResource
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from gonka_state.engine.case import Case

FULL = 0.9
"""The part of a file system that may be taken."""

OLD = 7 * DAY
"""Seconds after which an upgrade has proven itself, and the data it kept may go."""

LARGE = 200 * 10**9
"""Bytes of an application database that prunes nothing; with pruning about 100 GB (gonka-contract 10)."""

SHARE = 0.5
"""The part of the memory that one container of the network host may use."""

_CARDS = {"gpus", "gpu-model", "cuda", "nvidia-runtime", "container-toolkit"}


def connection(case: Case) -> Finding:
    """Whether the host answers the look at all."""
    if not case.look.unknown:
        return clear(f"looked in {case.look.seconds:.1f} s")
    login = case.login
    words = [
        "ssh",
        "-v",
        "-i",
        login.key,
        "-o",
        f"UserKnownHostsFile={login.known_hosts}",
        "-p",
        str(login.port),
    ]
    words += (
        ["-J", ",".join(f"{hop.user}@{hop.address}:{hop.port}" for hop in login.via)] if login.via else []
    )
    command = quote(*words, f"{login.user}@{login.address}")
    return found(case.look.unknown, "\n".join(filter(None, [case.look.hint, command])))


def docker(case: Case) -> Finding | None:
    """Whether the engine answers, and what its journal says where it does not."""
    crashes = case.extra.crashes
    if crashes is None or isinstance(crashes, str):
        return None if crashes is None else unknown(crashes)
    if not crashes.problem:
        return clear("the engine answers")
    said = "; ".join(times(texts) for texts in crashes.daemon.values())
    fix = "on this host:\njournalctl -u docker -n 50\nsystemctl start docker"
    return found("; ".join(filter(None, [crashes.problem, said])), fix)


_RUNS = in_attributes("running", "healthy")


def containers(case: Case) -> Finding | None:
    """Containers that are declared and do not run, or are not healthy; with how they ended, and who ends all the time."""
    mine = [change for _, change in case.all(ComposeServiceResource)]
    hurts = [change for change in mine if change.pending and (missing(change) or _RUNS(change))]
    names = {change.address.name for change in hurts}
    # Between two of its ends a look finds a container well, or cannot ask it: neither says that nothing is wrong.
    ended = [
        (one.service, text)
        for one in case.containers()
        if (text := (ending(one) if one.service in names else "") or again(one))
    ]
    if hurts or ended:
        services = sorted({*names, *(name for name, _ in ended if name)})
        logs = [f"gonka-state logs {case.host} {name} --path {case.desired.file}" for name in services]
        closing = [advice(hurts, case.desired, case.host)] if hurts else []
        told = [*([listed(hurts)] if hurts else []), *(text for _, text in ended)]
        return found("; ".join(told), "\n".join([*logs, *closing]))
    dark = unseen(mine)
    if dark:
        return unknown(*reasons(dark))
    return clear(f"{len(mine)} run") if mine else None


def memory(case: Case) -> Finding | None:
    """Containers and processes that were killed because memory ran out; a container that uses half of all."""
    crashes, kernel = case.extra.crashes, case.extra.kernel
    told = [f"{one.name} was killed for memory" for one in case.containers() if one.killed_for_memory]
    told += [
        f"{one.name} uses {one.memory}, {one.share:.0%}" for one in case.containers() if one.share >= SHARE
    ]
    if kernel is not None and not isinstance(kernel, str) and "killed" in kernel.said:
        told.append(f"the kernel, in the last day: {times(kernel.said['killed'])}")
    if told:
        return found("; ".join(told), "on this host:\ndocker stats --no-stream\nfree -h")
    if isinstance(crashes, str):
        return unknown(crashes)
    return clear() if crashes is not None and not crashes.problem else None


def gpu_errors(case: Case) -> Finding | None:
    """What the kernel says of the cards. Xid numbers: NVIDIA's table; 79 is a card that fell off the bus."""
    kernel = case.extra.kernel
    if kernel is None or not _has_cards(case):
        return None
    if isinstance(kernel, str):
        return unknown(kernel)
    said = [times(kernel.said[name]) for name in ("xid", "gpu-lost", "driver") if name in kernel.said]
    if said:
        fix = (
            "in a safe phase (gonka-state diff tells it), on this host:\n"
            "nvidia-smi -q | grep -i -A 3 -e retired -e remapped\n"
            "systemctl reboot\n"
            "the same card again: have it replaced"
        )
        return found("; ".join(said), fix)
    return None if kernel.inside else clear("nothing in the last day")


def gpus(case: Case) -> Finding | None:
    """Cards, driver and container runtime as required; cards inside the containers; Docker's word about them."""
    mine = [change for resource, change in case.all(RequirementResource) if resource.topic in _CARDS]
    inside = [change for resource, change in case.all(ComposeServiceResource) if resource.gpus is not None]
    if not (mine or inside):
        return None
    hurts = [change for change in mine if change.pending]
    hurts += [change for change in inside if change.pending and in_attributes("gpus")(change)]
    said = [
        (one, one.said["gpu-runtime"]) for one in case.containers() if one.said and "gpu-runtime" in one.said
    ]
    told = [*([listed(hurts)] if hurts else []), *(f"{one.name}: {times(texts)}" for one, texts in said)]
    if told:
        fix = [advice(hurts, case.desired, case.host), "on this host:", "nvidia-smi", "nvidia-ctk --version"]
        return found("; ".join(told), "\n".join(filter(None, fix)))
    dark = unseen(mine)
    return unknown(*reasons(dark)) if dark else clear()


def _has_cards(case: Case) -> bool:
    return any(resource.gpus is not None for resource, _ in case.all(ComposeServiceResource)) or any(
        resource.topic == "gpus" for resource, _ in case.all(RequirementResource)
    )


def disk_space(case: Case) -> Finding | None:
    """File systems that are nearly full, programs and a Docker that found no room, the requirement of free bytes."""
    disk, crashes = case.extra.disk, case.extra.crashes
    if disk is None or isinstance(disk, str):
        return None if disk is None else unknown(disk)
    told = [
        f"{system.mount} is {system.full:.0%} full, {human_bytes(system.free)} free"
        for system in disk.file_systems
        if system.full >= FULL
    ]
    told += [f"{one.name} found no room" for one in case.containers() if one.said and "disk-full" in one.said]
    if crashes is not None and not isinstance(crashes, str) and "disk-full" in crashes.daemon:
        told.append("Docker found no room")
    needs = [c for r, c in case.all(RequirementResource) if r.topic == "disk" and c.pending]
    told += [listed(needs)] if needs else []
    if not told:
        return clear(", ".join(f"{system.mount} {system.full:.0%}" for system in disk.file_systems))
    logs = f"Docker's logs take {human_bytes(disk.logs)}" if disk.logs > 10**9 else ""
    fix = ["on this host:", "du -xh --max-depth=2 / | sort -h | tail -n 20", logs]
    return found("; ".join(told), "\n".join(filter(None, fix)))


def disk_errors(case: Case) -> Finding | None:
    """What the kernel says of the disks."""
    kernel = case.extra.kernel
    if kernel is None or isinstance(kernel, str):
        return None if kernel is None else unknown(kernel)
    if "disk" in kernel.said:
        return found(
            times(kernel.said["disk"]), "on this host:\njournalctl -k --since -24h | grep -i error\ndmesg -T"
        )
    return None if kernel.inside else clear("nothing in the last day")


def backups(case: Case) -> Finding | None:
    """Copies of the chain's data that an upgrade left behind longer than a week ago."""
    disk = case.extra.disk
    if disk is None or isinstance(disk, str):
        return None if disk is None else unknown(disk)
    old = [one for one in disk.backups if one.age >= OLD]
    if not old:
        return clear(f"{len(disk.backups)}, none older than {human_age(OLD)}" if disk.backups else "")
    told = [f"{one.path}, {human_bytes(one.size)}, {human_age(one.age)} old" for one in old]
    fix = ["nothing of ours removes them. Once the upgrade has proven itself, on this host:"]
    return found("; ".join(told), "\n".join([*fix, *(quote("rm", "-r", one.path) for one in old)]))


def database(case: Case) -> Finding | None:
    """An application database that grows without end."""
    disk = case.extra.disk
    if disk is None or isinstance(disk, str) or not disk.databases:
        return unknown(disk) if isinstance(disk, str) else None
    large = [one for one in disk.databases if one.size > LARGE]
    if not large:
        return clear(", ".join(human_bytes(one.size) for one in disk.databases))
    fix = (
        "in .inference/config/app.toml, then restart node in a safe phase:\n"
        'pruning = "custom", pruning-keep-recent = "20000", pruning-interval = "512"'
    )
    return found("; ".join(f"{one.path}, {human_bytes(one.size)}" for one in large), fix)


def unfinished(case: Case) -> Finding | None:
    """Files of downloads that were killed: the client never goes on with them."""
    if not case.all(ModelResource):
        return None
    left = [
        f"{item.name.removesuffix(' (unfinished)')}: {item.detail}"
        for item in case.compared.plan.unmanaged
        if item.host == case.host and item.kind == "model" and item.name.endswith(" (unfinished)")
    ]
    return (
        found("; ".join(left), "the next download of the model removes them:\n" + case.command("model"))
        if left
        else clear()
    )


models = differs("model")
ways_out = differs("requirement", only=lambda resource: resource.topic == "reach")
ports = differs("exposure", "firewall", "firewall-rule", "container-port")
