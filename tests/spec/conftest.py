"""The kinds that YAML can name, and a small cluster to break."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gonka_state.resources
from gonka_state.resources.base import Resource
from gonka_state.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.core.desired import Desired

ROOT = Path(__file__).parents[2]
PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
"""The generator of the curve: valid, and nobody's."""

SMALL = (Path(__file__).parent / "small.yaml").read_text()


@pytest.fixture(scope="session")
def models() -> dict[str, type[Resource]]:
    for module in pkgutil.iter_modules(gonka_state.resources.__path__):
        importlib.import_module(f"gonka_state.resources.{module.name}")
    ours = [kind for kind in Resource.__subclasses__() if kind.__module__.startswith("gonka_state.")]
    return {kind.kind: kind for kind in sorted(ours, key=lambda kind: kind.kind)}


@pytest.fixture
def read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: Mapping[str, type[Resource]]
) -> Callable[..., Desired[Resource]]:
    """Load texts as files of an empty directory, the first as cluster, those called overlay* on top."""
    monkeypatch.chdir(tmp_path)

    def one(env: Mapping[str, str] | None = None, **files: str) -> Desired[Resource]:
        for name, text in files.items():
            path = Path(name.replace("__", "/") + ("" if name.endswith("_j2") else ".yaml"))
            path = Path(str(path).replace("_j2", ".j2"))
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text)
        paths = [Path(f"{name.replace('__', '/')}.yaml") for name in files]
        overlays = [path for path in paths if path.name.startswith("overlay")]
        return load(paths[:1], overlays=overlays, models=models, env=env or {})[0]

    return one
