"""A lab from up to down: everything that is made is found again and removed, also after a crash."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab import base, cgroups, hosts, limits, network, overlay, processes, records, services
from gonka_state.lab.machine import probe
from gonka_state.lab.network import Network
from gonka_state.lab.paths import LabPaths, clusters, inotify_kept, locked, state_root
from gonka_state.lab.shell import run
from gonka_state.lab.spec import HostStatus, LabInfo, LabSpec, Plan, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        if LabPaths(spec.cluster).root.exists():
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
    records.Record(spec, plan, directory).write()
    limits.make_room(sum(len(record.spec.hosts) for record in records.every()), inotify_kept(), say)
    network.create(net, [host.name for host in spec.hosts])
    ref = services.start(spec, net, paths, directory)
    record = records.Record(spec, plan, directory, ref)
    say(f"registry, repository, model hub, packages and seed node answer on {plan.services}")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {spec.cluster}", "-f", paths.key])
    lines = [hosts.prepare(spec, plan, paths, host.name, record.rootfs) for host in spec.hosts]
    paths.known_hosts.write_text("".join(lines))
    for host in spec.hosts:
        hosts.power_on(spec, net, paths, host.name, record.rootfs)
    for host in spec.hosts:
        wait_ready(record.info, host.name)
        say(f"{host.name} is up at {record.info.hosts[host.name]}")
    overlay.write(spec, record.info, paths)
    record.write()
    say(f"{len(spec.hosts)} hosts ready in {time.monotonic() - started:.0f} s; overlay: {paths.overlay}")
    return record.info


def wait_ready(lab: LabInfo, host: str, patience: float = BOOT_SECONDS) -> None:
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
        if services.answers(lab.hosts[host], 22, left):
            done = run(
                [*lab.ssh(host), f"timeout {left:.0f} sh -c {ready!r}"], check=False, timeout=left + 10
            )
            if done.returncode == 0:
                return
            said = done.stderr.strip() or "Docker does not start"
            time.sleep(0.3)
    raise LabError(f"{host} did not become ready within {patience:.0f} s: {said}")


def down(cluster: str | None, *, say: Say) -> None:
    """Take a lab down (all labs for None) and leave nothing of it; safe at any time, any number of times."""
    for name in [cluster] if cluster else clusters():
        with _alone(name):
            known = LabPaths(name).root.exists()
            _clean(name)
            say(f"the lab of {name} is down" if known else f"there is no lab of {name}")


def _clean(cluster: str) -> None:
    """Remove what a lab of this name may have left, in whatever state it is."""
    paths = LabPaths(cluster)
    net = Network(
        cluster, Plan.parse("10.77.0.0/24")
    )  # only the names matter, and they follow from the cluster
    cgroups.kill(cluster)
    for pid_file in sorted(paths.pids.glob("*")):
        processes.stop(pid_file)
    cgroups.kill(cluster)  # what a supervisor started again in between
    for pid in network.members(net):  # whose pid file was lost: still ours, for the namespace is
        processes.end(pid)
    cgroups.remove(cluster)
    network.remove(net)
    if paths.root.exists():
        shutil.rmtree(paths.root)
    if not records.every():
        limits.put_back(inotify_kept())


def status() -> list[HostStatus]:
    """Every host of every lab, and how it is doing."""
    found = []
    for record in records.every():
        for name, address in record.info.hosts.items():
            pid = processes.remembered(hosts.pid_file(record.paths, name))
            alive = pid is not None and bool(cgroups.members(record.spec.cluster, name))
            found.append(
                HostStatus(
                    record.spec.cluster,
                    name,
                    address,
                    pid,
                    alive,
                    services.answers(address, services.SSH_PORT),
                )
            )
    return found


def info(cluster: str) -> LabInfo:
    """How to use a lab that was booted earlier.

    Raises:
        LabError: there is none of this name.
    """
    record = records.read(cluster)
    if record is None:
        raise LabError(f"there is no lab of {cluster}", hint="`gonka-state lab up` boots one")
    return record.info


def power_off(host: str, *, cluster: str | None = None) -> None:
    """Cut a host's power."""
    record = _find(host, cluster)
    hosts.power_off(record.spec.cluster, record.paths, host)


def power_on(host: str, *, cluster: str | None = None) -> None:
    """Boot a host that is off, on the disk it had, and wait until it is ready."""
    record = _find(host, cluster)
    if processes.remembered(hosts.pid_file(record.paths, host)) is None:
        cgroups.kill(record.spec.cluster, host)
        net = Network(record.spec.cluster, record.plan)
        hosts.power_on(record.spec, net, record.paths, host, record.rootfs)
    wait_ready(record.info, host)


def replace(host: str, *, cluster: str | None = None, say: Say) -> None:
    """Give a host a new, empty disk, as if another machine came in its place; it boots as bare as `up` left it.

    Its SSH host key is another one and is pinned for the lab, as `hosts trust --replace` does after a reinstallation.
    """
    record = _find(host, cluster)
    with _alone(record.spec.cluster):
        paths = record.paths
        hosts.power_off(record.spec.cluster, paths, host)
        shutil.rmtree(paths.host(host))
        line = hosts.prepare(record.spec, record.plan, paths, host, record.rootfs)
        pinned = paths.known_hosts.read_text().splitlines(keepends=True)
        others = [known for known in pinned if host not in known.split(" ", 1)[0].split(",")]
        paths.known_hosts.write_text("".join([*others, line]))
        net = Network(record.spec.cluster, record.plan)
        hosts.power_on(record.spec, net, paths, host, record.rootfs)
    wait_ready(record.info, host)
    say(f"{host} is up at {record.info.hosts[host]}, with an empty disk")


def cut(host: str, *, cluster: str | None = None) -> None:
    """Pull a host's network cable."""
    _cable(host, cluster, "down")


def mend(host: str, *, cluster: str | None = None) -> None:
    """Plug a host's network cable in again."""
    _cable(host, cluster, "up")


def _cable(host: str, cluster: str | None, state: str) -> None:
    record = _find(host, cluster)
    index = [item.name for item in record.spec.hosts].index(host)
    network.set_port(Network(record.spec.cluster, record.plan), index, state)


def _find(host: str, cluster: str | None) -> records.Record:
    for record in records.every():
        if cluster in {None, record.spec.cluster} and host in record.info.hosts:
            return record
    raise LabError(f"no lab has a host {host}", hint="`gonka-state lab status` lists them")


def _running(spec: LabSpec, plan: Plan) -> LabInfo | None:
    """The lab of this name if it runs whole; its remains are nobody's, another spec is an error."""
    record = records.read(spec.cluster)
    if record is None or not record.ref:
        return None
    paths = record.paths
    if not all(processes.remembered(services.pid_file(paths, name)) for name in services.NAMES):
        return None
    if not all(processes.remembered(hosts.pid_file(paths, host.name)) for host in record.spec.hosts):
        return None
    if (record.spec, record.plan) != (spec, plan):
        raise LabError(
            f"a lab of {spec.cluster} with other hosts, models, user or subnet is up",
            hint="`gonka-state lab down` takes it down",
        )
    return record.info


@contextmanager
def _alone(cluster: str) -> Iterator[None]:
    """Keep other commands off a lab while this one changes it."""
    path = state_root() / f"{cluster}.lock"
    with locked(path, f"another command on the lab of {cluster}"):
        try:
            yield
        finally:
            if not LabPaths(cluster).root.exists():
                path.unlink(missing_ok=True)
