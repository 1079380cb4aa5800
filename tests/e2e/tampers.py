"""What hands do to hosts that are in sync, a tamper per line of defence; and what has to be named for each."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.e2e.world import ML, NETWORK

JOIN = "/opt/gonka/deploy/join"
KEYRING = f"{JOIN}/.inference/keyring-file"
BIG = "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"
HUB = f"/mnt/shared/hub/models--{BIG.replace('/', '--')}"
SHARD = f"$(readlink -f {HUB}/snapshots/*/model-00002-of-*.safetensors)"
UFW = ("/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/etc/ufw/ufw.conf")

HOST = ML[4]
"""Where the kinds are declared that the plan does not use."""
STRAY, PROGRAM = 7777, "/opt/gonka-state-lab/cosmovisor/current/bin/inferenced"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlw69h2UqhJsPXkWxSibiQi2mgTlG2/I4ywr+DguqXI jane"
NOT_IN_THE_PLAN = {
    "units": {"cron": {"running": True, "enabled": True}},
    "sysctl": {"net.core.somaxconn": "2048"},
    "blocks": {"/etc/environment": {"content": "HF_HOME=/mnt/shared"}},
    "authorized_keys": {"ubuntu": [KEY]},
    "docker_daemon": {"max-concurrent-downloads": 5},
    # sha256 of the three bytes below
    "binaries": {PROGRAM: {"sha256": "dc51b8c96c2d745df3bd5590d990230a482fd247123599548e0632fdbf97fc22"}},
    "exposure": {f"{STRAY}/tcp": "nobody"},
}
BEFORE = """
cd /opt && mkdir -p gonka-state-lab/cosmovisor/upgrades/v1/bin && cd gonka-state-lab/cosmovisor
ln -sfn /root/.inference/cosmovisor/upgrades/v1 current && printf 'ok\\n' >upgrades/v1/bin/inferenced
cp -p /etc/environment /root/environment; cp -p /etc/docker/daemon.json /root/daemon.json
sysctl -n net.core.somaxconn
"""
AFTER = """
rm -rf /opt/gonka-state-lab/cosmovisor /etc/sysctl.d/99-gonka-state-*
mv /root/environment /etc/environment; mv /root/daemon.json /etc/docker/daemon.json; systemctl reload docker
cd /home/ubuntu/.ssh && sed -i '/ jane$/d' authorized_keys; rm -f authorized_keys.gonka-state-previous
systemctl enable --quiet --now cron; sysctl -q -w net.core.somaxconn=%s
"""


@dataclass(frozen=True)
class Tamper:
    """What a hand does on a host, and what must come of it.

    Attributes:
        named: the addresses that diff names, each with attributes that it must show.
        follows: those of them that are right again once the others are, without a step of their own.
        restarts: containers that may be started anew.
        files: beginnings of paths that may be written anew.
        undo: what takes it back, where that is for a human: converge then runs nothing.
        meanwhile: what the hand begins when converge does.
    """

    name: str
    host: str
    script: str
    named: dict[str, set[str]]
    restarts: set[str] = field(default_factory=set)
    files: tuple[str, ...] = ()
    undo: str = ""
    meanwhile: str = ""
    follows: frozenset[str] = frozenset()

    @property
    def kinds(self) -> set[str]:
        """The kinds that are named."""
        return {address.split("/", 1)[1].split(":", 1)[0] for address in self.named}


CLOSED = [
    Tamper(
        "a ufw rule is deleted",
        NETWORK,
        "ufw delete allow 443/tcp",
        {f"{NETWORK}/firewall-rule:443/tcp": set()},
        files=UFW,
    ),
    Tamper(
        "a rule is taken out of the kernel only",
        NETWORK,
        "iptables -D ufw-user-input -p tcp -m tcp --dport 443 -j ACCEPT",
        {f"{NETWORK}/firewall-rule:443/tcp": {"from"}},
        files=UFW,
    ),
    Tamper(
        "a port is opened in DOCKER-USER",
        ML[2],
        "iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 5050 -j ACCEPT",
        {f"{ML[2]}/container-port:5050/tcp": {"from"}},
    ),
    Tamper(
        "ufw is switched off",
        ML[3],
        "ufw --force disable",
        {f"{ML[3]}/firewall:ufw": {"enabled"}},
        files=UFW,
    ),
    Tamper(
        "a file's mode",
        ML[0],
        f"chmod 0644 {JOIN}/config.env",
        {f"{ML[0]}/env-file:{JOIN}/config.env": {"mode"}},
    ),
    Tamper(
        "a variable",
        ML[1],
        f"sed -i 's/^export PORT=.*/export PORT=8081/' {JOIN}/config.env",
        {
            f"{ML[1]}/env-file:{JOIN}/config.env": {"variables"},
            f"{ML[1]}/compose-service:inference": {"current"},
        },
        files=(f"{JOIN}/config.env",),
        follows=frozenset({f"{ML[1]}/compose-service:inference"}),
    ),
    Tamper(
        "a byte of a file",
        NETWORK,
        f"sed -i 's/500/501/' {JOIN}/gonka-state-node-config.json",
        {f"{NETWORK}/file:{JOIN}/gonka-state-node-config.json": {"content"}},
        files=(f"{JOIN}/gonka-state-node-config.json",),
    ),
    Tamper(
        "a directory's mode", ML[0], "chmod 0700 /mnt/shared", {f"{ML[0]}/directory:/mnt/shared": {"mode"}}
    ),
    Tamper(
        "another commit is checked out",
        ML[2],
        "cd /opt/gonka && sudo -u ubuntu git -c user.name=t -c user.email=t@invalid commit -q --allow-empty -m another",
        {f"{ML[2]}/repository:/opt/gonka": {"ref"}},
    ),
    Tamper("a blob is removed", ML[0], f'rm "{SHARD}"', {f"{ML[0]}/model:{BIG}": {"revision"}}, files=(HUB,)),
    Tamper(
        "a blob is truncated",
        ML[1],
        f'truncate -s 1000 "{SHARD}"',
        {f"{ML[1]}/model:{BIG}": {"revision"}},
        files=(HUB,),
    ),
    Tamper(
        "another commit is called main",
        ML[0],
        f"printf 0123456789012345678901234567890123456789 >{HUB}/refs/main",
        {f"{ML[0]}/model:{BIG}": {"ref"}},
        files=(f"{HUB}/refs/main",),
    ),
    Tamper(
        "an image loses its name",
        NETWORK,
        "docker rmi -f ghcr.io/product-science/explorer:latest",
        {f"{NETWORK}/compose-images:{JOIN}": {"missing"}},
    ),
    Tamper(
        "a container loses cards",
        ML[4],
        "docker exec join-mlnode-308-1 sh -c 'echo 7 >/etc/gonka-state-lab/gpus'",
        {f"{ML[4]}/compose-service:mlnode-308": {"gpus"}},
        {f"{ML[4]}/join-mlnode-308-1"},
    ),
    Tamper(
        "a container is stopped",
        ML[2],
        "docker stop -t 1 join-inference-1",
        {f"{ML[2]}/compose-service:inference": {"running"}},
        {f"{ML[2]}/join-inference-1"},
    ),
    Tamper(
        "a container runs from an older image",
        ML[3],
        f"cd {JOIN} && . ./config.env &&"
        " printf 'services: {mlnode-308: {image: \"ghcr.io/gonka-ai/mlnode:3.0.12\"}}\\n' >/tmp/old.yml &&"
        " docker compose -f docker-compose.mlnode.yml -f /tmp/old.yml up -d --no-deps mlnode-308 2>&1",
        {f"{ML[3]}/compose-service:mlnode-308": {"image"}},
        {f"{ML[3]}/join-mlnode-308-1"},
    ),
    Tamper(
        "a node's args are changed by API",
        NETWORK,
        "curl -sf 127.0.0.1:9200/admin/v1/nodes | python3 -c '"
        'import json,sys; n=[i["node"] for i in json.load(sys.stdin) if i["node"]["id"]=="cluster2-ml-02"][0];'
        f' n["models"]["{BIG}"]["args"]=["--tensor-parallel-size","8"]; print(json.dumps(n))\''
        " | curl -sf -X PUT -H 'Content-Type: application/json' --data-binary @- 127.0.0.1:9200/admin/v1/nodes/cluster2-ml-02",
        {f"{NETWORK}/node:{ML[1]}": {"models"}},
    ),
    Tamper(
        "a node is deleted",
        NETWORK,
        f"curl -sf -X DELETE 127.0.0.1:9200/admin/v1/nodes/{ML[2]}",
        {f"{NETWORK}/node:{ML[2]}": set()},
    ),
    Tamper("a package is removed", ML[1], "dpkg -r wget", {f"{ML[1]}/package:wget": set()}),
    Tamper(
        "a tool's library is another version",
        ML[3],
        "sed -i 's/^Version: .*/Version: 2.3.0/' /opt/gonka-state/hf/lib/python3*/site-packages/huggingface_hub-*/METADATA",
        {f"{ML[3]}/python-tool:hf": {"version"}},
    ),
    Tamper(
        "a unit is disabled and stopped",
        HOST,
        "systemctl disable --quiet --now cron",
        {f"{HOST}/service:cron": {"running", "enabled"}},
    ),
    Tamper(
        "a kernel parameter",
        HOST,
        "sysctl -q -w net.core.somaxconn=1024",
        {f"{HOST}/sysctl:net.core.somaxconn": {"value"}},
    ),
    Tamper(
        "a line of a block",
        HOST,
        "sed -i /HF_HOME/d /etc/environment",
        {f"{HOST}/file-block:/etc/environment": {"content"}},
        files=("/etc/environment",),
    ),
    Tamper(
        "a key is taken away",
        HOST,
        "sed -i '/ jane$/d' /home/ubuntu/.ssh/authorized_keys",
        {f"{HOST}/authorized-keys:ubuntu": {"keys"}},
        files=("/home/ubuntu/.ssh/authorized_keys",),
    ),
    Tamper(
        "a setting of Docker",
        HOST,
        'sed -i \'s/"max-concurrent-downloads": 5/"max-concurrent-downloads": 6/\' /etc/docker/daemon.json',
        {f"{HOST}/docker-daemon:daemon.json": {"settings"}},
        files=("/etc/docker/daemon.json",),
    ),
    Tamper(
        "the last snapshot is old",
        NETWORK,
        """sed -i 's/"time": .*/"time": 1700000000,/' /var/lib/gonka-state/backup/status.json""",
        {f"{NETWORK}/backup:cluster2": {"fresh"}},
    ),
    Tamper(
        "the chain node falls behind, and catches up",
        NETWORK,
        f"""echo '{{"lag_seconds": 900}}' >{JOIN}/.inference/lab-control.json""",
        {f"{NETWORK}/chain-sync:node": {"synced"}, f"{NETWORK}/setup-report:block": {"checks"}},
        meanwhile=f"(sleep 20; rm {JOIN}/.inference/lab-control.json) >/dev/null 2>&1 &",
    ),
]

LEFT = [
    Tamper(
        "the hub cannot be reached",
        ML[3],
        "iptables -I OUTPUT -p tcp -d $HUB --dport $HUB_PORT -j REJECT",
        {f"{ML[3]}/requirement:reach-hub": set()},
        undo="iptables -D OUTPUT -p tcp -d $HUB --dport $HUB_PORT -j REJECT",
    ),
    Tamper(
        "a program is another one",
        HOST,
        f"cd /opt/gonka-state-lab/cosmovisor/upgrades/v1/bin && echo no >inferenced # {PROGRAM}",
        {f"{HOST}/binary:{PROGRAM}": {"sha256"}},
        undo="echo ok >/opt/gonka-state-lab/cosmovisor/upgrades/v1/bin/inferenced",
    ),
    Tamper(
        "a container publishes a port past ufw",
        HOST,
        f"docker run -d --name stray -p {STRAY}:{STRAY} --entrypoint python3 ghcr.io/gonka-ai/mlnode:3.0.13"
        f" -m http.server {STRAY} >/dev/null; ufw deny {STRAY}/tcp >/dev/null;"
        f" until curl -so /dev/null 127.0.0.1:{STRAY}; do sleep 0.2; done",
        {f"{HOST}/exposure:{STRAY}/tcp": set()},
        undo=f"docker rm -f stray >/dev/null; ufw delete deny {STRAY}/tcp >/dev/null",
        files=UFW,
    ),
    Tamper(
        "the keyring has another passphrase",
        NETWORK,
        f"cp -p {KEYRING}/keyhash /root/keyhash; perl -e 'print crypt(\"another\", q($2b$04$abcdefghijklmnopqrstuu))' >{KEYRING}/keyhash",
        {f"{NETWORK}/keyring:{KEYRING}": {"opened"}},
        undo=f"mv /root/keyhash {KEYRING}/keyhash",
    ),
    Tamper(
        "the warm key is gone",
        NETWORK,
        f"mv {KEYRING}/gonka-ml-key.info /root/",
        {
            f"{NETWORK}/restored-keys:{JOIN}": {"settled"},
            f"{NETWORK}/warm-key:gonka-ml-key": set(),
            f"{NETWORK}/grants:$ACCOUNT": set(),
            f"{NETWORK}/setup-report:block": {"checks"},
        },
        undo=f"mv /root/gonka-ml-key.info {KEYRING}/",
    ),
    Tamper(
        "the account's key lies on a server",
        NETWORK,
        f"touch {KEYRING}/$COLD.address",
        {
            f"{NETWORK}/account:gonka-account-key-cluster2": {"on_this_host"},
            f"{NETWORK}/setup-report:block": {"checks"},
        },
        undo=f"rm {KEYRING}/$COLD.address",
    ),
]

BACKUP = {"repository": "/var/backups/restic", "password": "of a repository in a lab", "keep": {"last": 3}}
"""The backup that the plan does not declare; on the host itself, which is no place for a real one."""

ELSEWHERE = {
    "registration": "tests/e2e/test_chain.py::test_another_registered_url_is_for_the_account_key_alone",
    "grants": "tests/e2e/test_chain.py::test_grants_that_end_soon_are_named_with_the_command_that_renews_them",
}
"""Kinds whose truth lies on the chain and not on a host, by the test that changes it there."""
