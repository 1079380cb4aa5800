"""Every mistake is said in full, at its place, all at once (problems.yaml holds the texts)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
SMALL = (HERE / "small.yaml").read_text()
CASES: dict[str, dict[str, Any]] = YAML(typ="safe").load((HERE / "problems.yaml").read_text())


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named_with_its_place_and_line(name: str, read: Callable[..., Any]) -> None:
    text = SMALL
    for old, new in CASES[name]["change"].items():
        assert text.count(old) == 1, f"{old!r} must stand once in small.yaml"
        text = text.replace(old, new)
    with pytest.raises(InputError) as caught:
        read(env={"PASSWORD": "long enough", "BAD": "it's"}, small=text)
    assert f"{caught.value}\n" == CASES[name]["expect"]
    assert caught.value.exit_status == 4


def test_the_small_cluster_is_right_before_it_is_broken(read: Callable[..., Any]) -> None:
    assert read(small=SMALL).cluster == "small"


def test_problems_of_all_files_come_together(read: Callable[..., Any]) -> None:
    with pytest.raises(InputError) as caught:
        read(
            small=f"extends: base.yaml\n{SMALL}",
            base="hub: {hme: /a}\nssh: {prt: 22}\n",
            overlay="cluster: x\n",
        )
    places = [problem.partition(" ")[0] for problem in caught.value.problems]
    assert places == ["base.yaml:1:7:", "base.yaml:2:7:", "overlay.yaml:1:10:"]


@pytest.mark.parametrize(
    "line",
    [
        "keyring_password: correct-horse",
        "keyring_password: [correct-horse]",
        "keyring_password: 'correct-horse'\n  keyring_password: 'correct-horse'",
        'keyring_password: "correct-horse\\"',
        "'keyring_password' : !x correct-horse",
        "keyring_password: {a: correct-horse}",
        "keyring_password: {correct-horse}",
        "keyring_password:\n    correct-horse: 1",
        "keyring_password:\n    - correct-horse",
        "keyring_password:\n    !x correct-horse",
        'keyring_password:\n    "correct-horse',
        "keyring_password:\n\tcorrect-horse",
        "keyring_password: |\n  correct-horse'\n   correct-horse",
        "keyring_password: &x correct-horse\n  ml_key_name: *y",
    ],
)
def test_a_password_in_the_file_is_never_shown(line: str, read: Callable[..., Any]) -> None:
    text = SMALL.replace("keyring_password: {env: PASSWORD}", line).replace("enabled: true", "enabled: 1")
    with pytest.raises(InputError) as caught:
        read(small=text)
    assert "correct-horse" not in str(caught.value)


def test_a_number_as_password_is_never_shown(read: Callable[..., Any]) -> None:
    with pytest.raises(InputError) as caught:
        read(small=SMALL.replace("{env: PASSWORD}", "\n    31337"))
    assert "31337" not in str(caught.value)


def test_a_bad_password_is_never_shown(read: Callable[..., Any]) -> None:
    with pytest.raises(InputError) as caught:
        read(env={"PASSWORD": "correct'horse"}, small=SMALL)
    assert "correct" not in str(caught.value)
