"""Who calls `drift` every few minutes on this machine: a systemd timer, or cron."""
