"""Files of variables in cluster words: a template's variables, and those of the YAML on top."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = (Path(__file__).parent / "small.yaml").read_text()
ADDRESS = Address("net", "env-file", "/e")


def with_file(words: str) -> str:
    return SMALL.replace("\n    node: {host:", f"\n    env_files: {{/e: {{{words}}}}}\n    node: {{host:")


def declared(read: Callable[..., Any], words: str, template: str = "", **env: str) -> Any:  # noqa: ANN401  (a wish)
    files = {"small": with_file(words), "templates__a_j2": template}
    return read(env={"PASSWORD": "long enough", **env}, **files).resources[ADDRESS]


def test_the_templates_variables_and_on_top_those_of_the_yaml(read: Callable[..., Any]) -> None:
    item = declared(
        read,
        "template: a.j2, mode: '0600', variables: {B: two, C: 3, D: true, E: {state: absent}, F: {env: ONLY}}",
        "# head\nexport A='{{ network.public_host }}'\nB=one\nKEY={{ network.keyring_password }}\n",
        ONLY="hidden",
    )

    found = item.resource
    assert found.variables == {
        "A": "203.0.113.12", "B": "two", "KEY": "\0secret:keyring_password\0",
        "C": "3", "D": "true", "E": None, "F": "\0secret:variables.F\0",
    }  # fmt: skip
    assert found.revealed()["F"] == "hidden"
    assert [name for name in found.variables if found.is_secret(name)] == ["KEY", "F"]
    assert found.layout.startswith("# head\nexport A='203.0.113.12'\n")
    assert found.mode == "0600"


def test_it_waits_for_a_value_that_only_the_operator_knows(read: Callable[..., Any]) -> None:
    for words, template in (
        ("variables: {A: '1', F: {env: ONLY}}", ""),
        ("template: a.j2, vars: {t: {env: ONLY}}", "A={{ t }}\n"),
    ):
        assert declared(read, words, template).withheld.startswith("ONLY (small.yaml:")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("A=1\nset -a\n", "line 2 of what it becomes here: expected NAME=value, a comment or nothing"),
        ("A=1\n\nA=2\n", "line 3 of what it becomes here: A is set twice"),
        (
            "A=$HOME\n",
            "line 1 of what it becomes here: the shell and compose read the value of A differently",
        ),
    ],
)
def test_a_template_that_two_readers_understand_differently_is_refused(
    read: Callable[..., Any], template: str, problem: str
) -> None:
    with pytest.raises(InputError) as refused:
        declared(read, "template: a.j2", template)

    assert f"template 'a.j2', {problem}" in str(refused.value)


def test_a_value_that_cannot_be_written_is_refused_and_never_shown(read: Callable[..., Any]) -> None:
    with pytest.raises(InputError) as refused:
        declared(read, "variables: {F: {env: ONLY}}", ONLY="hid'den$")

    assert "F holds what the shell and compose read differently" in str(refused.value)
    assert "den$" not in str(refused.value)


def test_it_is_never_removed_as_a_whole(read: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="unknown key 'state'"):
        declared(read, "state: absent")


def test_a_container_follows_the_variables_of_its_file(read: Callable[..., Any]) -> None:
    from gonka_state.engine.needs import edges  # noqa: PLC0415  (the only test of this folder that joins kinds)
    from gonka_state.registry import KINDS  # noqa: PLC0415

    text = with_file("variables: {A: '1'}").replace("/e:", "/opt/join/config.env:")
    desired = read(small=text.replace("files: [a.yml]", "files: [a.yml]\n        env_file: config.env"))
    (edge,) = (
        edge
        for edge in edges(desired, KINDS)[Address("net", "compose-service", "api")]
        if edge.on.kind == "env-file"
    )

    assert (edge.refresh, edge.only) == (True, ("variables",))
