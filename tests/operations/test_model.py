"""Model downloads, driven with answers recorded from hf 2.4.0 under systemd 252 on a lab host."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Present
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations.base import Command, Do, Pause, Result, Say, Step
from gonka_state.operations.model import apply
from gonka_state.operations.model_job import Job, of_hub
from gonka_state.operations.model_progress import Progress, Status
from gonka_state.resources.model import ModelResource

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df"
UNIT = "gonka-state-model-Qwen--Qwen3-32B-FP8.service"
WISH = ModelResource(
    name="Qwen/Qwen3-32B-FP8", revision=COMMIT, home="/mnt/shared", endpoint="http://127.0.0.1:8499"
)
SHARDS = {
    "d9ebf3b6ea2af87872f0b34bb35dc9539c394b3a24186a21470c5fc4119365b7": 60000336,
    "81be50e9fca584fd5f296509de80210186e6075003f6f2158c95691dcfd4a1c0": 60000336,
}
SMALL = {"a54210bf3b9185a183b8310200baf6cb4381d73f": 134}
NOT_THERE = Result(
    0,
    "Result=success\nNRestarts=0\nExecMainStatus=0\nDescription=gonka-state-model-Qwen--Qwen3-32B-FP8.service\n"
    "LoadState=not-found\nActiveState=inactive\nSubState=dead\nInvocationID=\nUptime=2641.64\n",
)
NONE_LEFT = Result(0, "0\n")
STARTED = Result(0)
FORGOTTEN = Result(0)


def unit(sub: str, uptime: float, whole: int, part: int = 0, **other: object) -> Result:
    values = {
        "Result": "success", "NRestarts": 0, "ExecMainStatus": 0,
        "Description": f"Qwen/Qwen3-32B-FP8 at {COMMIT} into /mnt/shared", "LoadState": "loaded",
        "ActiveState": "active", "SubState": sub, "InvocationID": "4aa85c05a87445a38b5d23be8a4bff75",
        "Uptime": f"{uptime:.2f}", "Whole": whole, "Part": part, **other,
    }  # fmt: skip
    return Result(0, "".join(f"{name}={value}\n" for name, value in values.items()))


def hub(blobs: dict[str, int], free: int = 82420051968) -> Result:
    """The listing of two shards and a config, and what is on disk already."""
    files: list[dict[str, object]] = [
        {"type": "file", "oid": f"{number:040d}", "size": size, "path": f"model-0000{number}-of-00002.safetensors",
         "lfs": {"oid": name, "size": size, "pointerSize": 134}}
        for number, (name, size) in enumerate(SHARDS.items(), 1)
    ]  # fmt: skip
    files += [
        {"type": "file", "oid": name, "size": size, "path": "config.json"} for name, size in SMALL.items()
    ]
    there = "".join(f"blob {size} {name}\n" for name, size in blobs.items())
    return Result(0, f"free {free}\n{there}hub\n{json.dumps(files)}\n200")


def changed(wish: ModelResource, differs: str = "revision") -> Change:
    difference = AttributeChange(differs, None, "after")
    return Change(Address("h", "model", wish.name), Action.UPDATE, (difference,))


def drive(
    answers: list[Result],
    details: dict[str, object] | None = None,
    model: int = 7200,
    wish: ModelResource = WISH,
    differs: str = "revision",
) -> list[Command]:
    """Everything the operation yields, with one answer for each Do; no answer may be left over."""
    seen = Present({"revision": "partial"}, details or {})
    commands = apply(Step(changed(wish, differs), wish, seen, Here("h", {}), Timeouts(model=model)))
    yielded: list[Command] = []
    given: Result | None = None
    while True:
        try:
            command = next(commands) if given is None else commands.send(given)
        except StopIteration:
            assert not answers
            return yielded
        yielded.append(command)
        given = answers.pop(0) if isinstance(command, Do) else Result(0)


def said(commands: list[Command]) -> list[str]:
    return [command.text for command in commands if isinstance(command, Say)]


def test_from_nothing_to_complete_with_bytes_rate_and_time_left() -> None:
    commands = drive(
        [
            NOT_THERE, hub({}), NONE_LEFT, STARTED,
            unit("running", 2642.86, 0), unit("running", 2645.10, 134), unit("running", 2652.86, 134, 41943040),
            unit("exited", 2660.0, 120000806), FORGOTTEN,
        ]
    )  # fmt: skip

    assert said(commands) == [
        "120.0 MB to fetch, 82.4 GB free at /mnt/shared",
        "0 B of 120.0 MB (0 %)",
        "134 B of 120.0 MB (0 %), 60 B/s",
        "41.9 of 120.0 MB (34 %), 4.2 MB/s, 19 s left",
    ]
    assert [command.seconds for command in commands if isinstance(command, Pause)] == [2.0, 2.0, 2.0]


def test_the_client_runs_quietly_in_a_unit_of_its_own() -> None:
    commands = drive([NOT_THERE, hub({}), NONE_LEFT, STARTED, unit("exited", 2642.86, 120000806), FORGOTTEN])

    start = next(
        command.script for command in commands if isinstance(command, Do) and "systemd-run" in command.script
    )
    assert f"--unit={UNIT}" in start
    assert f'"$client" download {WISH.name} --revision {COMMIT} --quiet' in start
    assert "--setenv=HF_HOME=/mnt/shared --setenv=HF_ENDPOINT=http://127.0.0.1:8499" in start
    assert "--local-dir" not in start


def test_the_public_hub_needs_no_endpoint() -> None:
    job = Job.of(WISH.model_copy(update={"endpoint": None}))

    assert "HF_ENDPOINT" not in job.environment
    assert f"https://huggingface.co/api/models/{WISH.name}/tree/{COMMIT}?recursive=true" in job.ask().script


def test_a_running_download_is_followed_and_none_is_started() -> None:
    commands = drive(
        [
            unit("running", 1.0, 134, 5000),
            hub(SMALL),
            unit("running", 2.0, 134, 5000),
            unit("exited", 9.0, 120000806),
            FORGOTTEN,
        ]
    )

    assert said(commands)[0] == f"already downloading in {UNIT}: following it"
    assert not any("systemd-run" in command.script for command in commands if isinstance(command, Do))


def test_a_running_download_is_followed_also_when_the_hub_does_not_tell_the_size() -> None:
    commands = drive(
        [
            unit("running", 1.0, 134),
            Result(7, "free 1\nhub\n\n000"),
            unit("running", 2.0, 134),
            unit("exited", 9.0, 5000),
            FORGOTTEN,
        ]
    )

    assert said(commands)[1] == "134 B"


def test_a_unit_that_fetches_something_else_is_left_alone() -> None:
    with pytest.raises(StepError, match=f"{UNIT} is busy with Qwen/Qwen3-32B-FP8 at bbbb") as caught:
        drive([unit("running", 1.0, 0, Description="Qwen/Qwen3-32B-FP8 at bbbb into /mnt/shared")])

    assert f"systemctl stop {UNIT}" in caught.value.hint


def test_too_little_space_is_refused_before_the_first_byte() -> None:
    with pytest.raises(StepError, match=r"60\.0 MB to fetch, but only 1\.0 GB free at /mnt/shared") as caught:
        drive([NOT_THERE, hub({next(iter(SHARDS)): 60000336} | SMALL, free=1_040_000_000)])

    assert "--unmanaged" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (Result(0, 'free 9\nhub\n{"error": "Not found"}\n404'), 'answered 404 {"error": "Not found"}', "has Qwen/Qwen3-32B-FP8 a revision"),
        (Result(0, "free 9\nhub\nbusy\n503"), "answered 503 busy", "can the host reach"),
        (Result(7, "free 9\nhub\n\n000", "curl: (7) Failed to connect to 127.0.0.1 port 8499"), "Failed to connect", "can the host reach"),
        (Result(0, "free 9\nhub\n<html>\n200"), "its listing cannot be read", "can the host reach"),
    ],
)  # fmt: skip
def test_a_hub_that_does_not_answer_is_told(answer: Result, message: str, hint: str) -> None:
    with pytest.raises(StepError) as caught:
        drive([NOT_THERE, answer])

    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_client_that_is_not_installed_is_told() -> None:
    with pytest.raises(StepError, match="hf is not installed for root"):
        drive([NOT_THERE, hub({}), NONE_LEFT, Result(127, "", "hf is not installed\n")])


def test_a_failed_download_ends_with_the_clients_last_words() -> None:
    words = (
        "Retrying in 8s [Retry 5/5].\n"
        "Error: Local entry not found. Server error '500 Internal Server Error' for url 'http://127.0.0.1:8499/x'\n"
        "Internal Error - We're working hard to fix this\n"
    )
    failed = unit(
        "failed", 2728.07, 134, 999, ActiveState="failed", Result="exit-code", ExecMainStatus=1, NRestarts=3
    )
    retrying = unit("auto-restart", 2720.05, 134, Result="exit-code", ExecMainStatus=1, NRestarts=2)

    with pytest.raises(StepError) as caught:
        drive(
            [
                NOT_THERE,
                hub({}),
                NONE_LEFT,
                STARTED,
                unit("running", 2642.86, 0),
                retrying,
                failed,
                Result(0, words),
            ]
        )

    assert caught.value.message.startswith(
        "hf download failed (exit-code, exit status 1) at 134 B of 120.0 MB: Retrying"
    )
    assert caught.value.message.endswith("Internal Error - We're working hard to fix this")
    assert f"journalctl -u {UNIT}" in caught.value.hint


def test_a_stopped_download_is_told_from_a_finished_one() -> None:
    with pytest.raises(
        StepError, match=r"is gone at 134 B of 120\.0 MB: it was stopped, or the host restarted"
    ):
        drive(
            [
                NOT_THERE,
                hub({}),
                NONE_LEFT,
                STARTED,
                unit("running", 1.0, 0),
                Result(0, NOT_THERE.stdout + "Whole=134\nPart=777\n"),
            ]
        )


def test_over_the_deadline_the_download_goes_on_without_us() -> None:
    with pytest.raises(StepError, match=r"not done after 10 s: 134 B of 120\.0 MB") as caught:
        drive(
            [NOT_THERE, hub({}), NONE_LEFT, STARTED, unit("running", 1.0, 134), unit("running", 20.0, 134)],
            model=10,
        )

    assert "converge again to follow it" in caught.value.hint
    assert f"systemctl stop {UNIT}" in caught.value.hint


def test_only_truncated_files_of_the_look_are_removed() -> None:
    bad = {"/mnt/shared/hub/models--Qwen--Qwen3-32B-FP8/snapshots/c/it's one": 200000}

    commands = drive(
        [NOT_THERE, hub({}), Result(0), NONE_LEFT, STARTED, unit("exited", 1.0, 1), FORGOTTEN], {"bad": bad}
    )

    removal = [command for command in commands if isinstance(command, Do) and "remove()" in command.script]
    assert [command.about for command in removal] == ["remove 1 bad file(s)"]
    assert removal[0].script.count("\nremove /") + removal[0].script.count("\nremove '/") == 1


def remove(home: Path, path: Path, size: int) -> subprocess.CompletedProcess[str]:
    """Run the script for one truncated file."""
    wish = WISH.model_copy(update={"home": str(home)})
    seen = Present({}, {"bad": {str(path): size}})
    commands = apply(Step(changed(wish), wish, seen, Here("h", {}), Timeouts()))
    next(commands)
    commands.send(NOT_THERE)
    removal = commands.send(hub({}))
    assert isinstance(removal, Do)
    return subprocess.run(["sh", "-s"], input=removal.script, capture_output=True, check=False, text=True)


def cache(home: Path) -> tuple[Path, Path, Path]:
    """A file of a revision whose blob is a link into the shared store: entry, blob, store file."""
    store = home / "hub/blobs/ab/abcd"
    blob = home / "hub/models--Qwen--Qwen3-32B-FP8/blobs/blob"
    entry = home / "hub/models--Qwen--Qwen3-32B-FP8/snapshots/c/file"
    for path in (store, blob, entry):
        path.parent.mkdir(parents=True)
    store.write_bytes(bytes(10))
    blob.symlink_to("../../blobs/ab/abcd")
    entry.symlink_to("../../blobs/blob")
    return entry, blob, store


def test_both_ends_of_a_shared_blob_go_and_the_entry_stays(tmp_path: Path) -> None:
    entry, blob, store = cache(tmp_path)

    assert remove(tmp_path, entry, 10).returncode == 0

    assert entry.is_symlink()
    assert not blob.is_symlink()
    assert not store.exists()


def test_a_plain_blob_goes(tmp_path: Path) -> None:
    entry, blob, store = cache(tmp_path)
    blob.unlink()
    store.rename(blob)

    assert remove(tmp_path, entry, 10).returncode == 0

    assert not blob.exists()


def test_a_copy_without_links_goes(tmp_path: Path) -> None:
    entry, _, store = cache(tmp_path)
    entry.unlink()
    store.rename(entry)

    assert remove(tmp_path, entry, 10).returncode == 0

    assert not entry.exists()


def test_a_file_that_grew_meanwhile_stays(tmp_path: Path) -> None:
    entry, blob, store = cache(tmp_path)

    assert remove(tmp_path, entry, 9).returncode == 0

    assert blob.is_symlink()
    assert store.exists()


def test_nothing_outside_the_cache_goes(tmp_path: Path) -> None:
    entry, blob, _ = cache(tmp_path / "home")
    precious = tmp_path / "precious"
    precious.write_bytes(bytes(10))
    blob.unlink()
    blob.symlink_to(precious)

    assert remove(tmp_path / "home", entry, 10).returncode == 0

    assert not blob.is_symlink()
    assert precious.exists()


def test_an_entry_that_leads_out_of_the_cache_is_left_to_a_human(tmp_path: Path) -> None:
    entry, _, _ = cache(tmp_path / "home")
    precious = tmp_path / "precious"
    precious.write_bytes(bytes(10))
    entry.unlink()
    entry.symlink_to(precious)

    done = remove(tmp_path / "home", entry, 10)

    assert (done.returncode, precious.exists()) == (1, True)
    assert "remove it by hand" in done.stderr


def test_a_model_that_is_kept_on_another_disk_is_cleaned_too(tmp_path: Path) -> None:
    entry, blob, store = cache(tmp_path / "home")
    blob.unlink()
    store.rename(blob)
    model = entry.parent.parent.parent
    model.rename(tmp_path / "other-disk")
    model.symlink_to(tmp_path / "other-disk")

    assert remove(tmp_path / "home", entry, 10).returncode == 0

    assert not blob.exists()


@given(st.text(), st.integers(0, 255))
def test_any_answer_of_a_host_is_read(text: str, status: int) -> None:
    Status.read(Result(status, text))
    of_hub(Result(status, text))
    of_hub(Result(status, f"{text}\nhub\n{text}\n200"))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1))
def test_progress_is_never_nonsense(looks: list[tuple[float, int, int]]) -> None:
    progress = Progress(total=10**11, foreign=1000)
    for uptime, whole, part in looks:
        progress.add(Status(loaded=True, sub="running", uptime=uptime, whole=whole, part=part))

    assert 0 <= progress.done <= progress.total
    assert progress.rate >= 0
    assert 2 <= progress.pause <= 30
    assert progress.line


NAMED = WISH.model_copy(update={"ref": "main"})


def test_a_name_alone_downloads_nothing() -> None:
    commands = drive([Result(0)], wish=NAMED, differs="ref")

    assert [command.about for command in commands if isinstance(command, Do)] == ["name aa55da1ecc13 main"]


def test_the_name_comes_after_the_last_byte() -> None:
    commands = drive(
        [NOT_THERE, hub({}), NONE_LEFT, STARTED, unit("exited", 2642.86, 120000806), FORGOTTEN, Result(0)],
        wish=NAMED,
    )

    assert isinstance(commands[-1], Do)
    assert commands[-1].about == "name aa55da1ecc13 main"


def script_of(commands: list[Command], about: str) -> str:
    return next(item.script for item in commands if isinstance(item, Do) and item.about.startswith(about))


def test_a_name_is_written_as_the_client_writes_it(tmp_path: Path) -> None:
    wish = NAMED.model_copy(update={"home": str(tmp_path / "a home")})
    script = script_of(drive([Result(0)], wish=wish, differs="ref"), "name")

    for _ in range(2):
        subprocess.run(["sh", "-s"], input=script, check=True, text=True)

    refs = tmp_path / "a home/hub/models--Qwen--Qwen3-32B-FP8/refs"
    assert [path.name for path in refs.iterdir()] == ["main"]
    assert (refs / "main").read_bytes() == COMMIT.encode()


def test_unfinished_files_go_where_nobody_has_them_open(tmp_path: Path) -> None:
    wish = WISH.model_copy(update={"home": str(tmp_path)})
    answers = [NOT_THERE, hub({}), Result(0, "5000\n"), STARTED, unit("exited", 1.0, 1), FORGOTTEN]
    commands = drive(answers, wish=wish)
    blobs = tmp_path / "hub/models--Qwen--Qwen3-32B-FP8/blobs"
    blobs.mkdir(parents=True)
    for name in ("a.1234abcd.incomplete", "b.1234abcd.incomplete", "whole"):
        (blobs / name).write_bytes(bytes(5000))

    with (blobs / "b.1234abcd.incomplete").open("ab"):
        done = subprocess.run(
            ["sh", "-s"],
            input=script_of(commands, "remove unfinished"),
            capture_output=True,
            check=True,
            text=True,
        )

    assert int(done.stdout) >= 5000
    assert sorted(path.name for path in blobs.iterdir()) == ["b.1234abcd.incomplete", "whole"]
    assert said(commands)[0] == "5.0 kB of unfinished files removed: nobody goes on with them"
