"""Files as a real host shows them: the host's masking is ours byte for byte, and no secret travels."""

from __future__ import annotations

import os
import string
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gonka_state.core import masking
from gonka_state.core.change import Action
from gonka_state.core.diff import compare
from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import MARK, PRELUDE, Look
from gonka_state.facts.files import (
    FACT,
    LIMIT,
    FilesState,
    Found,
    observe_directory,
    observe_file,
    wanted_file,
)
from gonka_state.facts.here import Here
from gonka_state.resources.directory import DirectoryResource
from gonka_state.resources.file import FileResource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gonka_state.core.change import AttributeChange
    from gonka_state.facts.base import Fact
    from gonka_state.resources.base import Resource

    Run = Callable[[Fact[Any], Sequence[Resource]], str]

HERE = Here("h", {})
HIDDEN = "Zq7-Hidden_Value"
# Root reads everything, so that test gives its rights up.
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


def file(
    path: Path,
    content: str | None = "",
    secrets: dict[str, str] | None = None,
    *,
    mode: str | None = None,
    owner: str | None = None,
) -> FileResource:
    hidden = {name: SecretStr(value) for name, value in (secrets or {}).items()}
    return FileResource(name=str(path), content=content, secrets=hidden, mode=mode, owner=owner)


def look(section: Run, *resources: Resource) -> FilesState:
    return FACT.parse(section(FACT, resources))


def judge(section: Run, resource: FileResource) -> tuple[Action, tuple[AttributeChange, ...]]:
    state = look(section, resource)
    return compare(wanted_file(state, resource, HERE), observe_file(state, resource, HERE))


# Lines that come near what is masked: words, suspects, quotes, separators, and bytes of every kind.
PIECES = st.sampled_from(
    [b"KEY", b"KE", b"B=", b"=", b":", b" ", b"\t", b"'", b'"', b"\\", b"%s", b"$(id)", b"-n", b"*", b"L", b"S",
     b"password", b"PassPhrase_2", b"api_key", b"APIKEY", b"secret", b"\n", b"\n\n", b"\r\n", b"\xc3\xa4", b"\x81", b"\x88", b"\xff"]
)  # fmt: skip
BYTES = st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join)


