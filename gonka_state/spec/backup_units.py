"""The units of systemd that run a backup from time to time."""

from __future__ import annotations

NAME = "gonka-state-backup"
WHERE = "/etc/systemd/system"

SERVICE = """\
[Unit]
Description=Back up keys, node database and configuration with restic
Wants=network-online.target
After=network-online.target docker.service

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -B {home}/backup.py run
TimeoutStartSec=2h
Nice=10
IOSchedulingClass=idle
"""

# Counted from when the timer is started: an enabled timer that begins with a run would race with the step that starts it.
TIMER = """\
[Unit]
Description=Back up keys, node database and configuration with restic

[Timer]
OnActiveSec={seconds}s
OnUnitActiveSec={seconds}s
RandomizedDelaySec=5min

[Install]
WantedBy=timers.target
"""
