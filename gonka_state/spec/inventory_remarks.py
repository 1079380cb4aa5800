"""What an inventory says that does not become part of a cluster file, and why not: nothing is dropped in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.spec.inventory import is_secret
from gonka_state.spec.inventory_models import MODEL, NETWORK_MODEL
from gonka_state.spec.inventory_ssh import ADDRESS, ARGUMENTS, KEY, PORT, USER, options
from gonka_state.spec.inventory_words import HOME, KEY_NAME, PASSWORD, PUBKEY, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.spec.inventory import Inventory, Said
    from gonka_state.spec.inventory_clusters import Notes

TAKEN = frozenset(
    [*ADDRESS, *USER, *PORT, *KEY, *MODEL, *NETWORK_MODEL, *PUBLIC, *HOME, *KEY_NAME, "cluster_name"]
)
"""Variables that become words of the cluster file."""

_SEE = "docs/deviations.md"
_ANSIBLES = "Ansible's own, which nothing here needs"
_STRICT = f"host keys must be known: gonka-state hosts trust ({_SEE} #65)"
_SHARED = "desired/shared.yaml says it for every cluster"

NOT_TAKEN: Mapping[str, str] = {
    **dict.fromkeys(
        ("ansible_become", "ansible_become_method", "ansible_become_user", "ansible_connection", "ansible_python_interpreter",
         "ansible_shell_type", "ansible_ssh_pipelining", "ansible_pipelining"),
        f"{_ANSIBLES}; hosts are asked over SSH, and become root through sudo",
    ),
    **dict.fromkeys(
        ("inventory", "retry_files_enabled", "gathering", "fact_caching", "callback_whitelist", "callbacks_enabled",
         "stdout_callback", "enable_plugins", "pipelining", "forks", "timeout", "roles_path", "interpreter_python",
         "nocows", "deprecation_warnings", "become", "become_method", "become_user"),
        f"{_ANSIBLES} ({_SEE}, Logging in)",
    ),
    **dict.fromkeys(("host_key_checking", "ansible_host_key_checking", "ansible_ssh_host_key_checking"), _STRICT),
    "network_node_ip": f"the network host's address is known, and URLs need public_host ({_SEE} #11)",
    "network_node": "the role of a host says it",
    "deployment_mode": f"a network host in the file is the full mode; without one see network: {{managed: elsewhere}} ({_SEE})",
    "skip_keygen": f"a key that is there is never made again ({_SEE} #6)",
    "account_key_name": f"one name for the account key, gonka-account-key-CLUSTER ({_SEE} #4, #33)",
    "public_key_info": f"a public key is declared as network: {{account: {{pubkey: …}}}} ({_SEE} #7)",
    "inference_port": f"nodes are registered with the ports that their containers have ({_SEE} #18)",
    "poc_port": f"nodes are registered with the ports that their containers have ({_SEE} #18)",
    "model_list": f"each host has its own model ({_SEE} #48)",
    "cluster_models": "every host of the file has its model",
    "model_configs": f"{_SHARED} (models)",
    "docker_images": f"the compose files of the pinned repository say it ({_SEE}, Services)",
    "docker_compose_files": f"{_SHARED} (roles, services)",
    "gonka_deploy_dir": f"{_SHARED} (repository, {_SEE} #1)",
    "compose_project_name": f"not set, since another name makes other containers ({_SEE} #40)",
    "tm_home": f"not Gonka's ({_SEE} #40)",
    "seed_node_rpc_url": f"{_SHARED} (network: seed, {_SEE} #67)",
    "seed_api_url": f"{_SHARED} (network: seed)",
    "seed_node_p2p_url": f"{_SHARED} (network: seed)",
    "rpc_server_url_1": f"{_SHARED} (network: rpc_servers, {_SEE} #67)",
    "rpc_server_url_2": f"{_SHARED} (network: rpc_servers, {_SEE} #67)",
    "dapi_api__poc_callback_url": f"follows from the network host's address ({_SEE} #12)",
}  # fmt: skip
"""Variables that are known and do not become part of a cluster file, and why not."""

_LAX = {"stricthostkeychecking": "StrictHostKeyChecking", "userknownhostsfile": "UserKnownHostsFile"}


def remark(inventory: Inventory, notes: Notes) -> None:
    """Say what is not taken over, each variable once with all its lines. No value is shown."""
    for name, said in inventory.everything_said():
        word = name.lower()
        if word in ARGUMENTS:
            _of_ssh(name, said, notes)
        elif word in TAKEN or word.endswith((PASSWORD, PUBKEY)):
            continue
        elif is_secret(name):
            notes.add(said.source, _secret(word), name)
        elif word in NOT_TAKEN:
            notes.add(said.source, f"not taken over: {NOT_TAKEN[word]}", name)
        else:
            notes.add(said.source, "not taken over: not known here (docs/from-ansible.md)", name)


def _secret(word: str) -> str:
    where = "a secret, and not copied: "
    if word.startswith("ansible_become") or "sudo" in word:
        return f"{where}sudo has to need no password"
    if word.startswith("ansible_"):
        return f"{where}gonka-state logs in with a key file that has no passphrase"
    return f"{where}what needs it takes {{env: …}}, {{file: …}} or {{command: …}}"


def _of_ssh(name: str, said: Said, notes: Notes) -> None:
    others = False
    for option, value in options(said.value):
        if option in _LAX:
            if value.lower() not in {"yes", "ask"}:
                notes.add(said.source, f"not taken over: {_STRICT}", f"{_LAX[option]} in {name}")
        elif option not in {"proxyjump", "-J", "proxycommand"}:
            others = True
    if others:
        notes.add(
            said.source, "not taken over: connections are gonka-state's own", f"other options in {name}"
        )
