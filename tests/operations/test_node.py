"""Node writes, driven with answers recorded from the lab's stand-in of the Admin API 0.2.13."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Absent, Present
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations.base import Command, Commands, Do, Pause, Result, Say, Step
from gonka_state.operations.node import apply
from gonka_state.resources.node import NodeResource

TIMED_OUT = Result(
    28, "\n000", "curl: (28) Operation timed out after 60001 milliseconds with 0 bytes received\n"
)
NEW: dict[str, object] = {"version": "0.2.13", "upserts": True, "stored": False}
OLD: dict[str, object] = {"version": "0.2.1", "upserts": False, "stored": False}


ADDRESS = Address("net", "node", "ml-03")


def node(**more: object) -> NodeResource:
    words: dict[str, Any] = {
        "name": "ml-03",
        "host": "10.77.0.14",
        "inference_port": 5050,
        "poc_port": 8080,
        "models": {"Qwen/QwQ-32B": {}},
    }
    return NodeResource.model_validate(words | more)


def entry(*, enabled: bool = True, **more: object) -> dict[str, object]:
    config: dict[str, object] = {
        "id": "ml-03", "host": "10.77.0.14", "inference_segment": "", "poc_segment": "", "inference_port": 5050,
        "poc_port": 8080, "max_concurrent": 500, "models": {"Qwen/QwQ-32B": {"args": []}}, "hardware": None,
        "node_num": 4,
    }  # fmt: skip
    state = {"intended_status": "UNKNOWN", "current_status": "UNKNOWN", "poc_intended_status": "IDLE",
             "poc_current_status": "IDLE", "lock_count": 0, "failure_reason": "",
             "status_timestamp": "2026-11-24T03:16:18.000000000Z", "admin_state": {"enabled": enabled, "epoch": 526},
             "epoch_models": {}, "epoch_ml_nodes": {}}  # fmt: skip
    return {"node": config | more, "state": state}


def listed(*entries: dict[str, object]) -> Result:
    return Result(0, f"{json.dumps(entries)}\n\n200")


def answer(status: int, body: str) -> Result:
    return Result(0, f"{body}\n\n{status}")


def step(
    resource: NodeResource, action: Action, details: dict[str, object] | None = None
) -> Step[NodeResource]:
    known = NEW if details is None else details
    seen = Absent(details=known) if action is Action.CREATE else Present({}, details=known)
    change = Change(Address("net", "node", resource.name), action)
    return Step(change, resource, seen, Here("net", {}), Timeouts())


def drive(commands: Commands, answers: list[Result]) -> list[Command]:
    """Everything the operation yields, with one answer for each Do; no answer may be left over."""
    seen: list[Command] = []
    given: Result | None = None
    try:
        while True:
            command = next(commands) if given is None and not seen else commands.send(given or Result(0))
            seen.append(command)
            given = answers.pop(0) if isinstance(command, Do) else None
    except StopIteration:
        assert not answers
        return seen


def writes(commands: list[Command]) -> list[Do]:
    return [item for item in commands if isinstance(item, Do) and not item.again]


def test_a_new_node_is_posted_whole_and_read_back() -> None:
    done = drive(apply(step(node(), Action.CREATE)), [listed(), answer(200, "{}"), listed(entry())])

    (post,) = writes(done)
    assert " POST http://127.0.0.1:9200/admin/v1/nodes\n" in post.script
    assert json.loads(post.stdin) == {
        "id": "ml-03", "host": "10.77.0.14", "inference_port": 5050, "poc_port": 8080, "max_concurrent": 500,
        "inference_segment": "", "poc_segment": "", "models": {"Qwen/QwQ-32B": {"args": []}},
    }  # fmt: skip
    assert "QwQ" not in post.script


def test_an_update_sends_back_what_we_do_not_manage() -> None:
    hardware = [{"type": "H100 | 80GB", "count": 8}]
    models = {"Qwen/QwQ-32B": {"args": ["--x"], "model_override": {"hf_repo": "a/b"}}, "gone": {"args": []}}
    before = entry(hardware=hardware, models=models, inference_port=5051)

    done = drive(apply(step(node(), Action.UPDATE)), [listed(before), answer(200, "{}"), listed(entry())])

    (put,) = writes(done)
    body = json.loads(put.stdin)
    assert " PUT http://127.0.0.1:9200/admin/v1/nodes/ml-03\n" in put.script
    assert body["hardware"] == hardware
    assert body["models"] == {"Qwen/QwQ-32B": {"args": [], "model_override": {"hf_repo": "a/b"}}}
    assert "node_num" not in body


def test_a_model_dropped_in_silence_is_noticed() -> None:
    wish = node(models={"Nope/Model": {}, "Qwen/QwQ-32B": {}})

    with pytest.raises(StepError, match="does not have node ml-03 as declared: models") as caught:
        drive(apply(step(wish, Action.CREATE)), [listed(), answer(200, "{}"), listed(entry())])

    assert "governance" in caught.value.hint


@pytest.mark.parametrize(
    ("action", "before", "status", "words"),
    [
        (Action.CREATE, [], 400, "failed to create node: node ml-03 has no governance-valid models"),
        (
            Action.UPDATE,
            [entry(poc_port=1)],
            500,
            "failed to update node: model X is not a valid governance model",
        ),
    ],
)
def test_a_refusal_is_told_in_the_apis_words(
    action: Action, before: list[dict[str, object]], status: int, words: str
) -> None:
    refusal = answer(status, json.dumps({"error": words}))

    with pytest.raises(StepError, match=f"refused with {status}: {words}"):
        drive(apply(step(node(), action)), [listed(*before), refusal])


def test_a_lost_answer_is_read_back_and_never_repeated() -> None:
    answers = [listed(), TIMED_OUT, listed(), listed(entry())]

    done = drive(apply(step(node(), Action.CREATE)), answers)

    assert len(writes(done)) == 1
    assert [item.text for item in done if isinstance(item, Say)] == [
        "the API's answer was lost, but it has node ml-03 as declared"
    ]
    assert Pause(5) in done


def test_a_lost_write_fails_and_says_that_it_was_not_repeated() -> None:
    answers = [listed(), TIMED_OUT, *[listed()] * 4]

    with pytest.raises(StepError, match="gave no answer to the write, which was not repeated") as caught:
        drive(apply(step(node(), Action.CREATE)), answers)

    assert "not registered" in str(caught.value)
    assert not answers


def test_nothing_listening_means_nothing_was_written() -> None:
    refused = Result(7, "\n000", "curl: (7) Failed to connect to 127.0.0.1 port 9200 after 0 ms\n")

    with pytest.raises(StepError, match="does not answer"):
        drive(apply(step(node(), Action.CREATE)), [listed(), refused])


@pytest.mark.parametrize(("enabled", "verb"), [(True, "enable"), (False, "disable")])
def test_a_switch_alone_leaves_the_configuration(enabled: bool, verb: str) -> None:  # noqa: FBT001 (a parameter of the test)
    before, after = entry(enabled=not enabled), entry(enabled=enabled)
    answers = [listed(before), listed(before), answer(200, '{"message": "done"}'), listed(after)]

    (post,) = writes(drive(apply(step(node(enabled=enabled), Action.UPDATE)), answers))

    assert f" POST http://127.0.0.1:9200/admin/v1/nodes/ml-03/{verb}\n" in post.script


def test_a_switch_that_does_not_show_fails() -> None:
    stays = listed(entry(enabled=True))

    with pytest.raises(StepError, match="took disable of node ml-03, but does not show it"):
        drive(apply(step(node(enabled=False), Action.UPDATE)), [stays, stays, answer(200, "{}"), stays])


def test_a_node_is_disabled_before_it_is_removed() -> None:
    answers = [
        listed(entry()),
        listed(entry()),
        answer(200, "{}"),
        listed(entry(enabled=False)),
        answer(200, "true"),
        listed(),
    ]

    done = writes(drive(apply(step(node(state="absent"), Action.DELETE)), answers))

    assert [item.about for item in done] == ["disable node ml-03", "remove node ml-03"]
    assert " DELETE http://127.0.0.1:9200/admin/v1/nodes/ml-03\n" in done[1].script


def test_a_node_removed_by_somebody_else_is_no_failure() -> None:
    gone = drive(apply(step(node(state="absent"), Action.DELETE)), [listed()])
    answers = [listed(entry(enabled=False)), answer(200, "false"), listed()]
    late = drive(apply(step(node(state="absent"), Action.DELETE)), answers)

    assert Say("node ml-03 is not registered any more") in gone
    assert Say("somebody else removed node ml-03 first") in late


def test_a_node_that_stays_after_its_removal_fails() -> None:
    off = listed(entry(enabled=False))

    with pytest.raises(StepError, match="answered true, but node ml-03 is still registered"):
        drive(apply(step(node(state="absent"), Action.DELETE)), [off, answer(200, "true"), off])


@pytest.mark.parametrize(
    ("action", "now", "words"),
    [(Action.CREATE, [entry()], "is registered now"), (Action.UPDATE, [], "is no longer registered")],
)
def test_what_changed_since_the_look_is_not_overwritten(
    action: Action, now: list[dict[str, object]], words: str
) -> None:
    with pytest.raises(StepError, match=words):
        drive(apply(step(node(), action)), [listed(*now)])


def test_an_api_of_unknown_age_is_not_written_to() -> None:
    with pytest.raises(StepError, match="nobody knows whether the Admin API is older than 0"):
        drive(apply(step(node(), Action.CREATE, {"version": "", "upserts": None})), [])


def test_the_first_step_of_a_removal_only_disables() -> None:
    answers = [listed(entry()), listed(entry()), answer(200, "{}"), listed(entry(enabled=False))]

    (post,) = writes(drive(apply(step(node(state="absent"), Action.UPDATE)), answers))

    assert post.script.count("/ml-03/disable") == 1


def test_what_is_stored_otherwise_is_written_again() -> None:
    change = replace(
        step(node(), Action.UPDATE),
        change=Change(ADDRESS, Action.UPDATE, (AttributeChange("persisted", before=False, after=True),)),
    )

    (put,) = writes(drive(apply(change), [listed(entry()), answer(200, "{}"), listed(entry())]))

    assert " PUT " in put.script


def test_a_node_that_is_stored_already_is_taken_out_of_the_store_first() -> None:
    answers = [listed(), answer(200, "false"), listed(), answer(200, "{}"), listed(entry())]

    done = writes(drive(apply(step(node(), Action.CREATE, {**NEW, "stored": True})), answers))

    assert [item.script.split()[3] for item in done] == ["DELETE", "POST"]


def test_a_node_that_is_only_stored_is_removed() -> None:
    gone = step(node(state="absent"), Action.DELETE, {**NEW, "stored": True})

    (delete,) = writes(drive(apply(gone), [listed(), answer(200, "false"), listed()]))

    assert " DELETE " in delete.script


def test_an_old_api_gets_a_new_node_once() -> None:
    done = drive(apply(step(node(), Action.CREATE, OLD)), [listed(), answer(200, "{}"), listed(entry())])

    assert [item.script.split()[3] for item in writes(done)] == ["POST"]


@pytest.mark.parametrize("enabled", [True, False])
def test_an_old_api_gets_a_changed_node_anew_and_keeps_its_switch(enabled: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    before = entry(poc_port=1, enabled=enabled, hardware=[{"type": "H100", "count": 8}], version="v1")
    answers = [listed(before), answer(200, "true"), listed(), answer(200, "{}"), listed(entry())]
    if not enabled:
        answers += [listed(entry()), answer(200, "{}"), listed(entry(enabled=False))]

    done = writes(drive(apply(step(node(), Action.UPDATE, OLD)), answers))

    assert [item.script.split()[3] for item in done] == ["DELETE", "POST", *([] if enabled else ["POST"])]
    body = json.loads(done[1].stdin)
    assert (body["poc_port"], body["hardware"], body["version"]) == (
        8080,
        [{"type": "H100", "count": 8}],
        "v1",
    )


def test_an_old_api_never_gets_an_id_that_is_still_there() -> None:
    stays = listed(entry(poc_port=1))

    with pytest.raises(StepError, match="answered true, but node ml-03 is still registered"):
        drive(apply(step(node(), Action.UPDATE, OLD)), [stays, answer(200, "true"), stays])


@pytest.mark.parametrize("details", [OLD, NEW])
def test_an_unknown_id_is_never_switched(details: dict[str, object]) -> None:
    answers = [listed(entry()), listed()]

    with pytest.raises(StepError, match="is not registered, so it was not asked to disable it"):
        drive(apply(step(node(enabled=False), Action.UPDATE, details)), answers)


def test_an_old_api_gives_no_reason_and_that_is_explained() -> None:
    refusal = answer(500, '{"error": "error creating new node"}')

    with pytest.raises(StepError, match="refused with 500: error creating new node") as caught:
        drive(apply(step(node(), Action.CREATE, OLD)), [listed(), refusal])

    assert "docker logs --tail 50 api" in caught.value.hint


def test_a_node_taken_away_and_refused_is_said_to_be_gone() -> None:
    refusal = answer(500, '{"error": "error creating new node"}')
    answers = [listed(entry(poc_port=1)), answer(200, "true"), listed(), refusal]

    with pytest.raises(StepError, match="register node ml-03 again, which is not registered until then"):
        drive(apply(step(node(), Action.UPDATE, OLD)), answers)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (answer(500, '{"error": "broker is busy"}'), "answers 500: broker is busy"),
        (answer(200, "<html>"), "no JSON"),
        (TIMED_OUT, "does not answer: curl: "),
    ],
)
def test_an_api_that_cannot_be_read_is_not_written_to(read: Result, words: str) -> None:
    with pytest.raises(StepError, match=words):
        drive(apply(step(node(), Action.CREATE)), [read])
