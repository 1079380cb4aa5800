"""What stays, as a person reads it."""

from __future__ import annotations

from gonka_state.views.cleanup import Left, left_fields, render_left
from gonka_state.views.style import Style

LEFT = [
    Left(
        "model", ("Qwen/Qwen3-32B-FP8",), 2, "hours to fetch again: --models removes those that are declared"
    ),
    Left("package", ("git", "curl", "wget", "ufw", "jq"), 6, "perhaps there before"),
    Left("warm-key", ("gonka-ml-key\x1b[31m",), 1, "the cluster's identity on the chain, in .inference"),
]


def test_kinds_stand_in_columns_with_their_reasons() -> None:
    assert render_left(LEFT, Style()) == [
        "",
        "stays",
        "  model: Qwen/Qwen3-32B-FP8, 2 hosts            hours to fetch again: --models removes those that are declared",
        "  package: git, curl, wget and 2 more, 6 hosts  perhaps there before",
        "  warm-key: gonka-ml-key\\x1b[31m                the cluster's identity on the chain, in .inference",
        "  .inference, .tmkms, .dapi                     chain data, keys and node database: never deleted",
    ]


def test_what_does_not_fit_stands_below() -> None:
    lines = render_left(LEFT, Style(width=80))

    assert max(map(len, lines)) <= 80
    assert lines[2:4] == [
        "  model: Qwen/Qwen3-32B-FP8, 2 hosts",
        "      hours to fetch again: --models removes those that are declared",
    ]


def test_programs_are_told_every_name() -> None:
    assert left_fields(LEFT)["stays"][1] == {
        "kind": "package",
        "names": ("git", "curl", "wget", "ufw", "jq"),
        "hosts": 6,
        "why": "perhaps there before",
    }


def test_reasons_are_dim_where_there_is_colour() -> None:
    assert "\x1b[2mperhaps there before\x1b[0m" in "\n".join(render_left(LEFT, Style(color=True)))
