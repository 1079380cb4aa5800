"""A control machine with a real systemd, cron and mail server: one of the lab's hosts, with the program on it."""

from __future__ import annotations

import email
import email.policy
import io
import mailbox
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.world import ROOT, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from tests.e2e.world import Cluster

VENV, DESIRED = "/opt/control", "/root/desired"
MAILBOX = "/var/mail/root"
_UNUSED = {"mypy", "mypyc", "hypothesis", "ruff", "pip", "setuptools", "_pytest", "__pycache__", "librt"}
_SMTPD = 'listen on lo\naction "local" mbox\nmatch for local action "local"\n'
_PREPARE = f"""
set -e
DEBIAN_FRONTEND=noninteractive apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends opensmtpd >/dev/null
cat >/etc/smtpd.conf <<'EOF'
{_SMTPD}EOF
systemctl restart opensmtpd
python3 -m venv --without-pip --clear {VENV}
"""
_CLEAR = f"""
XDG_STATE_HOME=/root/.local/state {VENV}/bin/gonka-state schedule remove
crontab -r 2>/dev/null
DEBIAN_FRONTEND=noninteractive apt-get -qq purge opensmtpd >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get -qq autoremove --purge >/dev/null
rm -rf {VENV} {DESIRED} /root/.local/state/gonka-state {MAILBOX} /etc/smtpd.conf /root/notify*
"""


@dataclass(frozen=True)
class Control:
    """A host that runs the program by itself, as root, on the cluster that it is a part of."""

    cluster: Cluster
    host: str

    def prepare(self) -> None:
        """Install a mail server, and put the program, the YAML and the lab's keys where they are on this machine."""
        self.cluster.shell(self.host, _PREPARE)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", dereference=True) as tar:
            for path, name in _files(self.cluster):
                tar.add(path, name, recursive=path.is_dir(), filter=_kept)
        # Given to root as it is: the login user could not write there.
        subprocess.run(
            [*self.cluster.info.ssh(self.host), "sudo -n tar -x -C / -f -"],
            input=packed.getvalue(), check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        self.cluster.shell(
            self.host,
            f"""printf '#!{VENV}/bin/python3\\nimport sys\\nfrom gonka_state.__main__ import main\\nsys.exit(main())\\n' \\
                >{VENV}/bin/gonka-state && chmod 755 {VENV}/bin/gonka-state && {VENV}/bin/gonka-state --version""",
        )

    def clear(self) -> None:
        """Take all of it away again."""
        self.cluster.shell(self.host, _CLEAR, check=False)

    @property
    def paths(self) -> str:
        """The words that name the cluster on the control machine."""
        return f"{DESIRED}/{self.cluster.file.name} --overlay {self.cluster.info.overlay}"

    def run(self, words: str) -> Ran:
        """One `gonka-state` command there, in a shell without a word of ours in its environment."""
        done = subprocess.run(
            [*self.cluster.info.ssh(self.host), "sudo -n -i sh -s"],
            input=f"{VENV}/bin/gonka-state {words} </dev/null",
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def write(self, path: str, text: str) -> None:
        """A file for root alone, its content on standard input."""
        subprocess.run(
            [*self.cluster.info.ssh(self.host), f"sudo -n sh -c 'umask 077; cat >{path}'"],
            input=text, text=True, check=True, capture_output=True, timeout=60,
        )  # fmt: skip

    def told(self) -> str:
        """Have what happens mailed to root by the mail server here; the words that say so to a command."""
        self.write(
            "/root/notify-urls", f"mailto://localhost:25?from=gonka-state@{self.host}&to=root@localhost\n"
        )
        overlay = f"cluster: {self.cluster.info.cluster}\nnotify:\n  urls: {{file: /root/notify-urls}}\n"
        self.write("/root/notify.yaml", overlay)
        # What drift prints would be mailed by cron as well.
        self.cluster.shell(self.host, "echo 'MAILTO=\"\"' | crontab -")
        return "--overlay /root/notify.yaml"

    def mails(self) -> list[EmailMessage]:
        """What the mail server put into root's mailbox, in order."""
        kept = self.cluster.shell(self.host, f"cat {MAILBOX} 2>/dev/null || true")
        with tempfile.NamedTemporaryFile("w", suffix=".mbox") as file:
            file.write(kept)
            file.flush()
            with closing(mailbox.mbox(file.name, factory=None)) as box:
                raw = [message.as_bytes() for message in box]
        return [email.message_from_bytes(text, policy=email.policy.default) for text in raw]


def addresses(text: str) -> set[str]:
    """What a text of drift names: `host/kind:name` of each line under its host."""
    found, host = set[str](), ""
    for line in text.splitlines():
        if match := re.match(r"([a-z0-9-]+)$", line):
            host = match[1]
        elif match := re.match(r"  [~+?-] (\S+:\S+)", line):
            found.add(f"{host}/{match[1]}")
    return found


def _files(cluster: Cluster) -> Iterator[tuple[Path, str]]:
    own = sys.version_info[:2]
    target = f"{VENV}/lib/python{own[0]}.{own[1]}/site-packages"
    installed = Path(sysconfig.get_paths()["purelib"])
    for path in installed.iterdir():
        if path.name not in _UNUSED and not path.name.startswith("__editable__"):
            yield path, f"{target}/{path.name}"
    yield ROOT / "gonka_state", f"{target}/gonka_state"
    yield ROOT / "desired", DESIRED
    home = cluster.info.overlay.parent
    for name in ("overlay.yaml", "id_ed25519", "known_hosts", "keyring-password", "operator"):
        yield home / name, str(home / name)


def _kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member
