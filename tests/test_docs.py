"""What the documents promise: their YAML loads, and the words, commands, options and messages they name exist."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

import click
import pytest

from gonka_state.cli import group
from gonka_state.core.report import ExitStatus
from gonka_state.registry import KINDS
from gonka_state.spec.load import load
from gonka_state.spec.schema import schema

ROOT = Path(__file__).parents[1]
DOCS = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if path.is_file()]
MODELS = {name: kind.resource for name, kind in KINDS.items()}
FENCE = re.compile(r"^```(?P<info>.*)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)


def _blocks(info: str) -> list[str]:
    return [
        found["text"] for path in DOCS for found in FENCE.finditer(path.read_text()) if found["info"] == info
    ]


def _command(words: list[str]) -> tuple[click.Command, set[str]]:
    """The command that a line of words calls, and every option it takes."""
    command: click.Command = group
    options = {"--help", "--version"}
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"there is no command {word!r}"
        command = found
    return command, options | {flag for item in command.params for flag in item.opts}


@cache
def _every_option() -> set[str]:
    names = [[name] for name in group.list_commands(click.Context(group))] + [
        ["lab", "up"],
        ["lab", "down"],
        ["hosts", "trust"],
        ["hosts", "check"],
        ["schedule", "install"],
        ["backup", "list"],
        ["backup", "restore"],
    ]
    found = {option for name in names for option in _command(name)[1]}
    scripts = "".join(path.read_text() for path in (ROOT / "scripts").iterdir() if path.is_file())
    return found | set(re.findall(r"--[a-z-]+", scripts))


def _load(path: Path, *overlays: Path) -> int:
    found = load([path], overlays=overlays, models=MODELS, env={}, resolve_commands=False)
    return sum(len(one.resources) for one in found)


def test_complete_cluster_files_of_the_documents_load(tmp_path: Path) -> None:
    complete = _blocks("yaml complete")
    assert complete
    for number, text in enumerate(complete):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        assert _load(file)


@pytest.mark.parametrize("text", _blocks("yaml overlay"))
def test_overlays_of_the_documents_load_and_change_something(text: str, tmp_path: Path) -> None:
    below, above = tmp_path / "cluster.yaml", tmp_path / "overlay.yaml"
    below.write_text(_blocks("yaml complete")[0])
    above.write_text(f"cluster: example\n{text}")
    wishes = [
        load([below], overlays=overlays, models=MODELS, env={}, resolve_commands=False)[0]
        for overlays in ([], [above])
    ]
    bare = [
        replace(wish, resources={a: replace(d, source=None) for a, d in wish.resources.items()}, file="")
        for wish in wishes
    ]
    assert bare[0] != bare[1]


def test_every_word_of_a_cluster_file_is_described() -> None:
    text = (ROOT / "docs/cluster-file.md").read_text()
    described = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`[^`\n]+`", text))))
    definitions = schema(MODELS)
    kinds = {model.__name__ for model in MODELS.values()}
    words = set(definitions["properties"])
    for name, definition in definitions["$defs"].items():
        words |= set() if name in kinds else set(definition.get("properties", ()))
    assert words - described == set()


def test_every_kind_has_its_section() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs/kinds.md").read_text(), re.MULTILINE)
    assert [name for name in headings if name in KINDS] == list(KINDS)


def test_facts_that_are_named_exist() -> None:
    text = (ROOT / "docs/kinds.md").read_text()
    named = set(re.findall(r"gonka_state\.facts\.(\w+)\.([A-Z]\w+)", text))
    assert {module for module, _ in named} == {
        kind.fact.__module__.rpartition(".")[2] for kind in KINDS.values()
    }
    for module, name in named:
        assert isinstance(getattr(import_module(f"gonka_state.facts.{module}"), name), type)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_commands_and_options_exist(path: Path) -> None:
    text = path.read_text()
    for line in re.findall(r"(?:^ {4}|`|\s)gonka-state +([^`\n#|]+)", text):
        words = re.split(r"\s+", line.strip())
        names = [word for word in words if re.fullmatch(r"[a-z]+", word)]
        if not names or words[0] not in group.list_commands(click.Context(group)):
            continue
        command, options = _command(names[: 2 if words[0] in {"lab", "hosts", "schedule", "backup"} else 1])
        for flag in (word.split("=")[0] for word in words if word.startswith("--")):
            assert flag in options, f"{path.name}: {command.name} has no option {flag}"
    for flag in re.findall(r"`(--[a-z-]+)(?: [^`]*)?`", text):
        assert flag in _every_option(), f"{path.name}: nothing takes {flag}"


def test_consents_that_plans_ask_for_are_accepted() -> None:
    allow = next(item for item in _command(["converge"])[0].params if item.name == "allowed")
    consents = {"destructive", *(model.consent for model in MODELS.values() if model.consent)}
    for consent in consents:
        assert allow.type.convert(consent, None, None) == consent


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_exit_statuses_exist(path: Path) -> None:
    text = path.read_text()
    named = {int(number) for number in re.findall(r"\bexits?(?: status)? (\d+)\b", text)}
    assert named <= set(map(int, ExitStatus))


def test_every_exit_status_is_explained() -> None:
    told = re.findall(r"^\| (\d+) \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    assert [int(number) for number in told] == list(ExitStatus)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@cache
def _texts() -> str:
    """Every text of the package, with placeholders cut out of those that have some."""
    nodes = (
        node
        for path in (ROOT / "gonka_state").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
    )
    return "\n".join(
        node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_messages_that_are_explained_are_messages_of_the_program() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text()
    told = [
        message
        for row in re.findall(r"^\| (`.+?`) \|", text, re.MULTILINE)
        for message in re.findall(r"`([^`]+)`", row)
    ]
    assert told
    pieces = {piece for message in told for piece in re.split("…|(?<=, which )", message)}
    assert {piece for piece in pieces if piece not in _texts()} == set()
