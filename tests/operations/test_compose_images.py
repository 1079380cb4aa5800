"""Images of a compose project, driven with answers recorded from Docker 20.10.24 on a lab host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Present
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations.base import Command, Do, Result, Say, Step
from gonka_state.operations.compose_images import _offered, apply
from gonka_state.resources.compose_images import ComposeImagesResource

if TYPE_CHECKING:
    from collections.abc import Sequence

API, WEB = "ghcr.io/product-science/api:0.2.13", "nginx:1.28.0"
NAMES = (
    f"name\timages\nservice\tapi\nimage\t{API}\nservice\tnever\nimage\tbusybox\nservice\tweb\nimage\t{WEB}\n"
)
HERE = Result(0, "here linux/amd64\n")
ARM = Result(
    0,
    '{"Descriptor":{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","digest":"sha256:3aad",'
    '"size":737},"Platforms":[{"architecture":"arm64","os":"linux"}]}\n\n200',
)
AMD = Result(0, ARM.stdout.replace("arm64", "amd64"))
NOT_THERE = Result(0, '{"message":"manifest unknown: manifest unknown"}\n\n404')
PULLED = [Result(0), Result(0, "here\ninactive\n0\n1\n1\n\n")]


def drive(answers: list[Result], kept: Sequence[str] = (), **more: object) -> list[Command]:
    """Everything the operation yields, with one answer for each Do; no answer may be left over."""
    words = {"name": "/srv/images", "env_file": "config.env", "services": ["api", "web"], "keeps": ["api"]}
    resource = ComposeImagesResource.model_validate(words | more)
    change = Change(Address("h", "compose-images", "/srv/images"), Action.UPDATE)
    seen = Present({}, {"kept": list(kept)})
    commands = apply(Step(change, resource, seen, Here("h", {}), Timeouts(pull=6)))
    done: list[Command] = []
    result: Result | None = None
    while True:
        try:
            command = next(commands) if result is None else commands.send(result)
        except StopIteration:
            assert not answers
            return done
        done.append(command)
        result = answers.pop(0) if isinstance(command, Do) else Result(0)


def abouts(commands: list[Command]) -> list[str]:
    return [command.about for command in commands if isinstance(command, Do)]


def test_what_is_missing_is_pulled_and_only_that() -> None:
    done = drive([Result(0, NAMES), AMD, HERE, *PULLED, Result(0, "linux/amd64\n")])

    assert abouts(done) == [
        "ask compose for the images",
        f"ask for the platforms of {API}",
        f"ask for the platforms of {WEB}",
        f"pull {API}",
        "see how far the pull is",
        f"look at {API}",
    ]
    assert f"image 1 of 1: {API}" in [item.text for item in done if isinstance(item, Say)]


def test_nothing_is_asked_for_a_service_that_keeps_its_image() -> None:
    assert f"ask for the platforms of {API}" not in abouts(drive([Result(0, NAMES), HERE], kept=["api"]))


def test_another_platform_is_named_before_anything_is_pulled() -> None:
    with pytest.raises(
        StepError, match=r"nginx:1.28.0 is offered for linux/arm64, and linux/amd64 is wanted"
    ):
        drive([Result(0, NAMES), AMD, ARM])


def test_a_registry_that_does_not_tell_leaves_it_to_the_look_after_the_pull() -> None:
    with pytest.raises(StepError, match="came as linux/arm64"):
        drive([Result(0, NAMES), NOT_THERE, *PULLED, Result(0, "linux/arm64\n")], services=["api"])


def test_a_variable_that_would_be_empty_stops_everything() -> None:
    with pytest.raises(StepError, match="compose would leave WHO, YOU empty in /srv/images") as failure:
        drive([Result(0, "blank\tWHO\nblank\tYOU\n" + NAMES)])

    assert "config.env" in failure.value.hint


def test_an_image_of_several_platforms_without_its_attestations() -> None:
    answer = (
        '{"Platforms":[{"architecture":"amd64","os":"linux"},{"architecture":"arm64","os":"linux",'
        '"variant":"v8"},{"architecture":"unknown","os":"unknown"}]}\n200'
    )

    assert _offered(answer) == ["linux/amd64", "linux/arm64"]


@given(st.text())
def test_any_other_answer_tells_no_platform(answer: str) -> None:
    assert _offered(answer) == []
