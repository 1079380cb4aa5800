"""The setup report of a network host's API: what it says about keys, permissions, its chain and its ML nodes.

Sources: GET /admin/v1/setup/report (since 0.2.4; kept for 60 s), GET /v1/versions (gonka-contract 1.9, 2), and
the chain node's own status where the API has no report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from gonka_state.core.observation import Observation, Present, Unknown, Unmanaged, Value
from gonka_state.facts.admin_api import read_answer, words_of
from gonka_state.facts.base import Fact, Look, Part, pyinfra_fact, quote, split_parts
from gonka_state.facts.chain_shell import OK, SHELL, Node, answered, moment, read_node
from gonka_state.resources.setup_report import SetupReportResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource
    from gonka_state.resources.compose_service import ComposeServiceResource
    from gonka_state.resources.node import NodeResource

NOT_FOUND = 404
VERSIONS, BLOCK_SYNC = "versions", "block_sync"
PASS, FAIL, UNAVAILABLE = "PASS", "FAIL", "UNAVAILABLE"
REPORT_SECONDS = 60
"""A report asks every ML node twice before it answers, five seconds each where one is dead."""

_ANSWERS = {"proxy", "api"}
MLNODE = "mlnode_"
_AFTER_NODES = {"active_in_epoch", "validator_in_set", "missed_requests_threshold"}
"""Checks that a cluster without nodes cannot pass, or that one more node may be the cure of."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a report; `message` is the API's own."""

    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, or the `problem` of reading it.

    `silent`: nothing listens. `none`: this release has no report. `left` are the seconds until the API
    makes a new one; what it tells is that old at most.
    """

    checks: dict[str, Check] = field(default_factory=dict)
    problem: str = ""
    silent: bool = False
    none: bool = False
    left: float = 0.0
    versions: Check = field(default_factory=lambda: Check(UNAVAILABLE, "nobody asked"))
    node: Node = field(default_factory=lambda: Node(problem="nobody asked"))


class SetupReportFact(Fact[Report]):
    """The report and what stands beside it. As a plain fact it takes `api=` and `public_api=`."""

    section: ClassVar[str] = "setup-report"
    deadline: ClassVar[int | None] = REPORT_SECONDS + 30

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Two requests on the host itself, and two to its chain node."""
        asked = next((item for item in wanted if isinstance(item, SetupReportResource)), None)
        asked = asked or SetupReportResource(name="block", checks={VERSIONS: "PASS"})
        return "\n".join(
            (
                SHELL,
                f"WAIT={look.http_timeout}",
                f"fetch versions {quote(asked.public_api)}/v1/versions",
                f"WAIT={max(look.http_timeout // 2, 1)}",
                f"node {quote(asked.node)}",
                f"WAIT={REPORT_SECONDS}",
                f"fetch report {quote(asked.api)}/admin/v1/setup/report",
            )
        )

    def standalone(self, **arguments: object) -> str:
        """The script for one API, by default the usual one on the network host."""
        given: dict[str, Any] = {key: str(value) for key, value in arguments.items()}
        return self.script([SetupReportResource(name="block", checks={VERSIONS: "PASS"}, **given)], Look())

    def parse(self, text: str) -> Report:
        """Understand the section; an API that answers nonsense is a problem of its checks only."""
        parts = split_parts(text)
        versions, node = parts.told("versions"), read_node(parts)
        now = float(parts.need("clock").text.strip())
        return _report(parts.told("report"), _versions(versions), node, now)


def _versions(part: Part) -> Check:
    code, said = answered(part)
    if code == OK and isinstance(said, dict) and "api_version" in said:
        return Check(PASS, "")
    if part.failed:
        return Check(UNAVAILABLE, f"the public API does not answer: {part.failed}")
    return Check(FAIL, f"/v1/versions answers {code}: {words_of(read_answer(part)[1])}")


def _report(part: Part, versions: Check, node: Node, now: float) -> Report:
    if part.failed:
        problem = f"the Admin API does not answer: {part.failed}"
        return Report(problem=problem, silent=True, versions=versions, node=node)
    code, said = answered(part)
    if code == NOT_FOUND:
        return Report(none=True, versions=versions, node=node)
    if code != OK:
        problem = f"the Admin API answers {code}: {words_of(read_answer(part)[1])}"
        return Report(problem=problem, versions=versions, node=node)
    try:
        checks = {
            str(item["id"]): Check(str(item["status"]), str(item["message"])) for item in said["checks"]
        }
        left = max(moment(said["cached_until"]) - now, 0) if said.get("cached_until") else 0.0
    except (ValueError, KeyError, TypeError, AttributeError):
        return Report(
            problem="the Admin API answers with something else than a report", versions=versions, node=node
        )
    return Report(checks, left=left, versions=versions, node=node)


def find(state: Report, names: Iterable[str]) -> dict[str, Check]:
    """The checks of these names that this release has."""
    found = {VERSIONS: state.versions, **state.checks}
    if state.none:
        node = state.node
        status = UNAVAILABLE if node.problem else PASS if node.synced else FAIL
        found[BLOCK_SYNC] = Check(status, node.words)
    return {name: found[name] for name in names if name in found}


def observe_report(state: Report, resource: SetupReportResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """What the API says of the declared checks."""
    if state.problem:
        hint = "is the container api running?" if state.silent else "docker logs --tail 20 api, on this host"
        return Unknown(state.problem, hint, "compose-service" if state.silent else "")
    checks = find(state, resource.checks)
    said = [f"{name}: {check.message}" for name, check in checks.items() if check.status != PASS]
    attributes: dict[str, Value] = {"checks": {name: check.status for name, check in checks.items()}}
    return Present(attributes, {"left": state.left}, reason="; ".join(said))


def wanted_report(state: Report, resource: SetupReportResource, here: Here) -> dict[str, Value]:  # noqa: ARG001
    """PASS for every declared check that this release has."""
    return {"checks": dict.fromkeys(find(state, resource.checks), PASS)}


def unmanaged_checks(state: Report, declared: Sequence[SetupReportResource], here: Here) -> list[Unmanaged]:
    """Checks that do not pass and that nobody declared: some fail until the first PoC."""
    ours = {name for resource in declared for name in resource.checks}
    return [
        Unmanaged(here.host, "setup-report", name, f"{check.status}: {check.message}")
        for name, check in sorted(state.checks.items())
        if check.status != PASS and name not in ours
    ]


def answers_for(mine: SetupReportResource, theirs: ComposeServiceResource) -> bool:  # noqa: ARG001 (a pair of resources)
    """The services that the report comes from."""
    return theirs.name in _ANSWERS


def comes_before(mine: NodeResource, theirs: SetupReportResource) -> bool:  # noqa: ARG001 (a pair of resources)
    """The checks that have to pass; where one of them tells of nodes, none can wait for it."""
    about_nodes = any(name in _AFTER_NODES or name.startswith(MLNODE) for name in theirs.checks)
    return not theirs.warns and not about_nodes


FACT = SetupReportFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("SetupReport", FACT, name)
