"""Compose services, driven with answers recorded from Docker 20.10.24 and compose v5.6.1 on a lab host."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change, Effect
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Absent, Observation, Present
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations.base import Command, Commands, Do, Pause, Result, Say, Step
from gonka_state.operations.compose_restart import apply as restart
from gonka_state.operations.compose_service import apply
from gonka_state.resources.compose_service import ComposeServiceResource

STARTED = 1795489903.764615
HERE = Result(0, "here\nghcr.io/product-science/api:0.2.13\n")
MISSING = Result(0, "missing\nghcr.io/product-science/api:9.9.9\n")
DONE = Result(0)
PORT_TAKEN = Result(
    1,
    "",
    "Error response from daemon: driver failed programming external connectivity on endpoint demo-api-1: "
    "Error starting userland proxy: listen tcp4 127.0.0.1:8001: bind: address already in use\n",
)


def service(**more: object) -> ComposeServiceResource:
    words = {"name": "api", "directory": "/srv/demo", "env_file": "config.env"}
    return ComposeServiceResource.model_validate(words | more)


def seen(after: float, url: str = "", **more: object) -> Result:
    """What the host answers `after` seconds from the container's start."""
    container: dict[str, object] = {
        "id": "a8b1", "name": "/demo-api-1", "image_id": "sha256:5b48", "status": "running", "health": "", "exit": 0,
        "restarts": 0, "started": "2026-11-24T03:11:43.764615671Z", "policy": "always",
        "ports": {"8001/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8001"}]}, "hash": "1777", "oneoff": "False",
        "directory": "/srv/demo",
    }  # fmt: skip
    line = json.dumps(container | more)
    asked = f"{url} http://h/\n" if url else ""
    return Result(0, f"{STARTED + after:.0f}\n{asked}demo\tapi\tghcr.io/product-science/api:0.2.13\t{line}\n")


def step(
    resource: ComposeServiceResource,
    *differs: str,
    action: Action = Action.UPDATE,
    details: dict[str, object] | None = None,
    healthy: int = 20,
) -> Step[ComposeServiceResource]:
    changes = tuple(AttributeChange(name, before=False, after=True) for name in differs)
    observation: Observation = Present({}, details=details or {}) if action is not Action.CREATE else Absent()
    change = Change(Address("ml-01", "compose-service", "api"), action, changes)
    return Step(change, resource, observation, Here("ml-01", {}), Timeouts(healthy=healthy, pull=6))


def drive(commands: Commands, answers: list[Result]) -> list[Command]:
    """Everything the operation yields, with one answer for each Do; no answer may be left over."""
    done: list[Command] = []
    try:
        command = next(commands)
        while True:
            done.append(command)
            command = commands.send(answers.pop(0)) if isinstance(command, Do) else next(commands)
    except StopIteration:
        assert not answers
        return done


def abouts(commands: list[Command]) -> list[str]:
    return [item.about for item in commands if isinstance(item, Do)]


def said(commands: list[Command]) -> list[str]:
    return [item.text for item in commands if isinstance(item, Say)]


def up(commands: list[Command]) -> Do:
    return next(item for item in commands if isinstance(item, Do) and not item.again)


def test_a_new_service_is_made_alone_and_waited_for() -> None:
    make = step(service(url="http://h/"), action=Action.CREATE)

    done = drive(apply(make), [HERE, DONE, seen(0, "000"), seen(3, "200")])

    assert abouts(done) == [
        "ask compose for the image", "docker compose up api", "see whether api is healthy", "see whether api is healthy",
    ]  # fmt: skip
    assert "VERB='up --detach --no-deps --quiet-pull'" in up(done).script
    assert "--file /srv/demo/docker-compose.yml --env-file /srv/demo/config.env" in up(done).script
    assert said(done) == ["api is healthy, 3 s"]


def test_a_missing_image_is_pulled_first_and_its_bytes_are_told() -> None:
    pulling = Result(0, "missing\nactive\n1895598\n0\n2\nac6070cb9105: Download complete\n")
    here = Result(0, "here\ninactive\n0\n0\n0\n\n")
    answers = [MISSING, DONE, pulling, here, DONE, seen(30)]

    done = drive(apply(step(service(), action=Action.CREATE)), answers)

    assert abouts(done)[1] == "pull ghcr.io/product-science/api:9.9.9"
    assert said(done)[:2] == [
        "pulling ghcr.io/product-science/api:9.9.9: 0 of 2 layers, 1.9 MB in flight, 0 s",
        "ghcr.io/product-science/api:9.9.9 is here, 2 s",
    ]


def test_a_pull_that_fails_tells_dockers_words_and_makes_nothing() -> None:
    words = "manifest for ghcr.io/product-science/api:9.9.9 not found: manifest unknown"
    failed = Result(0, f"missing\nfailed\n0\n0\n0\nError response from daemon: {words}\n")

    with pytest.raises(StepError, match=words):
        drive(apply(step(service(), action=Action.CREATE)), [MISSING, DONE, failed])


def test_a_pull_that_never_ends_is_given_up() -> None:
    asking = Result(0, "missing\nactive\n0\n0\n0\n\n")

    with pytest.raises(StepError, match="is not here after 8 s"):
        drive(apply(step(service(), action=Action.CREATE)), [MISSING, DONE, *[asking] * 4])


def test_a_running_image_that_stays_is_put_back_for_compose() -> None:
    keep = step(
        service(image_follows=False), "current", details={"pin": "ghcr.io/product-science/api:0.2.12"}
    )

    done = drive(apply(keep), [DONE, seen(30)])

    assert up(done).stdin == 'services:\n  "api": {image: "ghcr.io/product-science/api:0.2.12"}\n'
    assert abouts(done)[0] == "docker compose up api"


