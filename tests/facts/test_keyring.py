"""The keyrings' section in a real sh, with perl's crypt and a real curl; and its parser on anything."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gonka_state.core.bech32 import address_of, raw_address
from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import Look
from gonka_state.facts.here import Here
from gonka_state.facts.keyring import FACT
from gonka_state.facts.keyring_observed import observe_account, observe_keyring, observe_warm_key
from gonka_state.resources.account import AccountResource
from gonka_state.resources.keyring import KeyringResource
from gonka_state.resources.warm_key import WarmKeyResource
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gonka_state.resources.base import Resource

HERE = Here("net", {})
COLD = "gonka1nhnvzd8606hkwmdqxeq6gqkp3vx3p37tr39l2n"
WARM = "gonka13wm6a6sea08j7auq63wy42l8fsrwd9jks89lt4"


def section(*wanted: Resource) -> str:
    """What a look for these resources prints."""
    return run_body(FACT.script(wanted, Look(salt="salt")))


def ring(place: Path, *names: str) -> str:
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        (place / name).touch()
    return str(place)


def file_of(address: str) -> str:
    return f"{raw_address(address).hex()}.address"


def warm(keyring: str, **more: str) -> WarmKeyResource:
    words = {"name": "warm", "keyring": keyring, "directory": "/opt/join", "account": COLD, **more}
    return WarmKeyResource.model_validate(words)


def opened(path: Path, password: str, hashed: str) -> Any:  # noqa: ANN401 (an observation)
    (path / "keyhash").write_bytes(bcrypt.hashpw(hashed.encode(), bcrypt.gensalt(4, b"2a")))
    resource = KeyringResource(name=str(path), password=SecretStr(password))
    text = run_body(FACT.script([resource], Look(salt="salt")))
    assert password not in text
    return observe_keyring(FACT.parse(text), resource, HERE)


PASSWORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=18)


@settings(max_examples=15)
@given(password=PASSWORDS)
def test_the_passphrase_of_the_hash_opens(tmp_path_factory: pytest.TempPathFactory, password: str) -> None:
    seen = opened(tmp_path_factory.mktemp("ring"), password, password)

    assert seen == Present({"opened": True})


@settings(max_examples=15)
@given(password=PASSWORDS, other=PASSWORDS)
def test_no_other_passphrase_opens(
    tmp_path_factory: pytest.TempPathFactory, password: str, other: str
) -> None:
    seen = opened(tmp_path_factory.mktemp("ring"), f"{other}1", password)

    assert seen.attributes == {"opened": f"{other}1" == password}


def test_a_hash_of_a_kind_that_nobody_knows_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "keyhash").write_text("$zz$99$whatever")
    resource = KeyringResource(name=str(tmp_path), password=SecretStr("long enough"))

    seen = observe_keyring(FACT.parse(run_body(FACT.script([resource], Look()))), resource, HERE)

    assert isinstance(seen, Unknown)
    assert "cannot be tried: crypt of this system" in seen.reason


def test_the_hash_itself_stays_on_the_host(tmp_path: Path) -> None:
    hashed = bcrypt.hashpw(b"long enough", bcrypt.gensalt(4, b"2a")).decode()
    (tmp_path / "keyhash").write_text(hashed)

    text = section(KeyringResource(name=str(tmp_path), password=SecretStr("long enough")))

    assert "opens" in text
    assert hashed not in text


def test_names_of_others_in_the_keyring_do_not_travel(tmp_path: Path) -> None:
    ring(tmp_path / "keyring-file", "warm.info", file_of(WARM), "keyhash", "notes about the mnemonic", ".x")

    keys = FACT.parse(section(warm(str(tmp_path / "keyring-file")))).keyrings
    (found,) = keys.values()

    assert (found.names, found.addresses, found.hashed) == (("warm",), (WARM,), True)


def test_several_keys_do_not_tell_whose_address_is_whose(tmp_path: Path) -> None:
    place = ring(tmp_path / "keyring-file", "warm.info", "old.info", file_of(WARM), file_of(COLD))

    seen = observe_warm_key(FACT.parse(section(warm(place))), warm(place), HERE)

    assert isinstance(seen, Present)
    assert seen.details["address"] == ""
    assert set(seen.details["addresses"]) == {WARM, COLD}


def test_a_key_that_is_there_has_an_address_for_others(tmp_path: Path) -> None:
    place = ring(tmp_path / "keyring-file", "warm.info", file_of(WARM))

    seen = observe_warm_key(FACT.parse(section(warm(place))), warm(place), HERE)

    assert isinstance(seen, Present)
    assert (seen.attributes, seen.details["address"]) == ({"is_account": False}, WARM)


@contextmanager
def api(answers: dict[str, str]) -> Iterator[str]:
    """A public API with these answers, 404 for all else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


