"""Which files are clusters, what they extend, what lies on top."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.desired import Source
from gonka_state.errors import InputError
from gonka_state.spec.layers import beside
from gonka_state.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.resources.base import Resource

SMALL = (Path(__file__).parent / "small.yaml").read_text()


def said(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


def test_a_directory_stands_for_the_clusters_in_it(
    tmp_path: Path, models: Mapping[str, type[Resource]]
) -> None:
    (tmp_path / "one.yaml").write_text(f"extends: shared.yaml\n{SMALL}")
    (tmp_path / "two.yaml").write_text(SMALL.replace("cluster: small", "cluster: two"))
    (tmp_path / "shared.yaml").write_text("run: {parallel: 3}\n")
    (tmp_path / ".hidden.yaml").write_text("]")
    (tmp_path / "notes.txt").write_text("]")
    found = load([tmp_path], models=models, env={})
    assert [(desired.cluster, desired.run.parallel) for desired in found] == [("small", 3), ("two", 16)]


def test_a_file_named_twice_is_read_once(tmp_path: Path, models: Mapping[str, type[Resource]]) -> None:
    (tmp_path / "one.yaml").write_text(SMALL)
    assert len(load([tmp_path, tmp_path / "one.yaml"], models=models, env={})) == 1


def test_paths_that_hold_no_cluster_are_refused(
    tmp_path: Path, models: Mapping[str, type[Resource]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("shared.yaml").write_text("lab: false\n")
    Path("list.yaml").write_text("- a\n")
    paths = [Path(name) for name in ("empty", "shared.yaml", "missing.yaml", "list.yaml")]
    assert said(lambda: load(paths, models=models, env={})).splitlines() == [
        "empty: holds no cluster: no *.yaml in it has a `cluster:` key",
        "list.yaml:1:1: expected a map at the top, found a list",
        "    - a",
        "missing.yaml: cannot be read: No such file or directory",
        "shared.yaml:1:1: declares no `cluster:`, so it is no cluster; give a file that extends it",
        "    lab: false",
    ]
    assert said(lambda: load([], models=models, env={})) == "desired: no cluster file is given"


def test_two_files_cannot_be_one_cluster(tmp_path: Path, models: Mapping[str, type[Resource]]) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(SMALL)
    assert "cluster 'small' is also declared in" in said(lambda: load([tmp_path], models=models, env={}))


def test_extends_is_a_file_or_a_list_and_the_last_wins(read: Callable[..., Any]) -> None:
    text = f"extends: [a.yaml, b.yaml]\n{SMALL}"
    desired = read(
        small=text,
        a="run: {parallel: 1, retries: 7}\n",
        b="extends: c.yaml\nrun: {parallel: 2}\n",
        c="run: {throttle: 9}\n",
    )
    assert (desired.run.parallel, desired.run.retries, desired.run.throttle) == (2, 7, 9)


def test_a_circle_of_extends_is_refused(read: Callable[..., Any]) -> None:
    message = said(lambda: read(small=f"extends: a.yaml\n{SMALL}", a="extends: small.yaml\n"))
    assert message.splitlines()[0] == (
        "a.yaml:1:10: extends goes in a circle: small.yaml -> a.yaml -> small.yaml"
    )


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("shard.yaml", "small.yaml:1:10: extends 'shard.yaml': there is no such file"),
        ("small.yaml", "small.yaml:1:10: extends goes in a circle: small.yaml -> small.yaml"),
        ("3", "small.yaml:1:10: extends: expected a file's name or a list of them"),
        ("{a: b}", "small.yaml:1:10: extends: expected a file's name or a list of them"),
        ("[shared.yaml, [x]]", "small.yaml:1:24: extends: expected a file's name or a list of them"),
        (".", ".: is a directory; give a file"),
    ],
)
def test_what_cannot_be_extended_is_refused(extends: str, message: str, read: Callable[..., Any]) -> None:
    text = said(lambda: read(small=f"extends: {extends}\n{SMALL}", shared="{}"))
    assert text.splitlines()[0] == message
    if extends == "shard.yaml":
        assert text.splitlines()[2] == "    did you mean 'shared.yaml'?"


def test_an_overlay_changes_the_cluster_that_it_names(read: Callable[..., Any]) -> None:
    overlay = "cluster: small\nlab: true\nhosts: {ml-01: {address: 10.9.9.9}, ml-02: null}\n"
    desired = read(small=SMALL, overlay=overlay)
    assert desired.lab
    assert {name: login.address for name, login in desired.hosts.items()} == {
        "net": "10.0.0.1",
        "ml-01": "10.9.9.9",
    }


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("lab: true\n", "overlay.yaml:1:1: an overlay must name its cluster: `cluster: NAME`"),
        ("cluster: smal\n", "overlay.yaml:1:10: overlay of cluster 'smal', which is not loaded"),
        ("[a]\n", "overlay.yaml:1:1: expected a map at the top, found a list"),
    ],
)
def test_an_overlay_of_nothing_is_refused(overlay: str, message: str, read: Callable[..., Any]) -> None:
    assert said(lambda: read(small=SMALL, overlay=overlay)).splitlines()[0] == message


def test_a_directory_is_no_overlay(tmp_path: Path, models: Mapping[str, type[Resource]]) -> None:
    (tmp_path / "a.yaml").write_text(SMALL)
    call = lambda: load([tmp_path / "a.yaml"], overlays=[tmp_path], models=models, env={})  # noqa: E731
    assert said(call) == f"{tmp_path}: is a directory; give a file"


def test_paths_are_relative_to_the_file_that_says_them(
    tmp_path: Path, models: Mapping[str, type[Resource]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "desired/a.yaml": SMALL,
        "lab/o.yaml": "cluster: small\nssh: {key: ../keys/id}\n",
    }.items():
        Path(name).parent.mkdir()
        Path(name).write_text(text)
    login = load([Path("desired")], overlays=[Path("lab/o.yaml")], models=models, env={})[0].hosts["net"]
    assert (login.key, login.known_hosts) == (f"{tmp_path}/keys/id", f"{tmp_path}/desired/known_hosts")


def test_a_tilde_is_the_users_home_whatever_the_environment() -> None:
    where = Source("/d/f.yaml", 1)
    assert beside(where, "~/id", {"HOME": "/home/op"}) == Path("/home/op/id")
    assert beside(where, "~/id", {}) == Path("~/id").expanduser()
    assert beside(where, "~root/id", {"HOME": "/home/op"}) == Path("/root/id")
    with pytest.raises(ValueError, match="no user 'nobody-here'"):
        beside(where, "~nobody-here/id", {})


def test_a_host_may_say_its_own_user_and_port(read: Callable[..., Any]) -> None:
    text = SMALL.replace("address: 10.0.0.2,", "address: 10.0.0.2, user: admin, port: 2222,")
    hosts = read(small=text).hosts
    assert [(login.user, login.port) for login in hosts.values()] == [
        ("ubuntu", 22),
        ("admin", 2222),
        ("ubuntu", 22),
    ]
