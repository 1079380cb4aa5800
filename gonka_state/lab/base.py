"""The base system that every lab host is laid over: built once, then kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab import recipe, records
from gonka_state.lab.machine import codename
from gonka_state.lab.paths import STANDINS, cache_root, locked

if TYPE_CHECKING:
    from gonka_state.lab.spec import Say


def key() -> str:
    """A name for exactly this recipe: whatever changes it makes another base."""
    here = Path(__file__).parent
    parts = [
        here / "recipe.py",
        here / "layer.py",
        here / "packages.py",
        STANDINS / "tools.lock",
        STANDINS / "compose.lock",
        *sorted((STANDINS / "host").iterdir()),
    ]
    text = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in parts)
    return hashlib.sha256(f"{codename()}{text}".encode()).hexdigest()[:12]


def ensure(say: Say) -> Path:
    """Return the directory of the base (`rootfs/`, `packages/`, `layer.tar.gz`), building it when there is none."""
    cache, name = cache_root(), key()
    target = cache / f"base-{codename()[1]}-{name}"
    if target.is_dir():
        return target
    with locked(cache / "build.lock", "the build of the base system", waiting=say):
        if target.is_dir():  # built by whoever was waited for
            return target
        for leftover in cache.glob("*.part"):  # whoever held the lock before was killed
            shutil.rmtree(leftover, ignore_errors=True)
        part = Path(tempfile.mkdtemp(dir=cache, prefix=f"{target.name}.", suffix=".part"))
        try:
            part.chmod(0o755)
            recipe.build(part, cache / "packages", say)
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        _forget_old(cache, target)
    return target


def _forget_old(cache: Path, current: Path) -> None:
    """Remove bases of earlier recipes that no lab stands on, running or switched off."""
    recorded = {record.base for record in records.every()}
    for base in cache.glob("base-*"):
        if base != current and base not in recorded and base.suffix != ".part":
            with suppress(LabError), locked(base / "in-use", "a lab host"):
                shutil.rmtree(base, ignore_errors=True)
