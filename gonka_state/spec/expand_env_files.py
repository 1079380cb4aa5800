"""Files of variables: a template says which and in what order, the YAML lays its own on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from gonka_state.core import env_text
from gonka_state.core.masking import placeholder
from gonka_state.spec.drafts import Draft, given
from gonka_state.spec.host_words import NoVariable
from gonka_state.spec.references import Withheld, usable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import EnvFile, Host
    from gonka_state.spec.tree import Node


def env_files(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:
    """One draft per file; it waits as a whole for a value of the operator that is not there."""
    for path, words in host.env_files.items():
        place = node.deepest(["env_files", path])
        data = {"name": path, **given(words, "template", "vars", "variables"), **expansion.in_checkout(path)}
        data |= expansion.kept(name, path, words)
        withheld = _template(expansion, name, words, place, data) or _own(expansion, words, place, data)
        yield Draft(name, "env-file", data, place, withheld)


def _template(expansion: Expansion, name: str, words: EnvFile, place: Node, data: dict[str, Any]) -> str:
    """Put in what the rendered template sets; the reason where it cannot be rendered yet."""
    data |= {"variables": {}, "secrets": {}}
    if words.template is None:
        return ""
    values, secrets = expansion.context.of(name, place)
    at = place.deepest(["template"])
    rendered = expansion.templates.render(words.template, values, secrets, at.source)
    for item in env_text.read(rendered.text or ""):
        what = _wrong(item, data["variables"])
        if what:
            problem = f"template {words.template!r}, line {item.line} of what it becomes here: {what}"
            expansion.context.problems.add(at.source, problem)
        else:
            data["variables"][item.name] = item.value
    data |= {"layout": rendered.text or "", "secrets": dict(rendered.secrets)}
    return rendered.withheld


def _wrong(item: env_text.Assignment, known: dict[str, str | None]) -> str:
    if not item.name:
        return "expected NAME=value, a comment or nothing"
    if item.name in known:
        return f"{item.name} is set twice"
    if item.value is None:
        return (
            f"the shell and compose read the value of {item.name} differently; put it between single quotes"
        )
    return ""


def _own(expansion: Expansion, words: EnvFile, place: Node, data: dict[str, Any]) -> str:
    """Lay the variables of the YAML on top; the reason where one is not known yet."""
    for label, value in words.variables.items():
        node = place.deepest(["variables", label])
        if isinstance(value, NoVariable):
            data["variables"][label] = None
        elif node.entries is None or not usable(node):
            data["variables"][label] = str(value).lower() if isinstance(value, bool) else str(value)
        else:
            found = expansion.context.references.value(node, secret=True)
            if isinstance(found, Withheld):
                return found.reason
            secret = f"variables.{label}"
            data["variables"][label] = placeholder(secret)
            data["secrets"][secret] = SecretStr(found) if isinstance(found, str) else found
    return ""
