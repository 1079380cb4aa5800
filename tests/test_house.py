"""The house rules that no linter knows: every kind is whole, modules stay small, nothing names a package index."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from gonka_state.__main__ import CONNECTING
from gonka_state.cli import _COMMANDS
from gonka_state.facts.base import Fact
from gonka_state.operations.table import OPERATIONS
from gonka_state.registry import KINDS
from gonka_state.resources.base import Resource
from gonka_state.spec.load import load

ROOT = Path(__file__).parents[1]
MODULE_LINES, FUNCTION_LINES, USUAL_FUNCTION_LINES = 250, 40, 20

LONGER_MODULES: dict[str, tuple[int, str]] = {}
"""Modules that may be longer, up to a limit of their own, and why."""

# In pieces, so that this very file does not name them.
INDEXES = [f"{name}.{domain}" for name, domain in (
    ("py" + "pi", "org"), ("python" + "hosted", "org"), ("deb" + "ian", "org"), ("ubu" + "ntu", "com"), ("npm" + "js", "org"), ("npm" + "js", "com"),
)]  # fmt: skip


def tracked() -> list[Path]:
    """Files under version control, or every file where there is no git (an unpacked archive)."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return [
            path
            for path in ROOT.rglob("*")
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        ]
    names = os.fsdecode(done.stdout).split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


MODULES = sorted((ROOT / "gonka_state").rglob("*.py"))


def functions(path: Path) -> dict[str, int]:
    """Lines of every function of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1 for node in found
    }


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_a_model_a_fact_and_an_operation(name: str) -> None:
    kind = KINDS[name]

    assert kind.name == name
    assert issubclass(kind.resource, Resource)
    assert kind.resource.__module__.startswith("gonka_state.resources.")
    assert isinstance(kind.fact, Fact)
    assert type(kind.fact).__module__.startswith("gonka_state.facts.")
    assert (name in OPERATIONS) != kind.resource.human, (
        "what only a human closes has no operation, all else has one"
    )
    assert all(need.kind in KINDS for need in kind.needs)


def test_nothing_operates_on_a_kind_that_is_not_registered() -> None:
    assert set(OPERATIONS) <= set(KINDS)


@pytest.mark.parametrize("section", sorted({kind.fact.section for kind in KINDS.values()}))
def test_a_fact_can_be_used_alone(section: str) -> None:
    fact = next(kind.fact for kind in KINDS.values() if kind.fact.section == section)
    module = importlib.import_module(type(fact).__module__)

    assert module.FACT is fact
    assert "part " in fact.standalone()
    with pytest.raises(AttributeError, match="Nobody"):
        module.Nobody  # noqa: B018 (asking is the test)


def test_the_readme_speaks_of_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [name for name in _COMMANDS if not re.search(rf"`(gonka-state )?{name}\b", readme)] == []


def test_every_cluster_that_is_delivered_loads() -> None:
    models = {name: kind.resource for name, kind in KINDS.items()}

    clusters = load([ROOT / "desired"], overlays=(), models=models, env={})

    assert "cluster2" in {desired.cluster for desired in clusters}
    assert all(desired.hosts and desired.resources for desired in clusters)


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(ROOT)) for path in MODULES])
def test_a_module_says_what_it_is_and_stays_small(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    limit, _ = LONGER_MODULES.get(name, (MODULE_LINES, ""))
    text = path.read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(text)), "a module opens with a sentence about itself"
    assert len(text.splitlines()) <= limit
    assert {where: lines for where, lines in functions(path).items() if lines > FUNCTION_LINES} == {}


def test_a_module_that_became_small_needs_no_exception() -> None:
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in LONGER_MODULES}

    assert {name: length for name, length in lengths.items() if length <= MODULE_LINES} == {}


def test_nine_of_ten_functions_fit_in_twenty_lines() -> None:
    lengths = sorted(lines for path in MODULES for lines in functions(path).values())

    assert lengths[len(lengths) * 9 // 10] <= USUAL_FUNCTION_LINES


def test_no_package_index_is_named_anywhere() -> None:
    word = re.compile("|".join(map(re.escape, INDEXES)), re.IGNORECASE)

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if (match := word.search(path.read_text(encoding="utf-8", errors="replace")))
    ]

    assert found == []


def test_the_lock_has_a_digest_for_every_package_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE)

    assert packages
    assert len(re.findall(r"==[^\n]*\\\n +--hash=sha256:[0-9a-f]{64}", lock)) == len(packages)
    assert "://" not in lock


def test_commands_that_connect_are_patched_for_it() -> None:
    connecting = {
        path.stem
        for path in (ROOT / "gonka_state/cli").glob("*.py")
        if re.search(
            r"^(import gevent|from gonka_state\.cli\.looking import)|    from gonka_state\.cli\.looking import",
            path.read_text(),
            re.MULTILINE,
        )
    }

    assert connecting & set(_COMMANDS) <= CONNECTING
    assert {"verify", "diff", "drift"} <= connecting
