"""The words about keys: the address, what is printed for an operator without one, and his own keyring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.bech32 import account_address, raw_address
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = (Path(__file__).parent / "small.yaml").read_text()
PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
ADDRESS = account_address(PUBKEY)
FILE = f"{raw_address(ADDRESS).hex()}.address"
KEYRING = "net/keyring:/opt/join/.inference/keyring-file"
SET = {"PASSWORD": "long enough"}


def with_account(words: str) -> str:
    assert SMALL.count(PUBKEY) == 1
    line = next(line for line in SMALL.splitlines() if PUBKEY in line)
    return SMALL.replace(line, f"  account: {{{words}}}")


def resource(desired: Any, text: str) -> Any:  # noqa: ANN401 (a resource of any kind)
    return desired.resources[Address.parse(text)].resource


def test_the_address_follows_from_the_public_key(read: Callable[..., Any]) -> None:
    desired = read(env=SET, small=SMALL)

    account = resource(desired, "net/account:cold")
    assert account.told == (f"account cold: {ADDRESS}",)
    assert resource(desired, "net/warm-key:warm").account == ADDRESS


def test_the_api_of_the_admin_word_makes_the_key(read: Callable[..., Any]) -> None:
    warm = resource(read(env=SET, small=SMALL), "net/warm-key:warm")

    assert (warm.service, warm.directory, warm.cluster) == ("api", "/opt/join", "small")
    assert warm.keyring == "/opt/join/.inference/keyring-file"
    assert warm.mnemonic_file == ""


def test_the_mnemonics_file_lies_beside_the_yaml(read: Callable[..., Any], tmp_path: Path) -> None:
    text = SMALL.replace("network:\n", "network:\n  warm_key: {mnemonic_file: secret/words}\n", 1)

    assert resource(read(env=SET, small=text), "net/warm-key:warm").mnemonic_file == str(
        tmp_path / "secret/words"
    )


def test_without_the_passphrase_a_missing_warm_key_is_not_known_to_be_makeable(
    read: Callable[..., Any],
) -> None:
    desired = read(small=SMALL)

    warm = resource(desired, "net/warm-key:warm")
    assert (warm.password, warm.waits) == (None, "waits for PASSWORD (small.yaml:7) is not set")
    assert desired.resources[Address.parse(KEYRING)].withheld == "PASSWORD (small.yaml:7) is not set"


def test_no_secret_is_in_the_wish_as_text(read: Callable[..., Any]) -> None:
    desired = read(env={"PASSWORD": "correct-horse"}, small=SMALL)

    assert "correct-horse" not in repr(desired)
    assert all("correct-horse" not in item.resource.model_dump_json() for item in desired.resources.values())


def test_an_account_without_its_key_is_told_how_to_make_it(read: Callable[..., Any]) -> None:
    text = with_account("pubkey: {env: PUBKEY}, key_name: cold, keyring: my keys")

    account = resource(read(env=SET, small=text), "net/account:cold")

    home = f"--keyring-backend file --home '{Path.cwd()}/my keys'"
    assert account.waits.startswith("waits for PUBKEY (small.yaml:")
    assert f"  inferenced keys add cold {home}" in account.told
    assert f"  inferenced keys show cold --pubkey {home}" in account.told
    assert any("never on a server" in line for line in account.told)


def test_without_words_the_commands_name_the_cluster(read: Callable[..., Any]) -> None:
    account = resource(read(env=SET, small=with_account("pubkey: {env: PUBKEY}")), "net/account:account")

    where = "--keyring-backend file --home ./gonka-keys-small"
    assert f"  inferenced keys add gonka-account-key-small {where}" in account.told


def keyring(*names: str) -> None:
    place = Path("keys/keyring-file")
    place.mkdir(parents=True)
    for name in (*names, "keyhash"):
        (place / name).touch()


def test_a_key_that_is_there_is_not_made_again(read: Callable[..., Any], tmp_path: Path) -> None:
    keyring("cold.info", FILE)

    text = with_account("pubkey: {env: PUBKEY}, key_name: cold, keyring: keys")
    account = resource(read(env=SET, small=text), "net/account:cold")

    assert account.told[0] == f"the account key cold is there ({ADDRESS})"
    assert not any("keys add" in line for line in account.told)
    assert str(tmp_path) in account.told[-1]


def test_a_keyring_that_agrees_is_not_spoken_of(read: Callable[..., Any]) -> None:
    keyring("cold.info", FILE)

    account = resource(
        read(env=SET, small=with_account(f"pubkey: {PUBKEY}, key_name: cold, keyring: keys")),
        "net/account:cold",
    )

    assert account.waits == ""


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["hot.info", FILE], r"holds no key 'cold' but hot: .*/keys/keyring-file"),
        ([], "holds no key 'cold' but none at all"),
        (["cold.info", f"{'0' * 40}.address"], rf"holds gonka1q+\w+, but network.account.pubkey is the key of {ADDRESS}"),
        (["cold.info"], f"holds no address, but network.account.pubkey is the key of {ADDRESS}"),
    ],
)  # fmt: skip
def test_a_keyring_that_disagrees_is_refused_at_its_line(
    read: Callable[..., Any], names: list[str], says: str
) -> None:
    keyring(*names)

    with pytest.raises(InputError, match=rf"small\.yaml:\d+:\d+: network\.account\.keyring {says}"):
        read(env=SET, small=with_account(f"pubkey: {PUBKEY}, key_name: cold, keyring: keys"))


def test_a_keyring_that_is_not_there_leaves_the_account_unknown(read: Callable[..., Any]) -> None:
    account = resource(
        read(env=SET, small=with_account(f"pubkey: {PUBKEY}, key_name: cold, keyring: keys")),
        "net/account:cold",
    )

    assert account.waits.endswith("keys/keyring-file cannot be read: No such file or directory")


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "8 characters at least"),
        ("x" * 73, "72 bytes at most"),
        ("ä" * 37, "72 bytes at most"),
        (" padded word", "begins or ends with a blank"),
    ],
)
def test_a_passphrase_that_no_keyring_takes_is_refused_unseen(
    read: Callable[..., Any], password: str, says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read(env={"PASSWORD": password}, small=SMALL)

    assert password not in str(caught.value)