ENTRY = '{"participants": [{"id": "%s", "url": "http://a"}]}'


@pytest.mark.parametrize(
    ("answers", "registered"),
    [
        ({f"/v2/participants/{COLD}": "{}"}, True),
        ({"/v1/participants": ENTRY % COLD}, True),
        ({"/v1/participants": ENTRY % WARM}, False),
        ({"/v1/participants": "<html>"}, False),
        ({}, False),
    ],
)
def test_a_registered_account_without_its_warm_key_is_left_to_a_human(
    tmp_path: Path, answers: dict[str, str], *, registered: bool
) -> None:
    with api(answers) as url:
        resource = warm(str(tmp_path / "keyring-file"), public_api=url)
        seen = observe_warm_key(FACT.parse(section(resource)), resource, HERE)

    assert isinstance(seen, Absent)
    assert bool(seen.human) == registered
    assert not registered or f"{COLD} is registered on the chain" in seen.reason
    assert not registered or "keys add warm --recover" in seen.hint


def test_an_api_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    resource = warm(str(tmp_path / "keyring-file"), public_api="http://127.0.0.1:1")

    seen = observe_warm_key(FACT.parse(section(resource)), resource, HERE)

    assert seen == Absent()


def test_without_a_passphrase_a_missing_key_is_unknown(tmp_path: Path) -> None:
    resource = warm(str(tmp_path / "keyring-file"), waits="waits for X", account="")

    seen = observe_warm_key(FACT.parse(section(resource)), resource, HERE)

    assert seen == Unknown("waits for X")


def test_an_account_that_waits_says_what_to_do(tmp_path: Path) -> None:
    resource = AccountResource(
        name="cold", keyring=str(tmp_path), waits="waits for X", advice=("make it:", "  cmd")
    )

    seen = observe_account(FACT.parse(section(resource)), resource, HERE)

    assert seen == Unknown("waits for X", hint="make it:\n  cmd")


@pytest.mark.skipif(shutil.which("perl") is None, reason="no perl on this machine")
def test_a_host_without_perl_cannot_tell(tmp_path: Path) -> None:
    (tmp_path / "keyhash").write_text("$2a$04$whatever")
    resource = KeyringResource(name=str(tmp_path), password=SecretStr("long enough"))
    hidden = 'command() { [ "$2" != perl ]; }\n'

    seen = observe_keyring(FACT.parse(run_body(hidden + FACT.script([resource], Look()))), resource, HERE)

    assert seen == Unknown(f"the passphrase of {tmp_path} cannot be tried: perl is not installed")


def test_a_section_that_was_cut_short_is_no_answer(tmp_path: Path) -> None:
    text = section(KeyringResource(name=str(tmp_path), password=SecretStr("long enough")))

    with pytest.raises(FactError, match="the look was cut short"):
        FACT.parse(text[: text.index("#@x part mark")])


@given(st.text(max_size=200))
def test_any_text_is_understood_or_refused(text: str) -> None:
    for body in (text, f"#@x part names /a\n{text}\n#@x rc 0 \n#@x part salt\ns\n#@x rc 0 \n"):
        try:
            state = FACT.parse(body)
        except FactError:
            continue
        assert all(
            address_of(raw_address(one)) == one for keys in state.keyrings.values() for one in keys.addresses
        )
