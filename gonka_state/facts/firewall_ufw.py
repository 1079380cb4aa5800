"""ufw as a whole: switched on for the next boot and really in the kernel, and its default policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.observation import Observation, Present
from gonka_state.facts.addresses import IPV6
from gonka_state.facts.firewall import UFW_UNIT, prefix
from gonka_state.facts.firewall_rule import NOT_INSTALLED
from gonka_state.facts.ufw import policy

if TYPE_CHECKING:
    from gonka_state.facts.firewall import FirewallState
    from gonka_state.facts.here import Here
    from gonka_state.resources.firewall import FirewallResource

_CHAINS = {"incoming": ("INPUT", "input"), "outgoing": ("OUTPUT", "output"), "routed": ("FORWARD", "forward")}
_STEPS = ("before-logging", "before", "after", "after-logging", "reject", "track")
_REJECTS = "REJECT"


def observe(state: FirewallState, firewall: FirewallResource, here: Here) -> Observation:
    """What is saved and what is loaded; where they differ, the one that differs from the wish."""
    _ = here
    if not state.installed:
        return NOT_INSTALLED
    enabled, reasons = _enabled(state, wanted=bool(firewall.enabled))
    attributes: dict[str, bool | str] = {"enabled": enabled}
    for name in _CHAINS:
        attributes[name], why = _policy(state, name, getattr(firewall, name))
        reasons += [why] if why and getattr(firewall, name) else []
    details = {"active": any(state.active(family) for family in state.families)}
    return Present(attributes, details, "; ".join(reasons))


def _saved_on(state: FirewallState) -> bool:
    return state.settings.get("ENABLED", "").lower() == "yes"


def _enabled(state: FirewallState, *, wanted: bool) -> tuple[bool, list[str]]:
    """Whether ufw is on; one that is half on is neither what was wanted."""
    faults = _faults(state)
    if wanted or not faults:
        return not faults, faults
    half = _saved_on(state) or any(state.active(family) for family in state.families)
    return half, faults if half else []


def _faults(state: FirewallState) -> list[str]:
    """What is missing before ufw is on, now and after a boot."""
    if not _saved_on(state) and not any(state.active(family) for family in state.families):
        return ["ufw is switched off"]
    faults = [] if _saved_on(state) else ["ufw is loaded, but ufw.conf says no: off after the next boot"]
    for family in state.families:
        lacking = _lacking(state, family)
        if lacking:
            faults.append(f"ufw.conf says yes, but the kernel's {lacking[0]} is missing")
    if UFW_UNIT not in state.started:
        faults.append(f"{UFW_UNIT} does not start at boot")
    if state.inet6 and IPV6 not in state.families and _loaded(state, IPV6, "INPUT", "input") == "allow":
        faults.append("IPV6=no in /etc/default/ufw, and nothing filters the host's IPv6 addresses")
    return faults


def _lacking(state: FirewallState, family: int) -> list[str]:
    """Jumps to ufw's chains that are not loaded."""
    ufw, found = prefix(family), list[str]()
    for builtin, suffix in _CHAINS.values():
        chain = state.kernel[family].chain("filter", builtin)
        targets = {rule.target for rule in chain.rules} if chain else set()
        wanted = (f"{ufw}-{step}-{suffix}" for step in _STEPS)
        found += [f"{builtin} -j {target}" for target in wanted if target not in targets]
    return found or ([] if state.active(family) else [f"{ufw}-before-input -j {ufw}-user-input"])


def _policy(state: FirewallState, name: str, wanted: str | None) -> tuple[str, str]:
    """A default policy, and a reason where the kernel's is another than the saved one."""
    builtin, suffix = _CHAINS[name]
    saved = policy(state.settings.get(f"DEFAULT_{builtin}_POLICY", ""))
    for family in state.families:
        loaded = _loaded(state, family, builtin, suffix)
        if state.active(family) and loaded != saved:
            if wanted == loaded:
                return saved, f"the kernel's {builtin} policy is {loaded}, but {saved} is saved"
            return loaded, f"ufw has saved {saved}, but the kernel's {builtin} policy is {loaded}"
    return saved, ""


def _loaded(state: FirewallState, family: int, builtin: str, suffix: str) -> str:
    ruleset = state.kernel[family]
    chain = ruleset.chain("filter", builtin)
    rejecting = ruleset.chain("filter", f"{prefix(family)}-reject-{suffix}")
    if rejecting and any(rule.target == _REJECTS for rule in rejecting.rules):
        return "reject"
    return policy(chain.policy or "" if chain else "ACCEPT")
