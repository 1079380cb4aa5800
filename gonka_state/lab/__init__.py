"""Real hosts on this machine, booted for rehearsal, and the stand-ins for what cannot be had."""

from gonka_state.lab.lifecycle import cut, down, info, mend, power_off, power_on, replace, status, up
from gonka_state.lab.machine import probe
from gonka_state.lab.spec import HostStatus, LabHost, LabInfo, LabSpec

__all__ = [
    "HostStatus",
    "LabHost",
    "LabInfo",
    "LabSpec",
    "cut",
    "down",
    "info",
    "mend",
    "power_off",
    "power_on",
    "probe",
    "replace",
    "status",
    "up",
]