@settings(max_examples=60)
@given(data=BYTES.filter(lambda data: b"\0" not in data))
def test_the_hosts_masking_is_ours_byte_for_byte(section: Run, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    words = f"KEY={masking.placeholder('a')}\nB={masking.placeholder('a')}\n"

    found = look(section, file(path, words, {"a": "value"})).paths[str(path)]

    expected = masking.mask(data.decode("utf-8", "surrogateescape"), ["B", "KEY"], "salt")
    assert found.content == expected


LINE = st.sampled_from(
    ["{n}={s}", 'export {n}="{s}"', "{n}: {s}", "-e B={t} -e {n}={s}", "{n}={s} {n}={t}", "plain"]
)
NAMES = st.sampled_from(["KEY", "B", "DB_URL", "a.b"])
VALUES = st.text(string.ascii_letters + " !#$%&*'\"=:;|\\äß", max_size=12).map(lambda text: f"ZQ{text}QZ")


@settings(max_examples=25)
@given(lines=st.lists(st.tuples(LINE, NAMES), min_size=1, max_size=4), value=VALUES, other=VALUES)
def test_what_we_wrote_is_in_sync_and_no_secret_of_it_travels(
    section: Run, tmp_path: Path, lines: list[tuple[str, str]], value: str, other: str
) -> None:
    marks = {"s": masking.placeholder("one"), "t": masking.placeholder("two")}
    content = "\n".join(line.format(n=name, **marks) for line, name in lines)
    secrets = {"one": value, "two": other}
    path = tmp_path / "file"
    path.write_text(masking.reveal(content, secrets), encoding="utf-8")
    resource = file(path, content, secrets)

    answer = section(FACT, [resource])

    assert judge(section, resource)[0] is Action.NONE
    assert value not in answer
    assert other not in answer
    assert value not in FACT.script([resource], Look())


def test_a_changed_secret_is_seen_masked_and_the_rest_line_by_line(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(f"# head\nKEY={HIDDEN}\nPORT=1\n", encoding="utf-8")

    action, changes = judge(
        section, file(path, f"# head\nKEY={masking.placeholder('k')}\nPORT=2\n", {"k": "another"})
    )

    assert action is Action.UPDATE
    before, after = changes[0].before.splitlines(), changes[0].after.splitlines()
    assert (before[0], before[2]) == ("# head", "PORT=1")
    assert (after[0], after[2]) == ("# head", "PORT=2")
    assert before[1] != after[1]
    assert before[1].startswith("KEY <secret ")


def test_a_secret_nobody_declared_stays_on_the_host_too(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(f"POSTGRES_PASSWORD={HIDDEN}\n", encoding="utf-8")

    assert HIDDEN not in section(FACT, [file(path, "other\n")])


@pytest.mark.parametrize(
    ("content", "secrets"),
    [
        (f"KEY={masking.placeholder('k')}\n", {"k": f"first\n{HIDDEN}"}),
        (f"{masking.placeholder('k')}\n", {"k": HIDDEN}),
    ],
)
def test_a_secret_that_cannot_be_cut_out_of_its_lines_makes_the_file_opaque(
    section: Run, tmp_path: Path, content: str, secrets: dict[str, str]
) -> None:
    path = tmp_path / "key"
    path.write_text(masking.reveal(content, secrets), encoding="utf-8")
    resource = file(path, content, secrets)

    answer = section(FACT, [resource])
    found = FACT.parse(answer).paths[str(path)]

    assert HIDDEN not in answer
    assert found.opaque
    assert found.content is not None
    assert found.content.startswith("<")
    assert judge(section, resource)[0] is Action.NONE
    path.write_text("other", encoding="utf-8")
    assert judge(section, resource)[0] is Action.UPDATE


@pytest.mark.parametrize("data", [b"nul \0 byte\n", b"x" * (LIMIT + 1)])
def test_what_is_no_text_is_compared_by_one_digest(section: Run, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "big"
    path.write_bytes(data)

    assert judge(section, file(path, data.decode()))[0] is Action.NONE
    assert judge(section, file(path, f"{data.decode()}."))[0] is Action.UPDATE


def test_an_empty_file_and_one_without_a_last_newline_are_told_apart(section: Run, tmp_path: Path) -> None:
    empty, bare = tmp_path / "empty", tmp_path / "bare"
    empty.touch()
    bare.write_text("a", encoding="utf-8")

    assert judge(section, file(empty, ""))[0] is Action.NONE
    assert judge(section, file(empty, "\n"))[0] is Action.UPDATE
    assert judge(section, file(bare, "a"))[0] is Action.NONE
    assert judge(section, file(bare, "a\n"))[0] is Action.UPDATE


@pytest.mark.parametrize(
    "name", ["with space", "it's", "-n", "$(id)", "a;b", "ä", "*", 'say "x"', "back\\slash"]
)
def test_any_name_is_looked_at_as_it_is(section: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("text\n", encoding="utf-8")

    assert judge(section, file(path, "text\n"))[0] is Action.NONE


def test_mode_and_owner_are_compared_where_declared(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a\n", encoding="utf-8")
    path.chmod(0o640)

    assert judge(section, file(path, "a\n", mode="0640"))[0] is Action.NONE
    assert judge(section, file(path, "a\n", mode="640"))[0] is Action.NONE
    _, changes = judge(section, file(path, "a\n", mode="0600", owner="nobody"))
    assert [(item.name, item.after) for item in changes] == [("mode", "0600"), ("owner", "nobody")]


def test_without_declared_content_none_is_read(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("whatever", encoding="utf-8")
    resource = file(path, None, mode="0600")

    assert look(section, resource).paths[str(path)].content is None
    assert "whatever" not in section(FACT, [resource])


def test_the_special_bits_of_a_mode_count(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "dir"
    path.mkdir()
    path.chmod(0o2755)

    resource = DirectoryResource(name=str(path), mode="755")
    seen = observe_directory(look(section, resource), resource, HERE)

    assert isinstance(seen, Present)
    assert seen.attributes["mode"] == "2755"


def test_a_link_is_followed_and_a_dangling_one_is_left_to_a_human(section: Run, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("a\n", encoding="utf-8")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    good, bad = file(tmp_path / "link", "a\n"), file(tmp_path / "dangling", "a\n")

    assert judge(section, good)[0] is Action.NONE
    seen = observe_file(look(section, bad), bad, HERE)
    assert isinstance(seen, Unknown)
    assert "dangling link" in seen.reason


def test_what_is_not_there_is_absent(section: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    missing = [tmp_path / "no", tmp_path / "no" / "deeper", tmp_path / "file" / "below"]
    state = look(section, *(file(path) for path in missing))

    assert all(isinstance(observe_file(state, file(path), HERE), Absent) for path in missing)
    assert isinstance(observe_directory(state, DirectoryResource(name=str(missing[0])), HERE), Absent)


def test_another_kind_of_thing_is_never_replaced(section: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    state = look(section, file(tmp_path), file(tmp_path / "pipe"), file(tmp_path / "pipe", None))

    directory = observe_file(state, file(tmp_path), HERE)
    pipe = observe_file(state, file(tmp_path / "pipe"), HERE)

    assert isinstance(directory, Unknown)
    assert "is a directory, not a file" in directory.reason
    assert isinstance(pipe, Unknown)
    assert "is a fifo, not a file" in pipe.reason
    assert "by hand" in pipe.hint


def test_a_file_that_may_not_be_read_is_unknown_never_absent(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    body = f"M={MARK}x\n{PRELUDE}\n{FACT.script([file(closed / 'x')], Look())}\n"
    done = subprocess.run([*NOBODY, "sh", "-s"], input=body, capture_output=True, text=True, check=False)

    seen = observe_file(FACT.parse(done.stdout), file(closed / "x"), HERE)

    assert isinstance(seen, Unknown)
    assert "Permission denied" in seen.reason


def test_a_path_nobody_asked_for_is_unknown_never_absent(tmp_path: Path) -> None:
    seen = observe_file(FilesState("salt", {}), file(tmp_path / "x"), HERE)

    assert isinstance(seen, Unknown)
    assert "was not looked at" in seen.reason


def test_a_path_that_could_not_be_read_is_unknown_with_its_error(tmp_path: Path) -> None:
    state = FilesState("salt", {str(tmp_path / "x"): Found("unknown", error="Permission denied")})

    seen = observe_file(state, file(tmp_path / "x"), HERE)

    assert isinstance(seen, Unknown)
    assert seen.reason.endswith("cannot be read: Permission denied")


def test_present_carries_whether_only_a_digest_is_known(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.write_bytes(b"\0")

    seen = observe_file(look(section, file(path)), file(path), HERE)

    assert isinstance(seen, Present)
    assert seen.details == {"opaque": True}


@given(
    st.text()
    | st.text().map(lambda text: f"#@x part salt\ns\n\n#@x rc 0 \n#@x part stat /a\n{text}\n#@x rc 0 \n")
)
def test_the_parser_raises_nothing_but_fact_errors(text: str) -> None:
    try:
        FACT.parse(text)
    except FactError:
        return


def test_alone_it_takes_paths() -> None:
    assert "part 'stat /a'" in FACT.standalone(path="/a,/b")
    assert "part 'content /b'" in FACT.standalone(path="/a,/b")
    with pytest.raises(FactError, match="takes path=/a,/b, got word"):
        FACT.standalone(word=1)
