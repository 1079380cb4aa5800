"""Where templates come from, what they may name, and how they fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.desired import Source
from gonka_state.errors import InputError
from gonka_state.spec.problems import Problems
from gonka_state.spec.references import Withheld
from gonka_state.spec.templates import Templates, directories, shown_value

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = (Path(__file__).parent / "small.yaml").read_text()
WITH_FILE = SMALL.replace("\n    node: {host:", "\n    files: {/a: {template: a.j2}}\n    node: {host:")
WHERE = Source("f.yaml", 1)


def content(read: Callable[..., Any], **files: str) -> str:
    desired = read(env={"PASSWORD": "long enough"}, **files)
    text = next(
        item.resource.content for address, item in desired.resources.items() if address.kind == "file"
    )
    assert isinstance(text, str)
    return text


def test_the_directory_beside_the_desired_state_comes_first(tmp_path: Path, read: Callable[..., Any]) -> None:
    own, inner = "beside", "inside"
    files = {"desired__small": WITH_FILE, "templates__a_j2": own, "desired__templates__a_j2": inner}
    assert content(read, **files) == own
    (tmp_path / "templates" / "a.j2").unlink()
    del files["templates__a_j2"]
    assert content(read, **files) == inner


def test_templates_come_with_the_package(read: Callable[..., Any]) -> None:
    seed = "  seed: {api_url: a:8000, rpc_url: b:8000, p2p_url: c:5000}\n  rpc_servers: [one, other]\nhub:"
    words = WITH_FILE.replace("template: a.j2", "template: config.env.j2").replace("hub:", seed, 1)
    text = content(read, small=words)
    assert "export KEYRING_PASSWORD='\0secret:keyring_password\0'\n" in text
    assert "export SEED_API_URL=a:8000\n" in text
    assert "export RPC_SERVER_URL_2=other\n" in text


def test_a_template_may_name_the_cluster_and_its_host(read: Callable[..., Any]) -> None:
    template = """\
{% for other in hosts if other.role != host.role %}
{{ cluster }} {{ lab }} {{ host.name }} -> {{ other.name }} {{ other.address }} {{ other.node.poc_port }}
{% endfor %}
{{ network.address }} {{ network.public_host }} {{ hub.home }} {{ models[host.model].revision[:4] }}
{{ host.node | tojson }}
"""
    assert content(read, small=WITH_FILE, templates__a_j2=template) == (
        "small False net -> ml-01 10.0.0.2 8080\n"
        "small False net -> ml-02 10.0.0.3 8080\n"
        "10.0.0.1 203.0.113.12 /mnt/shared aa55\n"
        '{"host": "inference", "id": "network-node", "inference_port": 5000, "max_concurrent": 500, "poc_port": 8080}\n'
    )


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a\n{{ nobody }}", "templates/a.j2:2:1: 'nobody' is undefined"),
        (
            "{{ network.pubic_host }}",
            "templates/a.j2:1:1: it uses pubic_host, which is not declared, or is null",
        ),
        ("\n\n{% if %}", "a.j2:3:1: Expected an expression, got 'end of statement block'"),
        ("\n{{ 1 / 0 }}", "a.j2:2:1: ZeroDivisionError: division by zero"),
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{% include 'b.j2' %}", "small.yaml:26:28: template 'b.j2' is not there"),
        ("{% include 'a.j2' %}", "small.yaml:26:28: template 'a.j2' includes itself without an end"),
        ("{{ network.keyring_password | upper }}", "changes a secret with a filter"),
        ("{{ network.keyring_password | tojson }}", "changes a secret with a filter"),
        ("{{ range(10 ** 9) | list }}", "OverflowError"),
    ],
)
def test_a_template_that_fails_is_a_problem_at_its_line(
    template: str, message: str, read: Callable[..., Any]
) -> None:
    with pytest.raises(InputError) as caught:
        content(read, small=WITH_FILE, templates__a_j2=template)
    assert message in str(caught.value)


def test_a_variable_cannot_take_a_word_that_has_a_meaning(read: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="'host' already has a meaning in templates"):
        content(read, small=WITH_FILE.replace("a.j2}", "a.j2, vars: {host: a}}"), templates__a_j2="")


def test_inline_content_is_taken_as_it_is(read: Callable[..., Any]) -> None:
    text = WITH_FILE.replace("{template: a.j2}", "{content: '{{ as it is }}'}")
    assert content(read, small=text) == "{{ as it is }}"


@pytest.mark.parametrize(
    "template",
    [
        "{{ x }}", "{{ x.y }}", "{{ x | default('safe') }}", "{% if x %}{% endif %}", "{% for i in x %}{% endfor %}",
        "{{ x == 'a' }}", "{{ x ~ 'a' }}", "{{ x | tojson }}", "{{ x | length }}", "{{ 'a' in x }}", "{{ x['a'] }}",
        "{{ '%s' % x }}", "{{ x | upper }}",
    ],
)  # fmt: skip
def test_any_use_of_a_withheld_value_withholds_the_file(template: str, tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_text(template)
    problems = Problems()
    gap = shown_value("x", Withheld("X is not set"))
    rendered = Templates([tmp_path], problems).render("a.j2", {"x": gap}, {}, WHERE)
    assert (rendered.text, rendered.withheld, problems.rendered()) == (None, "X is not set", [])


def test_a_withheld_value_that_is_not_used_holds_nothing_back(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_text("{% if y %}{{ x }}{% endif %}a\n")
    values = {"x": shown_value("x", Withheld("X is not set")), "y": False}
    assert Templates([tmp_path], Problems()).render("a.j2", values, {}, WHERE).text == "a\n"


def test_the_packages_own_templates_are_the_repositorys() -> None:
    shipped = directories("desired/x.yaml")[-1]
    assert sorted(path.name for path in shipped.iterdir()) == sorted(
        path.name for path in (Path(__file__).parents[2] / "templates").iterdir()
    )
