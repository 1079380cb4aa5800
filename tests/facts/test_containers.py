"""Containers: the parser never breaks, and the host's awk lets nothing through that it should not."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gonka_state.core.address import Address
from gonka_state.core.observation import Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts import compose, containers
from gonka_state.facts.base import Look
from gonka_state.facts.cards import Cards
from gonka_state.facts.container import Container
from gonka_state.facts.containers import FACT, ContainersState, Project, Service
from gonka_state.facts.health import SETTLED, STEADY, ailment
from gonka_state.facts.here import Here
from gonka_state.facts.placement import image_id
from gonka_state.facts.services import observe_service, refuse_service
from gonka_state.facts.strays import unmanaged_containers
from gonka_state.resources.compose_service import ComposeServiceResource

RUNNING = Container(
    id="a8b1", name="api", project="join", service="api", image="api:1", image_id="sha256:5b48", status="running",
    health="", exit=0, restarts=0, started=1000.0, policy="always", hash="1777", oneoff=False, directory="/srv",
    ports=(),
)  # fmt: skip
SERVICE = ComposeServiceResource(name="api", directory="/srv/demo", env_file="config.env")


def shell(body: str, text: str) -> str:
    script = compose.SHELL + compose.LOOK + body
    return subprocess.run(["sh", "-c", script], input=text, capture_output=True, text=True, check=True).stdout


def framed(name: str, body: str, status: int = 0) -> str:
    return f"#@x part {name}\n{body}\n#@x rc {status} \n"


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        FACT.parse(text)
    except FactError:
        return


@given(
    st.text(st.characters(exclude_characters="\r\n#")),
    st.sampled_from(["containers", "images", "project k", "modified", "urls"]),
)
def test_no_part_breaks_the_parser(body: str, name: str) -> None:
    usual = {"engine": "", "containers": "1795489406", "images": ""}
    text = "".join(framed(part, words) for part, words in {**usual, name: f"1795489406\n{body}"}.items())
    try:
        FACT.parse(text)
    except FactError:
        return


@given(
    st.lists(
        st.builds(
            replace,
            st.just(RUNNING),
            id=st.uuids().map(str),
            project=st.sampled_from(["", "join"]),
            health=st.sampled_from(["", "starting", "healthy"]),
            exit=st.integers(0, 255),
            restarts=st.integers(0, 9),
            files=st.sampled_from([(), ("/srv/a.yml",), ("/srv/a.yml", "/srv/b.yml")]),
        )
    )
)
def test_what_is_printed_is_what_is_read(found: list[Container]) -> None:
    def line(item: Container) -> str:
        rest = {
            "id": item.id, "name": f"/{item.name}", "image_id": item.image_id, "status": item.status,
            "health": item.health, "exit": item.exit, "restarts": item.restarts, "started": "1970-01-01T00:16:40Z",
            "policy": item.policy, "ports": None, "hash": item.hash, "oneoff": "False", "directory": item.directory,
            "files": ",".join(item.files),
        }  # fmt: skip
        return f"{item.project}\t{item.service}\t{item.image}\t{json.dumps(rest)}"

    body = "\n".join(["1795489406", *map(line, found)])

    state = FACT.parse(framed("engine", "") + framed("containers", body) + framed("images", ""))

    assert state.containers == tuple(found)


def test_a_section_that_was_cut_short_is_no_empty_host() -> None:
    with pytest.raises(FactError, match="cut short"):
        FACT.parse(framed("engine", ""))


@pytest.mark.parametrize(
    ("container", "url", "answer", "expected"),
    [
        (RUNNING, None, 0, ""),
        (replace(RUNNING, started=1100.0 - STEADY + 1), None, 0, "runs for 9 s only"),
        (replace(RUNNING, restarts=2), None, 0, "runs for 100 s only, restarted 2 times"),
        (replace(RUNNING, restarts=2, started=1100.0 - SETTLED), None, 0, ""),
        (RUNNING, "http://h/", 200, ""),
        (RUNNING, "http://h/", 503, "http://h/ answers 503"),
        (RUNNING, "http://h/", 0, "http://h/ does not answer"),
        (replace(RUNNING, health="starting"), "http://h/", 200, "its healthcheck says starting"),
        (replace(RUNNING, health="healthy"), "http://h/", 0, ""),
        (replace(RUNNING, status="exited", exit=3), None, 0, "exited with status 3"),
        (replace(RUNNING, status="created"), None, 0, "created"),
        (
            replace(RUNNING, status="restarting", exit=1, restarts=4),
            None,
            0,
            "restarting with status 1, restarted 4 times",
        ),
    ],
)
def test_health(container: Container, url: str | None, answer: int, expected: str) -> None:
    assert ailment(container, 1100.0, [url] if url else [], {url or "": answer}) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (200, 0, ""),
        (404, 200, ""),
        (404, 503, "http://h/old answers 503"),
        (404, 404, "http://h/old answers 404"),
        (503, 200, "http://h/new answers 503"),
        (0, 200, "http://h/new does not answer"),
    ],
)
def test_the_first_url_that_is_known_there_decides(first: int, second: int, expected: str) -> None:
    urls = ["http://h/new", "http://h/old"]

    assert ailment(RUNNING, 1100.0, urls, dict(zip(urls, (first, second), strict=True))) == expected


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("nginx:1.28.0", "id1"),
        ("docker.io/library/nginx:1.28.0", "id1"),
        ("nginx", "id2"),
        ("registry:5000/a/b", "id3"),
        ("ghcr.io/a/b:1@sha256:dd", "id4"),
        ("nginx:9", ""),
    ],
)
def test_an_image_is_found_under_every_spelling(reference: str, found: str) -> None:
    images = {
        "nginx:1.28.0": "id1",
        "nginx:latest": "id2",
        "registry:5000/a/b:latest": "id3",
        "ghcr.io/a/b@sha256:dd": "id4",
    }

    assert image_id(ContainersState(images=images), reference) == found


def test_an_image_kept_in_containerd_is_found_by_its_digest_also_where_docker_tells_none() -> None:
    case = Path(__file__).parent.parent / "kinds/containers/images_unpacked_by_containerd.yaml"
    state = FACT.parse(YAML(typ="safe", pure=True).load(case.read_text(encoding="utf-8"))["output"])
    digest = "sha256:e74eeddedc83184906f2df86bbc82096cb2f3d4f81bb0f4bf4239ab00343eb2e"

    assert image_id(state, f"ghcr.io/gonka-ai/mlnode:3.0.13@{digest}") == digest


@given(st.dictionaries(st.sampled_from(["image", "name", "scale", "services", "container_name"]), st.text()))
def test_nothing_but_names_and_images_leaves_the_host(secrets: dict[str, str]) -> None:
    tricky = {**secrets, "PASSWORD": 'x"\n      "image": "leak'}
    config = {
        "name": "join",
        "networks": {"default": {"name": "leak"}},
        "services": {
            "api": {"container_name": "api", "environment": tricky, "image": "api:1"},
            "two": {"build": {"args": tricky}, "command": ['"image": "leak"'], "scale": 2},
        },
        "volumes": {"data": {"name": "leak", "image": "leak"}},
    }

    assert shell("shape", json.dumps(config, indent=2)).split("\n") == [
        "name\tjoin", "service\tapi", "container\tapi", "image\tapi:1", "service\ttwo", "scale\t2", "",
    ]  # fmt: skip


def test_only_images_that_differ_are_put_back() -> None:
    today = "name\tjoin\nservice\tapi\nimage\tapi:2\nservice\tnode\nimage\tnode:1\nservice\tbuilt\n#@#\n"
    running = "1795489406\njoin\tapi\tapi:1\t{}\njoin\tnode\tnode:1\t{}\njoin\tbuilt\tx:1\t{}\nother\tapi\tapi:0\t{}\n"

    assert shell("pins", today + running) == '  "api": {image: "api:1"}\n'


def test_what_docker_compose_run_left_is_not_put_back() -> None:
    today = "name\tjoin\nservice\tapi\nimage\tapi:2\n#@#\n"
    running = 'join\tapi\tapi:1\t{"oneoff":"True"}\njoin\tapi\tapi:2\t{"oneoff":"False"}\n'

    assert shell("pins", today + running) == ""


def test_the_youngest_container_of_a_service_is_asked_and_none_of_docker_compose_run() -> None:
    def line(name: str, day: int, oneoff: str = "False", status: str = "running") -> str:
        return (
            f'join\tapi\tapi:1\t{{"id":"{name}","status":"{status}","started":"2026-11-{day}T09:55:52.96Z",'
            f'"addresses":"172.18.0.{day} ","hash":"17","oneoff":"{oneoff}","directory":"/srv/join"}}'
        )

    lines = [line("run", 25, "True"), line("older", 22), line("api", 24), line("gone", 25, status="exited")]

    assert shell("SEEN=$(cat); own api /srv/join; own api /srv", "\n".join(lines)) == "api 172.18.0.24\n"


@pytest.mark.parametrize(
    "said",
    [
        "Error response from daemon: Container 219c is restarting, wait until the container is running",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    ],
)
def test_cards_are_unknown_where_docker_itself_refuses(said: str) -> None:
    usual = framed("engine", "") + framed("containers", "1795489406") + framed("images", "")

    cards = FACT.parse(f"{usual}#@x part cards api\na8b1\n\n#@x rc 1 {said}\n").cards["a8b1"]

    assert cards == Cards(unknown=f"nvidia-smi could not be asked: {said}")


def test_cards_of_a_container_that_was_not_asked_are_unknown() -> None:
    service = SERVICE.model_copy(update={"gpus": "all"})
    today = Project(name="join", services={"api": Service(image="api:1", hash="1777")})
    state = ContainersState(
        containers=(RUNNING,), projects={compose.project_key(service): today}, cards={"": Cards(8)}
    )

    seen = observe_service(state, service, Here("ml-01", {}))

    assert isinstance(seen, Unknown)
    assert "cannot be counted: not asked, it was made in /srv" in seen.reason
    # One that is to be made anew all the same is counted then.
    moved = replace(
        state,
        projects={
            compose.project_key(service): Project(
                name="join", services={"api": Service(image="api:1", hash="other")}
            )
        },
    )
    changed = observe_service(moved, service, Here("ml-01", {}))
    assert isinstance(changed, Present)
    assert (changed.attributes["current"], changed.attributes["gpus"]) == (False, 8)


@pytest.mark.parametrize(
    ("variables", "said", "shown"),
    [
        ("export KEYRING_PASSWORD=hunter2 \n", "invalid hostPort: hunter2", "invalid hostPort: ***"),
        ("API_TOKEN='a b'\n", "got a b and a b", "got *** and ***"),
        ('PRIVATE_KEY="k+/="\n', "k+/=", "***"),
        ("COLOUR=blue\n", "the sky is blue", "the sky is blue"),
        ("PASSWORD=\n", "nothing to hide", "nothing to hide"),
        ("", "postgres://bob:pw@db/x", "postgres://***@db/x"),
    ],
)
def test_what_programs_say_is_shown_without_secrets(variables: str, said: str, shown: str) -> None:
    assert shell("redacted", f"{variables}\n#@#\n{said}\n") == f"{shown}\n"


def test_composes_own_words_lose_what_it_quotes_from_an_env_file() -> None:
    said = (
        'time="2026-11-24T02:53:31Z" level=warning msg="The \\"X\\" variable is not set."\n'
        " Container demo-api-1 Starting \n"
        'failed to read /srv/demo/broken.env: line 1: unexpected character "\\\\" in variable name "\'s\'"\n'
    )

    assert shell("terse", said) == "failed to read /srv/demo/broken.env: line 1 cannot be read\n"


@pytest.mark.parametrize(
    ("mine", "rivals", "running", "refused"),
    [
        ("exited", ["running"], True, True),
        ("exited", ["restarting"], True, True),
        ("created", ["exited", "running"], True, True),
        ("exited", ["exited"], True, False),
        ("running", ["running"], True, False),
        ("exited", ["running"], False, False),
        ("", ["exited"], True, True),
    ],
)
def test_nothing_is_started_beside_another_of_its_kind(
    mine: str, rivals: list[str], *, running: bool, refused: bool
) -> None:
    wish = ComposeServiceResource(name="tmkms", directory="/opt/join", running=running)
    of_tmkms = replace(RUNNING, service="tmkms", directory="/opt/join")
    found = [replace(of_tmkms, id="1", project="join", status=mine)] if mine else []
    found += [
        replace(of_tmkms, id=f"2{at}", name=f"old-{status}", project="old", status=status)
        for at, status in enumerate(rivals)
    ]
    project = containers.Project(name="join", services={"tmkms": containers.Service(hash="h")})
    state = ContainersState(containers=tuple(found), projects={compose.project_key(wish): project})
    address = Address("h", "compose-service", "tmkms")

    said = refuse_service(state, {address: wish}, Here("h", {}))

    assert bool(said) is refused
    if refused:
        last = rivals[-1]
        assert said[address].endswith(f"remove it by hand: docker rm -f old-{last}")
        assert ("two signers would be slashed" in said[address]) is (last != "exited")


def test_services_of_one_project_are_asked_about_once() -> None:
    web = ComposeServiceResource(name="web", directory="/srv/demo", env_file="config.env")
    other = ComposeServiceResource(name="web", directory="/srv/demo", project="older")

    script = FACT.script([SERVICE, web, other], Look())

    assert script.count("part 'project ") == 2
    assert "--project-name older" in script


def test_alone_it_takes_a_project_as_text() -> None:
    script = FACT.standalone(directory="/srv/demo", files="a.yml,b.yml")

    assert "--file /srv/demo/a.yml --file /srv/demo/b.yml" in script
    assert "project" not in FACT.standalone().split("answer()")[1]


def test_alone_it_says_what_it_takes() -> None:
    with pytest.raises(FactError, match="takes directory="):
        FACT.standalone(path="/srv")


def test_without_curl_no_url_is_called_dead() -> None:
    usual = framed("engine", "") + framed("containers", "1795489406") + framed("images", "")
    service = SERVICE.model_copy(update={"url": "http://h/"})
    hashed = framed(f"project {compose.project_key(service)}", "name\tdemo\nservice\tapi\nhash\tapi\t17")

    seen = observe_service(FACT.parse(usual + hashed + framed("urls", "", 127)), service, Here("ml-01", {}))

    assert isinstance(seen, Unknown)
    assert "curl is not installed" in seen.reason


JOIN = "/opt/gonka/deploy/join"


@pytest.mark.parametrize(
    ("files", "directory", "found"),
    [
        (f"{JOIN}/docker-compose.yml", JOIN, []),
        (f"{JOIN}/docker-compose.yml,-", JOIN, []),
        ("docker-compose.yml", JOIN, []),
        ("", JOIN, []),
        (
            f"{JOIN}/docker-compose.yml,{JOIN}/docker-compose.extra.yml",
            JOIN,
            [f"{JOIN}/docker-compose.extra.yml"],
        ),
        ("docker-compose.yml,../extra.yml", JOIN, ["/opt/gonka/deploy/extra.yml"]),
        # its neighbour on this host has this one, and /etc/override.yml
        (f"{JOIN}/docker-compose.yml,{JOIN}/docker-compose.mlnode.yml,/etc/override.yml", JOIN, []),
        # the checkout was moved, or is reached by a link
        ("/home/ubuntu/join/docker-compose.yml,/etc/override.yml", "/home/ubuntu/join", []),
        (
            "/home/ubuntu/join/docker-compose.yml,/home/ubuntu/join/my.yml",
            "/home/ubuntu/join",
            ["/home/ubuntu/join/my.yml"],
        ),
    ],
)
def test_a_compose_file_that_nobody_declared_is_named(files: str, directory: str, found: list[str]) -> None:
    own = ComposeServiceResource(name="api", directory=f"{JOIN}/", files=("./docker-compose.yml",))
    other = ComposeServiceResource(
        name="mlnode", directory=JOIN, files=("docker-compose.mlnode.yml", "/etc/override.yml")
    )
    here = Here("ml-01", {}, declared=(own, other))
    text = framed("engine", "") + framed("images", "")
    text += framed(
        "containers", "\n".join(["1795490986", *(made(name, directory, files) for name in ("api", "x"))])
    )
    today = [
        framed(f"project {compose.project_key(own)}", f"name\tjoin\nservice\tapi\nhash\tapi\t{today}")
        for today in ("now", "made")
    ]

    differs, same = (observe_service(FACT.parse(text + project), own, here) for project in today)
    told = unmanaged_containers(FACT.parse(text + today[0]), [own, other], here)

    assert isinstance(differs, Present)
    assert isinstance(same, Present)
    assert (same.attributes["current"], same.reason) == (True, "")
    assert differs.reason == "; ".join(
        [
            "its configuration changed since it was made",
            *(f"it was made also from {path}, which nobody declared" for path in found),
        ]
    )
    assert [(item.name, item.detail) for item in told if "/" in item.name] == [
        (path, "a compose file that was used to make api, x") for path in found
    ]


def made(name: str, directory: str, files: str) -> str:
    rest = {
        "id": name, "name": f"/{name}", "image_id": "sha256:5b48", "status": "running", "health": "", "exit": 0,
        "restarts": 0, "started": "2026-11-23T03:29:43Z", "policy": "always", "ports": {}, "hash": "made",
        "oneoff": "False", "directory": directory, "files": files,
    }  # fmt: skip
    return f"join\t{name}\tapi:1\t{json.dumps(rest)}"


def test_the_files_of_a_container_are_asked_for() -> None:
    assert (
        '"files":{{json (index .Config.Labels "com.docker.compose.project.config_files")}}'
        in FACT.standalone()
    )


def test_it_is_a_plain_fact_too() -> None:
    assert containers.Containers.__name__ == "Containers"  # type: ignore[attr-defined] # made on demand
    with pytest.raises(AttributeError):
        containers.Other  # noqa: B018 (asking is the point)
