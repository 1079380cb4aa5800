"""A lab from up to down: everything that is made is found again and removed, also after a crash."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

from gonka_state.errors import LabError
from gonka_state.lab import base, cgroups, hosts, network, overlay, processes, repository, services
from gonka_state.lab.machine import probe
from gonka_state.lab.network import Network
from gonka_state.lab.paths import LabPaths, clusters, locked, state_root
from gonka_state.lab.shell import run
from gonka_state.lab.spec import FIRST_HOST, HostStatus, LabHost, LabInfo, LabSpec, Plan, Say

BOOT_SECONDS = 90.0


def up(spec: LabSpec, *, subnet: str = "10.77.0.0/24", say: Say) -> LabInfo:
    """Boot the lab of `spec` and return how to use it; a running one of the same spec is kept.

    Raises:
        LabError: hosts cannot be made here, the subnet is in use, or another lab of this name runs.
    """
    plan = Plan.parse(subnet)
    with _alone(spec.cluster):
        if running := _running(spec, plan):
            say(f"the lab of {spec.cluster} is up already")
            return running
        if reason := probe():
            raise LabError(f"a lab cannot be made here: {reason}")
        remains = LabPaths(spec.cluster).root.exists()
        if remains:
            say(f"clearing away what an earlier lab of {spec.cluster} left")
        _clean(spec.cluster)
        network.refuse_overlap(plan)
        try:
            return _boot(spec, plan, say)
        except BaseException:
            _clean(spec.cluster)
            raise


def _boot(spec: LabSpec, plan: Plan, say: Say) -> LabInfo:
    started = time.monotonic()
    paths, net = LabPaths(spec.cluster), Network(spec.cluster, plan)
    paths.root.mkdir(parents=True, mode=0o700)
    directory = base.ensure(say)
    _record(spec, plan, directory, "")
    network.create(net, [host.name for host in spec.hosts])
    ref = services.start(spec, net, paths, directory)
    _record(spec, plan, directory, ref)
    say(f"registry, repository and model hub answer on {plan.services}")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {spec.cluster}", "-f", paths.key])
    lines = [hosts.prepare(spec, plan, paths, host.name, directory / "rootfs") for host in spec.hosts]
    paths.known_hosts.write_text("".join(lines))
    for host in spec.hosts:
        hosts.power_on(spec, net, paths, host.name, directory / "rootfs")
    info = _info(spec, plan, ref)
    overlay.write(spec, info, paths)
    for host in spec.hosts:
        wait_ready(info, host.name)
        say(f"{host.name} is up at {info.hosts[host.name]}")
    say(f"{len(spec.hosts)} hosts ready in {time.monotonic() - started:.0f} s; overlay: {info.overlay}")
    return info


def wait_ready(info: LabInfo, host: str, patience: float = BOOT_SECONDS) -> None:
    """Wait until a host lets the login user in and Docker runs.

    Raises:
        LabError: it did not within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    ready = (
        "until systemctl -q is-active docker && sudo -n docker version >/dev/null 2>&1; do sleep 0.3; done"
    )
    said = "sshd does not answer"
    while (left := deadline - time.monotonic()) > 0:
        if services.answers(info.hosts[host], 22, left):
            done = run(
                [*info.ssh(host), f"timeout {left:.0f} sh -c {ready!r}"], check=False, timeout=left + 10
            )
            if done.returncode == 0:
                return
            said = done.stderr.strip() or "Docker does not start"
            time.sleep(0.3)
    raise LabError(f"{host} did not become ready within {patience:.0f} s: {said}")


def down(cluster: str | None, *, say: Say) -> None:
    """Take a lab down (all labs for None) and leave nothing of it; safe at any time, any number of times."""
    names = [cluster] if cluster else clusters()
    for name in names:
        with _alone(name):
            known = LabPaths(name).root.exists()
            _clean(name)
            say(f"the lab of {name} is down" if known else f"there is no lab of {name}")
        lock_file(name).unlink(missing_ok=True)


def _clean(cluster: str) -> None:
    """Remove what a lab of this name may have left, in whatever state it is."""
    paths, net = LabPaths(cluster), Network(cluster, Plan.parse("10.77.0.0/24"))
    found = sorted(paths.pids.glob("*")) if paths.pids.is_dir() else []
    cgroups.kill(cluster)
    for pid_file in found:
        processes.stop(pid_file)
    cgroups.kill(cluster)
    for pid in network.members(net):  # whose pid file was lost: still ours, for the namespace is
        processes.end(pid)
    cgroups.remove(cluster)
    network.remove(net)
    if paths.root.exists():
        shutil.rmtree(paths.root)