@pytest.mark.parametrize(("details", "forced"), [({"recreate": True}, True), ({}, False)])
def test_only_what_compose_cannot_see_is_forced(details: dict[str, object], forced: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    done = drive(apply(step(service(), "current", details=details)), [HERE, DONE, seen(30)])

    assert ("--force-recreate" in up(done).script) is forced


def test_a_service_that_only_starts_is_waited_for() -> None:
    wait = step(service(), "healthy", details={"health": "starting"})

    done = drive(apply(wait), [seen(1, health="starting"), seen(4, health="healthy")])

    assert abouts(done) == ["see whether api is healthy"] * 2


def test_an_unhealthy_service_is_restarted() -> None:
    sick = step(service(), "healthy", details={"health": "unhealthy"})

    done = drive(apply(sick), [DONE, seen(4, health="healthy")])

    assert abouts(done)[0] == "restart api"
    assert "VERB='restart --no-deps'" in up(done).script


def test_a_service_that_never_gets_healthy_fails_with_its_last_words() -> None:
    polls = [seen(at, status="restarting", exit=3, restarts=at) for at in (1, 6, 13, 25)]
    logs = Result(0, "the password is ***\nbye\n")
    commands = apply(step(service(), action=Action.CREATE))

    with pytest.raises(StepError) as caught:
        drive(commands, [HERE, DONE, *polls, logs])

    assert caught.value.message == (
        "api is not healthy after 24 s: restarting with status 3, restarted 25 times\n"
        "  last lines of its log:\n    the password is ***\n    bye"
    )
    assert "converge again" in caught.value.hint


def test_a_container_that_exits_is_not_waited_for() -> None:
    with pytest.raises(StepError, match="after 0 s: exited with status 4; its log is empty"):
        drive(
            apply(step(service(), action=Action.CREATE)), [HERE, DONE, seen(1, status="exited", exit=4), DONE]
        )


def test_waiting_tells_every_ten_seconds_what_is_missing() -> None:
    polls = [seen(at, "503") for at in (0, 5, 11, 16)] + [seen(19, "200")]

    done = drive(apply(step(service(url="http://h/"), action=Action.CREATE)), [HERE, DONE, *polls])

    assert said(done) == ["api: http://h/ answers 503, 11 s", "api is healthy, 19 s"]
    assert done.count(Pause(2)) == 4


def test_no_container_after_up_is_no_health() -> None:
    gone = [Result(0, f"{STARTED + at:.0f} \n") for at in (0, 21)]

    with pytest.raises(StepError, match="there is no container"):
        drive(apply(step(service(), action=Action.CREATE)), [HERE, DONE, *gone, DONE])


def test_an_answer_that_is_no_answer_is_an_error_of_the_step() -> None:
    with pytest.raises(StepError, match="cannot be understood"):
        drive(apply(step(service(), action=Action.CREATE)), [HERE, DONE, Result(0, "soon\n{}\n")])


def test_composes_own_words_are_the_error() -> None:
    with pytest.raises(StepError, match="address already in use") as caught:
        drive(apply(step(service(), action=Action.CREATE)), [HERE, PORT_TAKEN])

    assert "docker compose ps" in caught.value.hint


def test_a_service_that_shall_not_run_is_made_or_stopped() -> None:
    made = drive(apply(step(service(running=False), action=Action.CREATE)), [HERE, DONE])
    stopped = drive(apply(step(service(running=False), "running")), [DONE])

    assert "VERB='up --no-start --no-deps'" in up(made).script
    assert "VERB=stop\n" in up(stopped).script


def test_a_restart_is_of_this_service_alone_and_waits_until_it_is_healthy() -> None:
    done = drive(restart(step(service(name="web"), "restarted")), [DONE, seen(2), seen(12)])

    assert abouts(done) == ["restart web", "see whether web is healthy", "see whether web is healthy"]
    assert "VERB='restart --no-deps'" in up(done).script


def test_one_that_somebody_else_has_restarted_is_only_waited_for() -> None:
    assert abouts(drive(restart(step(service(), "healthy")), [seen(12)])) == ["see whether api is healthy"]


def test_an_api_is_given_time_to_store_its_nodes_before_it_restarts() -> None:
    done = drive(restart(step(service(), "restarted")), [DONE, seen(12)])

    assert [item.seconds for item in done[:2] if isinstance(item, Pause)] == [60]
    assert abouts(done)[0] == "restart api"


def test_a_container_that_does_not_come_back_is_a_failed_step_with_its_last_words() -> None:
    down = seen(5, status="exited", exit=1)

    with pytest.raises(
        StepError, match=r"web is not healthy after 0 s: exited with status 1[\s\S]*no such file"
    ):
        drive(restart(step(service(name="web"), "restarted")), [DONE, down, Result(0, "no such file\n")])


def test_no_script_can_take_more_than_its_service_down() -> None:
    done: list[Any] = drive(apply(step(service(), "current")), [HERE, DONE, seen(30)])
    scripts = " ".join(item.script for item in done if isinstance(item, Do))

    assert not [word for word in (" down", "prune", "--volumes", "--remove-orphans") if word in scripts]


def test_what_is_done_to_a_stopped_container_disturbs_nobody() -> None:
    start = (AttributeChange("running", before=False, after=True), AttributeChange("image", "a:1", "a:2"))
    stop = (AttributeChange("running", before=True, after=False),)

    assert service().effect(Action.UPDATE, start) is Effect.SAFE
    assert service().effect(Action.UPDATE, start[1:]) is Effect.DISRUPTIVE
    assert service().effect(Action.UPDATE, stop) is Effect.DISRUPTIVE
    assert service().effect(Action.DELETE, ()) is Effect.DESTRUCTIVE
