"""Who is told: read from a file, a variable or a command, and refused without showing a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonka_state.core.desired import SecretSource, Source
from gonka_state.errors import InputError
from gonka_state.notify.receivers import receivers

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "c0ffee-secret"  # noqa: S105 (what must not be shown)
URLS = f"# who is on call\n\nmailtos://me:{SECRET}@smtp.example/\n  Slack://T/{SECRET}/C/#ops  \njson://{SECRET}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "urls"
    path.write_text(URLS)
    path.chmod(0o600)
    return path


def asked(tmp_path: Path, **given: str | tuple[str, ...]) -> SecretSource:
    return SecretSource(Source(str(tmp_path / "shared.yaml"), 3), **given)  # type: ignore[arg-type]  # its own words


def test_a_file_has_one_a_line(file: Path, tmp_path: Path) -> None:
    found = receivers(asked(tmp_path, file="urls"), {})

    assert [receiver.url.get_secret_value() for receiver in found] == [
        f"mailtos://me:{SECRET}@smtp.example/",
        f"Slack://T/{SECRET}/C/#ops",
        f"json://{SECRET}",
    ]
    assert [receiver.name for receiver in found] == [
        f"the 1st of 3 in {file} (mailtos)",
        f"the 2nd of 3 in {file} (slack)",
        f"the 3rd of 3 in {file} (json)",
    ]
    assert SECRET not in repr(found)


def test_a_variable_and_a_command_hold_them_too(file: Path, tmp_path: Path) -> None:
    by_variable = receivers(asked(tmp_path, env="URLS"), {"URLS": f"json://{SECRET}"})
    by_command = receivers(asked(tmp_path, command=("cat", file.name)), {"PATH": "/usr/bin:/bin"})

    assert [receiver.name for receiver in by_variable] == ["the only URL in the variable URLS (json)"]
    assert by_command[1].name == "the 2nd of 3 in what 'cat' prints (slack)"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o602])
def test_a_file_of_others_is_refused(file: Path, tmp_path: Path, mode: int) -> None:
    file.chmod(mode)

    with pytest.raises(
        InputError, match=rf"others may use {file} \(.*shared.yaml:3\), its mode is {mode:04o}"
    ) as no:
        receivers(asked(tmp_path, file="urls"), {})

    assert no.value.hint == f"they are secrets: chmod 600 {file}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "the URLs to notify: urls (SHARED:3) cannot be read: no such file"),
        ("", "the URLs to notify: urls (SHARED:3) is empty"),
        ("# nobody yet\n", "FILE holds no URL"),
        (f"json://{SECRET}\n{SECRET}\nmailto:{SECRET}\n", "line 2 of FILE is no URL\nline 3 of FILE is no URL"),
        (f"://{SECRET}", "line 1 of FILE is no URL"),
    ],
)  # fmt: skip
def test_what_holds_none_is_refused(file: Path, tmp_path: Path, text: str | None, said: str) -> None:
    file.unlink() if text is None else file.write_text(text)

    with pytest.raises(InputError) as refused:
        receivers(asked(tmp_path, file="urls"), {})

    expected = said.replace("FILE", str(file)).replace("SHARED", str(tmp_path / "shared.yaml"))
    assert refused.value.message == expected
    assert SECRET not in refused.value.message + refused.value.hint


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^the URLs to notify: URLS \(.*shared.yaml:3\) is not set$"):
        receivers(asked(tmp_path, env="URLS"), {})


def test_counting_is_as_people_count(file: Path, tmp_path: Path) -> None:
    file.write_text("json://x\n" * 23)

    names = [receiver.name.split()[1] for receiver in receivers(asked(tmp_path, file="urls"), {})]

    assert names[9:13] + names[20:] == ["10th", "11th", "12th", "13th", "21st", "22nd", "23rd"]
