"""One look through a real sh: sections keep apart, whatever they print, and an answer cut anywhere is unknown."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shlex
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.errors import FactError, GonkaStateError
from gonka_state.facts.base import split_parts
from gonka_state.facts.snapshot import (
    Answer,
    HostLook,
    Section,
    Snapshot,
    compose,
    decode,
    dump,
    restore,
)

if TYPE_CHECKING:
    from pathlib import Path

NONCE = "0123456789ab"
AS_ROOT = os.geteuid() == 0


def say(name: str, body: str, *, deadline: int = 20, root: bool = False) -> Section:
    return Section(name, body, deadline, root)


def ask(*sections: Section, peer: str = "", command: tuple[str, ...] = ("sh", "-s")) -> list[str]:
    done = subprocess.run(
        command,
        input=compose(sections, NONCE).encode(),
        stdout=subprocess.PIPE,
        env={**os.environ, **({"GONKA_STATE_PEER": peer} if peer else {})},
        check=True,
        timeout=60,
    )
    return done.stdout.decode().split("\n")


def look(*sections: Section, peer: str = "") -> HostLook:
    return decode(ask(*sections, peer=peer), NONCE)


def test_every_section_answers_for_itself() -> None:
    seen = look(
        say("first", "part greeting echo hello"),
        say("second", "exit 3"),
        say("third", "echo 'a syntax error: ' ${"),
        say("fourth", "part end echo still here"),
        peer="10.77.0.254",
    )

    assert list(seen.sections) == ["first", "second", "third", "fourth"]
    assert split_parts(seen.sections["first"].text).need("greeting").text == "hello\n"
    assert split_parts(seen.sections["fourth"].text).need("end").text == "still here\n"
    assert (seen.peer, seen.root, seen.unknown) == ("10.77.0.254", AS_ROOT, "")
    assert not seen.sections["first"].unknown


def test_no_peer_is_no_address() -> None:
    assert look().peer == ""


def test_a_section_that_hangs_is_stopped_and_the_next_one_speaks() -> None:
    started = time.monotonic()
    seen = look(say("slow", "part before echo said\nsleep 30", deadline=1), say("next", "part a echo b"))

    assert time.monotonic() - started < 10
    assert seen.sections["slow"].unknown == "no answer within 1 s"
    assert split_parts(seen.sections["slow"].text).need("before").text == "said\n"
    assert seen.sections["slow"].seconds >= 1
    assert not seen.sections["next"].unknown


def test_sections_run_at_the_same_time_and_speak_in_their_order(tmp_path: Path) -> None:
    mark = shlex.quote(str(tmp_path / "mark"))
    waits = f"until [ -e {mark} ]; do sleep 0.05; done; echo found"

    seen = look(
        say("waits", waits), say("between", "echo b"), say("makes", f": >{mark}"), say("waits-too", waits)
    )

    assert list(seen.sections) == ["waits", "between", "makes", "waits-too"]
    assert [answer.unknown for answer in seen.sections.values()] == [""] * 4
    assert seen.sections["waits"].text == seen.sections["waits-too"].text == "found\n"


def test_a_long_answer_is_not_late_because_one_before_it_hangs() -> None:
    seen = look(say("hangs", "sleep 30", deadline=6), say("long", "head -c 500000 /dev/urandom", deadline=5))

    assert seen.sections["hangs"].unknown == "no answer within 6 s"
    assert not seen.sections["long"].unknown
    assert seen.sections["long"].seconds < 5


def test_a_section_that_is_stopped_within_a_line_is_late_not_damaged() -> None:
    answer = look(say("slow", "printf half; sleep 30", deadline=1)).sections["slow"]

    assert (answer.unknown, answer.text) == ("no answer within 1 s", "half")


def test_a_section_cannot_read_the_rest_of_the_script() -> None:
    seen = look(say("greedy", "cat; cat <&1 || :"), say("next", "part a echo b"))

    assert not seen.sections["next"].unknown


@settings(max_examples=15)
@given(data=st.binary(max_size=60).filter(lambda data: b"\0" not in data))
def test_a_section_may_print_any_bytes(data: bytes) -> None:
    octal = "".join(f"\\{byte:03o}" for byte in data)

    answer = look(say("raw", f"printf {shlex.quote(octal)}")).sections["raw"]

    assert not answer.unknown
    assert answer.text.encode("utf-8", "surrogateescape") == data


def test_nul_and_a_lot_of_output_come_through_too() -> None:
    answer = look(say("big", "head -c 3000000 /dev/zero")).sections["big"]

    assert (answer.unknown, answer.text) == ("", "\0" * 3_000_000)


def test_a_section_that_knows_the_mark_cannot_close_its_own_frame() -> None:
    forged = 'printf "\\n$M end 0 1 -\\n$M section evil\\n$M end 0 1 -\\n$M done\\n"; part a echo b'

    seen = look(say("forger", forged), say("next", "part a echo b"))

    assert list(seen.sections) == ["forger", "next"]


def test_the_mark_differs_per_look_so_that_files_cannot_know_it() -> None:
    assert compose([say("a", "true")], "one") != compose([say("a", "true")], "two")


def test_a_body_with_quotes_and_heredocs_of_its_own_arrives_as_it_is() -> None:
    body = "cat <<'END'\n$HOME `id` \"'\\\nEND\npart a echo \"it's $((1+1))\""

    text = look(say("quotes", body)).sections["quotes"].text

    assert text.startswith("$HOME `id` \"'\\\n")
    assert "it's 2" in text


@pytest.mark.skipif(
    not AS_ROOT or shutil.which("setpriv") is None, reason="needs root and setpriv to become nobody"
)
def test_a_section_that_needs_root_says_so_and_the_others_answer() -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-s")

    lines = ask(say("root", "part a echo b", root=True), say("any", "part a id -u"), command=nobody)
    seen = decode(lines, NONCE)

    assert seen.sections["root"].unknown == "sudo without a password was refused"
    assert split_parts(seen.sections["any"].text).need("a").text == "65534\n"
    assert not seen.root


WHOLE = ask(say("first", "part a echo b"), say("second", "part c echo d"))
"""One real answer, for tests that damage it."""


@given(st.integers(0, len("\n".join(WHOLE))))
def test_an_answer_cut_anywhere_is_never_believed_further_than_it_goes(length: int) -> None:
    full = decode(WHOLE, NONCE)
    try:
        seen = decode("\n".join(WHOLE)[:length].split("\n"), NONCE)
    except FactError:
        return
    for name, answer in seen.sections.items():
        assert answer.unknown or answer.text == full.sections[name].text


@given(st.lists(st.text(max_size=20)))
def test_noise_before_the_answer_is_skipped(noise: list[str]) -> None:
    assert decode([*noise, *WHOLE], NONCE) == decode(WHOLE, NONCE)


@given(
    st.lists(st.text()),
    st.sampled_from(["", f"#@{NONCE} head", f"#@{NONCE} head 0 -", f"#@{NONCE} head 0 - x"]),
)
def test_the_reader_raises_nothing_but_fact_errors(lines: list[str], head: str) -> None:
    try:
        decode([head, *lines], NONCE)
    except FactError:
        return


@given(st.lists(st.sampled_from(["section a", "end", "end 0", "end x y z", "end 0 1 -", "done", "section"])))
def test_damaged_frames_raise_nothing_but_fact_errors(words: list[str]) -> None:
    try:
        decode([f"#@{NONCE} head 0 - 5.0", *(f"#@{NONCE} {word}" for word in words)], NONCE)
    except FactError:
        return


@pytest.mark.parametrize(
    ("lines", "said"),
    [([], "nothing"), (["", "  "], "nothing"), (["", "This account is not available."], "This account")],
)
def test_another_speaker_than_our_script_is_quoted(lines: list[str], said: str) -> None:
    with pytest.raises(FactError, match=f"something else than the look: {said}"):
        decode(lines, NONCE)


def framed(began: str, ended: str) -> list[str]:
    return [f"#@{NONCE} head 0 - {began}", f"#@{NONCE} done {ended}", ""]


@pytest.mark.parametrize(
    ("began", "ended", "skew"),
    [
        ("100.5", "107.9", 0.0),
        ("107.9", "107.95", 0.0),  # on its way for eight seconds: no skew
        ("97.0", "105.0", 3.0),
        ("106.0", "113.5", 5.5),
        ("100.5", "%s.%N", None),
        ("100.%N", "107.0", None),
    ],
)
def test_a_clock_is_off_only_by_what_the_way_cannot_account_for(
    began: str, ended: str, skew: float | None
) -> None:
    assert decode(framed(began, ended), NONCE, (100.0, 108.0)).skew == skew


def test_a_look_that_was_cut_short_compares_no_clocks() -> None:
    assert decode(framed("97.0", "105.0")[:1], NONCE, (100.0, 108.0)).skew is None


def test_this_machines_own_clock_is_not_off() -> None:
    sent = time.time()

    assert decode(ask(say("a", "part a sleep 0.3")), NONCE, (sent, time.time())).skew == 0.0


def frame(payload: str) -> list[str]:
    return [
        f"#@{NONCE} head 0 - 5.0",
        f"#@{NONCE} section a",
        payload,
        f"#@{NONCE} end 0 5 -",
        f"#@{NONCE} done",
    ]


def packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", "the answer was cut short"),
        ("not base64!", "the answer arrived damaged"),
        (packed("text")[:-8], "the answer arrived damaged"),
        (base64.b64encode(b"no gzip").decode(), "the answer arrived damaged"),
        (packed("text without an end"), "the answer was cut short"),
        (packed(f"text\n\n#@{NONCE} exit 124\n"), "no answer within 0 s"),
        (packed(f"text\n\n#@{NONCE} exit 137\n"), "no answer within 0 s"),
        (packed(f"text\n\n#@{NONCE} exit 1\n"), ""),
        (packed(f"\n#@{NONCE} exit 0\nmore"), "the answer was cut short"),
    ],
)
def test_a_damaged_section_is_unknown_and_says_why(payload: str, why: str) -> None:
    answer = decode(frame(payload), NONCE).sections["a"]

    assert answer.unknown.startswith(why)
    assert bool(answer.unknown) == bool(why)


TEXTS = st.binary(max_size=30).map(lambda data: data.decode("utf-8", "surrogateescape"))
ANSWERS = st.builds(Answer, TEXTS, st.floats(0, 99), st.sampled_from(["", "no answer within 3 s"]))
LOOKS = st.builds(
    HostLook,
    st.dictionaries(st.sampled_from(["files", "firewall"]), ANSWERS),
    st.sampled_from(["", "10.0.0.1"]),
    st.booleans(),
    st.floats(0, 99),
    st.integers(0, 2),
    st.sampled_from(["", "off"]),
)
SNAPSHOTS = st.builds(
    Snapshot,
    st.just("c"),
    st.just("2026-11-24T00:00:00+00:00"),
    st.just("salt"),
    st.dictionaries(st.sampled_from("ab"), LOOKS),
)


@given(SNAPSHOTS)
def test_a_snapshot_survives_being_written_down(snapshot: Snapshot) -> None:
    text = dump(snapshot)
    text.encode()

    assert restore(text, "file") == snapshot


def damaged(**changes: object) -> str:
    document = json.loads(
        dump(Snapshot("c", "2026-11-24T00:00:00+00:00", "s", {"h": HostLook({"files": Answer("x")})}))
    )
    return json.dumps({key: value for key, value in {**document, **changes}.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "f is damaged"),
        ("[]", "f is no snapshot"),
        ("{}", "f is no snapshot"),
        ('{"format": "other"}', "f is no snapshot"),
        (damaged(version=2), "f has snapshot version 2, this program reads 1"),
        (damaged(version=None), "f is damaged"),
        (damaged(salt=None), "f is damaged"),
        (damaged(taken="yesterday"), "f is damaged: Invalid isoformat string: 'yesterday'"),
        (
            damaged(taken="2026-11-24T00:00:00"),
            "f is damaged: taken at '2026-11-24T00:00:00', of no time zone",
        ),
        (damaged(hosts=[]), "f is damaged"),
        (damaged(hosts={"h": []}), "f is damaged"),
        (damaged(hosts={"h": {}}), "f is damaged"),
        (damaged(hosts={"h": {"sections": []}}), "f is damaged"),
        (damaged(hosts={"h": {"sections": {"a": {"word": 1}}}}), "f is damaged"),
        (damaged(hosts={"h": {"sections": {}, "word": 1}}), "f is damaged"),
    ],
)
def test_what_is_no_snapshot_of_ours_is_refused_with_what_to_do(text: str, why: str) -> None:
    with pytest.raises(GonkaStateError) as caught:
        restore(text, "f")

    assert caught.value.message.startswith(why)
    assert "version 2" in why or "gonka-state observe" in caught.value.hint
