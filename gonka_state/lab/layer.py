"""The one file system layer that every lab image shares: a shell, curl and Python, cut from the base."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from typing import TYPE_CHECKING

from gonka_state.lab.shell import SBIN, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PROGRAMS = ("bash", "busybox", "curl", "nvidia-smi")
PYTHON_UNUSED = {
    "test", "tests", "idlelib", "lib2to3", "ensurepip", "distutils", "pydoc_data", "tkinter", "unittest",
    "turtledemo", "__pycache__", "venv", "xmlrpc", "curses", "dbm", "wsgiref",
}  # fmt: skip
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


def cut(rootfs: Path, target: Path) -> None:
    """Write the layer for the base system at `rootfs`."""
    binaries = [_program(rootfs, name) for name in PROGRAMS] + [_program(rootfs, "python3")]
    stdlib = rootfs / "usr/lib" / binaries[-1].name
    modules = [path for path in stdlib.rglob("*") if path.is_file() and _wanted(path.relative_to(stdlib))]
    linked = [*binaries, *(path for path in modules if path.suffix == ".so")]
    paths = {*binaries, *modules, *_libraries(rootfs, linked)}
    with (
        gzip.GzipFile(target, "wb", compresslevel=6, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name in (
            "usr",
            "usr/bin",
            "usr/sbin",
            "usr/lib",
            "usr/lib64",
            "etc",
            "root",
            "tmp",
            "var",
            "run",
        ):
            _add(tar, name, kind=tarfile.DIRTYPE)
        for name, place in LINKS.items():
            _add(tar, name, kind=tarfile.SYMTYPE, link=place)
        for path in sorted(paths):
            real = inside(rootfs, path)
            _add(tar, str(path.relative_to(rootfs)), real.read_bytes(), real.stat().st_mode & 0o777)
        for name, text in FILES.items():
            _add(tar, name, text.encode())
        _add(tar, "usr/bin/python3", kind=tarfile.SYMTYPE, link=binaries[-1].name)
        for name in _applets(rootfs):
            if (rootfs / "usr/bin" / name) not in paths:
                _add(tar, f"usr/bin/{name}", kind=tarfile.SYMTYPE, link="busybox")


def _program(rootfs: Path, name: str) -> Path:
    return inside(rootfs, rootfs / "usr/bin" / name)


def inside(rootfs: Path, path: Path) -> Path:
    """The real file behind a link, in the base and not on this machine: Ubuntu's loader is an absolute one."""
    while path.is_symlink():
        target = path.readlink()
        path = rootfs / target.relative_to("/") if target.is_absolute() else path.parent / target
    return path


def _wanted(path: Path) -> bool:
    parts = set(path.parts)
    return not parts & PYTHON_UNUSED and not path.parts[0].startswith("config-")


def _libraries(rootfs: Path, binaries: Iterable[Path]) -> Iterator[Path]:
    names = [f"/{path.relative_to(rootfs)}" for path in binaries if path.read_bytes()[:4] == b"\x7fELF"]
    listing = run(["env", "-i", f"PATH={SBIN}", "chroot", rootfs, "ldd", *names], check=False).stdout
    for found in sorted(set(re.findall(r"(/(?:usr/)?lib(?:64)?/\S+)", listing))):
        if not found.endswith(":"):
            yield rootfs / found.removeprefix("/usr").replace("/lib", "usr/lib", 1)


def _applets(rootfs: Path) -> list[str]:
    return sorted(set(run([rootfs / "usr/bin/busybox", "--list"]).stdout.split()) - {"busybox"})


def _add(tar: tarfile.TarFile, name: str, data: bytes = b"", mode: int = 0o644, **special: object) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size = mode, len(data)
    if special:
        entry.type, entry.mode = special["kind"], 0o755  # type: ignore[assignment]
        entry.linkname = str(special.get("link", ""))
    tar.addfile(entry, io.BytesIO(data))
