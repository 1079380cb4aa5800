"""Messages from `drift` and `notify test` through real servers: one per incident, one on recovery, and no secret anywhere."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gonka_state.notify import send as sending
from tests.cli.conftest import Ran, Tiny
from tests.receiving import SECRET, Hook, Mailbox, mailbox, webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Program = Callable[..., Ran]

CRON = {"PATH": "/usr/bin:/bin"}
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="a look becomes root")


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as one:
        yield one


def declare(cluster: Tiny, *urls: str, mode: int = 0o600) -> Path:
    """The cluster with `notify`, and the file it names."""
    text = Path(cluster.file).read_text(encoding="utf-8")
    cluster.write(text + "notify: {urls: {file: urls}}\n")
    file = cluster.root / "urls"
    file.write_text("\n".join(["# on call", *urls]))
    file.chmod(mode)
    return file


def everything(ran: Ran, state: Path) -> str:
    """What a run said, and what is kept of it."""
    kept = b"".join(path.read_bytes() for path in state.iterdir()) if state.exists() else b""
    bugs = "".join(path.read_text() for path in state.parent.parent.glob("gonka-state-bug-*"))
    return ran.out + ran.err + bugs + kept.decode(errors="replace")


@ROOT
def test_one_message_per_incident_and_one_on_recovery(
    program: Program, here: Tiny, state: Path, mail: Mailbox, hook: Hook
) -> None:
    declare(here, mail.url, hook.url)
    one, sound = here.root / "one", (here.root / "one").read_text()
    assert program("drift", here.file, env=CRON) == Ran(0, "", "")

    one.write_text('SECRET="tampered"\n')
    ran = [program("drift", here.file, env=CRON) for _ in range(3)]
    assert [(item.status, item.err) for item in ran] == [(2, "")] * 3
    assert mail.subjects == ["here: 1 drifted (here-a file)"]

    one.write_text(sound)
    assert [program("drift", here.file, "--json", env=CRON).status for _ in range(2)] == [0, 0]
    assert mail.subjects == ["here: 1 drifted (here-a file)", "here: recovered"]
    assert [item["title"] for item in hook.posted] == mail.subjects

    told, over = mail.texts
    assert told.startswith(f"new\n  here-a/file:{one}  drift since ")
    assert f"to close it\n  gonka-state converge {here.file}\n" in told
    assert told.rstrip().endswith(f" UTC by {socket.gethostname()}")
    assert over.startswith(f"recovered\n  here-a/file:{one}  drift from ")
    assert "\nIn sync: 2 resources on 1 hosts.\n" in over
    said = everything(Ran(0, *(f"{item.out}{item.err}" for item in ran[:2])), state)
    for word in (SECRET, "hunter2", "tampered"):
        assert word not in said + told + over


@ROOT
def test_what_a_converge_closed_before_the_next_check_is_no_message(
    program: Program, here: Tiny, mail: Mailbox
) -> None:
    declare(here, mail.url)
    program("drift", here.file)
    (here.root / "one").unlink()

    program("drift", here.file)
    assert program("converge", here.file, "--yes").status == 0
    assert program("drift", here.file) == Ran(0, "", "")

    assert mail.subjects == []


@ROOT
def test_what_a_converge_closed_later_is_told_by_drift_alone(
    program: Program, here: Tiny, mail: Mailbox
) -> None:
    declare(here, mail.url)
    program("drift", here.file)
    (here.root / "one").unlink()
    for command in ("drift", "diff"):
        program(command, here.file)
    part = program("drift", here.file, "--kind", "file")
    assert (part.status, mail.subjects) == (2, [])
    program("drift", here.file)
    assert mail.subjects == ["here: 1 drifted (here-a file)"]

    program("converge", here.file, "--yes")
    assert len(mail.mails) == 1
    program("drift", here.file)

    assert mail.subjects[1:] == ["here: recovered"]


@ROOT
def test_a_host_in_maintenance_is_silent(program: Program, here: Tiny, mail: Mailbox) -> None:
    declare(here, mail.url)
    program("drift", here.file)
    text = Path(here.file).read_text(encoding="utf-8")
    here.write(
        text.replace("    role: any\n", "    role: any\n    maintenance: {until: 2999-01-01, reason: x}\n")
    )
    (here.root / "one").unlink()

    assert [program("drift", here.file).status for _ in range(3)] == [0, 0, 0]
    assert mail.subjects == []


def off(tiny: Tiny, program: Program) -> None:
    """Two checks of hosts that give no answer."""
    assert [program("drift", tiny.file, env=CRON).status for _ in range(2)] == [1, 1]


def test_what_is_not_taken_is_said_and_tried_again(
    program: Program, tiny: Tiny, state: Path, mail: Mailbox
) -> None:
    file = declare(tiny, f"json://127.0.0.1:1/{SECRET}", mail.url)
    mail.refuses = f"451 {SECRET} later"
    assert program("drift", tiny.file, env=CRON).err == ""

    ran = program("drift", tiny.file, env=CRON)
    assert ran.err == (
        f"not told: the 1st of 2 in {file} (json) did not take the message: Connection refused\n"
        "  the next drift tries again\n"
        f"not told: the 2nd of 2 in {file} (mailto) did not take the message: it answered 451\n"
        "  the next drift tries again\n"
    )
    assert (ran.status, ran.out.splitlines()[-1].startswith("Drift: ")) == (1, True)
    assert SECRET not in everything(ran, state)

    mail.refuses = ""
    again = program("drift", tiny.file, "--json", env=CRON)
    assert mail.subjects == ["tiny: 2 unknown (tiny-a, tiny-b)"]
    assert again.err.count("not told: ") == 1
    assert SECRET not in everything(again, state)
    assert json.loads(again.out)["exit_status"] == 1
    program("drift", tiny.file, env=CRON)
    assert len(mail.mails) == 1


@pytest.mark.parametrize(
    ("break_", "said"),
    [
        (lambda file: file.unlink(), "not told: the URLs to notify: urls (TINY:NN) cannot be read: no such file\n"),
        (lambda file: file.chmod(0o644), "not told: the URLs to notify: others may use FILE (TINY:NN), its mode is 0644\n  they are secrets: chmod 600 FILE\n"),
        (lambda file: file.write_text(f"{SECRET}\n"), "not told: line 1 of FILE is no URL\n  one URL a line; lines with # are comments\n"),
    ],
)  # fmt: skip
def test_without_its_secret_it_says_so_and_the_result_stays(
    program: Program, tiny: Tiny, mail: Mailbox, break_: Callable[[Path], None], said: str
) -> None:
    file, state = declare(tiny, mail.url), tiny.root / "state/gonka-state"
    line = len(Path(tiny.file).read_text().splitlines())
    expected = said.replace("TINY:NN", f"{tiny.file}:{line}").replace("FILE", str(file))
    plain = program("drift", tiny.file, env=CRON)
    break_(file)

    ran = program("drift", tiny.file, env=CRON)
    tested = program("notify", "test", tiny.file, env=CRON)
    validated = program("validate", tiny.file, env=CRON)

    assert (plain.status, plain.err) == (1, "")
    assert (ran.status, ran.err) == (1, expected)
    assert (tested.status, tested.out) == (4, "")
    assert tested.err == expected.replace("not told: ", "error: ")
    assert validated.status == 0
    assert (
        validated.out.splitlines()[-1] == f"  {expected[10:].splitlines()[0]}; nobody is notified until then"
    )
    assert SECRET not in everything(ran, state) + tested.err + validated.out

    declare_again(file, mail)
    program("drift", tiny.file, env=CRON)
    assert mail.subjects == ["tiny: 2 unknown (tiny-a, tiny-b)"]


def declare_again(file: Path, mail: Mailbox) -> None:
    file.write_text(mail.url)
    file.chmod(0o600)


def test_a_variable_that_cron_has_not_is_named(program: Program, tiny: Tiny, mail: Mailbox) -> None:
    tiny.write(Path(tiny.file).read_text() + "notify: {urls: {env: ONCALL}}\n")
    program("drift", tiny.file, env=CRON)
    ping = tiny.root / "ping-url"
    ping.write_text("http://127.0.0.1:1/", encoding="utf-8")

    ran = program("drift", tiny.file, "--ping-url-file", str(ping), env=CRON)
    assert (ran.status, "not told: the URLs to notify: ONCALL (" in ran.err) == (1, True)
    # Whoever waits for the call shall notice: it was not even tried.
    assert "ping" not in ran.err
    told = program("drift", tiny.file, env={**CRON, "ONCALL": mail.url})
    assert (told.err, len(mail.mails)) == ("", 1)


def test_where_nothing_is_declared_nothing_is_said(program: Program, tiny: Tiny) -> None:
    off(tiny, program)

    ran = program("notify", "test", tiny.file)
    assert (ran.status, ran.err) == (
        4,
        "error: tiny: no `notify` is declared\n  notify: {urls: {file: PATH}} (docs/checks.md)\n",
    )


def test_a_test_message_says_of_each_whether_it_was_taken(
    cli: Callable[..., Ran], tiny: Tiny, mail: Mailbox, hook: Hook
) -> None:
    hook.status = 403
    file = declare(tiny, mail.url, hook.url)

    ran = cli("notify", "test", tiny.file)

    assert ran == Ran(
        1,
        f"the 1st of 2 in {file} (mailto): taken\nthe 2nd of 2 in {file} (json): not taken: it answered 403\n",
        "",
    )
    assert mail.subjects == ["tiny: test of notify"]
    hook.status = 200
    assert cli("notify", "test", tiny.file).status == 0


def test_clusters_with_the_same_receivers_send_one_test(
    cli: Callable[..., Ran], tiny: Tiny, mail: Mailbox
) -> None:
    declare(tiny, mail.url)
    text = Path(tiny.file).read_text()
    shared = "notify: {urls: {file: urls}}\n"
    (tiny.root / "shared.yaml").write_text(shared)
    tiny.write(text.replace(shared, "extends: shared.yaml\n"))
    (tiny.root / "other.yaml").write_text(
        Path(tiny.file).read_text().replace("cluster: tiny", "cluster: other")
    )

    ran = cli("notify", "test", str(tiny.root))

    assert (ran.status, mail.subjects) == (0, ["other, tiny: test of notify"])


@pytest.mark.parametrize(
    "words",
    [
        "notify: mailto://SECRET",
        "notify: {urls: mailto://SECRET}",
        "notify: {urls: [mailto://SECRET]}",
        "notify: {url: mailto://SECRET}",
        "notify:\n  - mailto://SECRET",
        "notify:\n  urls:\n    - mailto://a\n    - mailto://SECRET",
        "notify:\n  urls: |\n    mailto://SECRET",
        "notify: {urls: {file: 7, url: mailto://SECRET}}",
        "notify: {mailto://SECRET: }",
        "notify: {urls: {env: mailto://SECRET}}",
        "notify: {urls: {file: mailto://SECRET}}",
        "notify: {urls: {command: [mailto://SECRET]}}",
    ],
)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_urls_in_the_yaml_are_refused_and_not_shown(
    cli: Callable[..., Ran], tiny: Tiny, words: str, as_json: tuple[str, ...]
) -> None:
    tiny.write(Path(tiny.file).read_text() + words.replace("SECRET", SECRET) + "\n")

    ran = cli("drift", tiny.file, *as_json)

    assert ran.status == 4
    assert "tiny.yaml:" in ran.out + ran.err
    assert SECRET not in ran.out + ran.err


def test_a_bug_does_not_tell_a_url(
    cli: Callable[..., Ran], tiny: Tiny, mail: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks inside of somebody else's code: it is named, and its text is not repeated."""

    def breaks(*_: object) -> bool:
        raise RuntimeError(mail.url)

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(sending, "_notify", breaks)
    declare(tiny, mail.url)

    ran = cli("notify", "test", tiny.file)

    assert (ran.status, ran.out) == (
        1,
        ran.out.split(" (")[0] + " (mailto): not taken: apprise failed with RuntimeError\n",
    )
    assert list(tmp_path.glob("gonka-state-bug-*")) == []
    assert SECRET not in ran.out + ran.err


def test_a_mail_server_that_is_slow_does_not_hold_up_what_is_printed(program: Program, tiny: Tiny) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        declare(tiny, f"json://127.0.0.1:{silent.getsockname()[1]}/{SECRET}?rto=1")
        program("drift", tiny.file, env=CRON)
        started = time.monotonic()
        ran = program("drift", tiny.file, env=CRON)

    assert ran.err.endswith("did not take the message: no answer in time\n  the next drift tries again\n")
    assert time.monotonic() - started < 30