def status() -> list[HostStatus]:
    """Every host of every lab, and how it is doing."""
    found = []
    for cluster in clusters():
        record = _read(cluster)
        if record is None:
            continue
        info, paths = _info(*record), LabPaths(cluster)
        for name, address in info.hosts.items():
            pid = processes.remembered(hosts.pid_file(paths, name))
            answers = services.answers(address, 22)
            found.append(
                HostStatus(cluster, name, address, pid, bool(pid and cgroups.members(cluster, name)), answers)
            )
    return found


def info(cluster: str) -> LabInfo:
    """How to use a lab that was booted earlier.

    Raises:
        LabError: there is none of this name.
    """
    record = _read(cluster)
    if record is None:
        raise LabError(f"there is no lab of {cluster}", hint="gonka-state lab up boots one")
    return _info(*record)


def power_off(host: str, *, cluster: str | None = None) -> None:
    """Cut a host's power."""
    spec, _ = _find(host, cluster)
    hosts.power_off(spec.cluster, LabPaths(spec.cluster), host)


def power_on(host: str, *, cluster: str | None = None) -> None:
    """Boot a host that is off, on the disk it had, and wait until it is ready."""
    spec, plan = _find(host, cluster)
    paths = LabPaths(spec.cluster)
    if processes.remembered(hosts.pid_file(paths, host)) is None:
        rootfs = Path(json.loads(paths.record.read_text())["base"]) / "rootfs"
        cgroups.kill(spec.cluster, host)
        hosts.power_on(spec, Network(spec.cluster, plan), paths, host, rootfs)
    wait_ready(info(spec.cluster), host)


def cut(host: str, *, cluster: str | None = None) -> None:
    """Pull a host's network cable."""
    _cable(host, cluster, "down")


def mend(host: str, *, cluster: str | None = None) -> None:
    """Plug a host's network cable in again."""
    _cable(host, cluster, "up")


def _cable(host: str, cluster: str | None, state: str) -> None:
    spec, plan = _find(host, cluster)
    network.set_port(Network(spec.cluster, plan), [item.name for item in spec.hosts].index(host), state)


def _find(host: str, cluster: str | None) -> tuple[LabSpec, Plan]:
    records = [record for name in ([cluster] if cluster else clusters()) if (record := _read(name))]
    for spec, plan, _ref in records:
        if host in {item.name for item in spec.hosts}:
            return spec, plan
    raise LabError(f"no lab has a host {host}")


def _running(spec: LabSpec, plan: Plan) -> LabInfo | None:
    """The lab of this name if it runs whole; its remains are nobody's, another spec is an error."""
    record = _read(spec.cluster)
    if record is None or not record[2]:
        return None
    paths = LabPaths(spec.cluster)
    needed = [services.pid_file(paths, name) for name in services.NAMES]
    if not paths.overlay.exists() or not all(processes.remembered(path) for path in needed):
        return None
    if record[:2] != (spec, plan):
        raise LabError(
            f"a lab of {spec.cluster} with other hosts, models or subnet is up",
            hint=f"take it down first: {Path(sys.argv[0]).name} lab down {spec.cluster}",
        )
    alive = [processes.remembered(hosts.pid_file(paths, host.name)) for host in spec.hosts]
    return _info(*record) if all(alive) else None


def _info(spec: LabSpec, plan: Plan, ref: str) -> LabInfo:
    paths = LabPaths(spec.cluster)
    return LabInfo(
        cluster=spec.cluster,
        overlay=paths.overlay,
        hosts={host.name: plan.v4(FIRST_HOST + index) for index, host in enumerate(spec.hosts)},
        key=paths.key,
        known_hosts=paths.known_hosts,
        user=spec.user,
        hub_url=f"http://{plan.services}:{services.HUB_PORT}",
        git_url=f"http://{plan.services}:{services.GIT_PORT}/{repository.NAME}",
        git_ref=ref,
        hub_control=paths.hub_control,
    )


def _record(spec: LabSpec, plan: Plan, directory: Path, ref: str) -> None:
    value = {**asdict(spec), "models": dict(spec.models), "subnet": str(plan.subnet)}
    overlay.private(LabPaths(spec.cluster).record, json.dumps({**value, "base": str(directory), "ref": ref}))


def _read(cluster: str) -> tuple[LabSpec, Plan, str] | None:
    try:
        value = json.loads(LabPaths(cluster).record.read_text())
        members = tuple(LabHost(**host) for host in value["hosts"])
        spec = LabSpec(value["cluster"], value["user"], members, value["models"])
        return spec, Plan.parse(value["subnet"]), value["ref"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def lock_file(cluster: str) -> Path:
    """What up and down hold while they work."""
    return state_root() / f"{cluster}.lock"


def _alone(cluster: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return locked(lock_file(cluster), f"another command on the lab of {cluster}")
