"""Messages about incidents and their end: a subject for a list of mails, and the text that drift prints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gonka_state.core.history import FLAP_WINDOW
from gonka_state.core.incident import Origin, findings
from gonka_state.core.notice import Notice, Occasion
from gonka_state.core.units import HOUR, human_age, show_moment
from gonka_state.views.style import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonka_state.core.incident import Incident
    from gonka_state.core.plan import Plan
    from gonka_state.core.telling import Kept, Telling

_IN_SUBJECT, _IN_BODY = 2, 20
"""So many are named."""

_FLAPPING = f"flapping: it comes and goes; nothing more is sent until it was calm for {FLAP_WINDOW // HOUR} h"
_COUNTED = {Origin.DRIFT: "drifted", Origin.PENDING: "pending", Origin.UNKNOWN: "unknown"}


def notices(telling: Telling, plan: Plan, text: str, checked: str) -> Iterator[Notice]:
    """What is to be sent: one message about everything new, one about everything that is over.

    `text` is what drift prints of the cluster, `checked` says when and from where.
    """
    if telling.opened or telling.flapping:
        yield _incident(telling, plan, text, checked)
    if telling.closed:
        yield _recovery(telling, plan, text, checked)


def trial(clusters: Sequence[str], checked: str) -> Notice:
    """What only shows that messages arrive."""
    names = ", ".join(clusters)
    body = f"This is a test. Incidents of {names} will be told this way.\n\n{checked}"
    return Notice(Occasion.TEST, f"{names}: test of notify", body)


def _incident(telling: Telling, plan: Plan, text: str, checked: str) -> Notice:
    counts = Counter(kept.incident.origin for kept in telling.opened)
    said = [f"{counts[origin]} {word}" for origin, word in _COUNTED.items() if counts[origin]]
    said += [f"{len(telling.flapping)} flapping"] if telling.flapping else []
    new = (*telling.opened, *telling.flapping)
    lines = [f"  {clean(kept.subject)}  {_since(kept.incident)}" for kept in telling.opened]
    lines += [f"  {clean(kept.subject)}  {_FLAPPING}" for kept in telling.flapping]
    subject = f"{_title(plan)}: {', '.join(said)} ({_names(new)})"
    return Notice(Occasion.INCIDENT, subject, "\n".join(["new", *_some(lines), "", text, "", checked]))


def _recovery(telling: Telling, plan: Plan, text: str, checked: str) -> Notice:
    left = len(findings(plan))
    subject = f"{_title(plan)}: recovered"
    if left:
        subject = (
            f"{_title(plan)}: {len(telling.closed)} recovered ({_names(telling.closed)}), {left} still open"
        )
    lines = _some([f"  {clean(kept.subject)}  {_lasted(kept)}" for kept in telling.closed])
    now = text or f"In sync: {plan.in_sync} resources on {len(plan.hosts)} hosts."
    return Notice(Occasion.RECOVERY, subject, "\n".join(["recovered", *lines, "", now, "", checked]))


def _title(plan: Plan) -> str:
    return f"{plan.cluster} (lab)" if plan.lab else plan.cluster


def _since(incident: Incident) -> str:
    return f"{incident.origin} since {show_moment(incident.opened)}"


def _lasted(kept: Kept) -> str:
    incident = kept.incident
    if incident.closed is None:
        return ""
    lasted = human_age(incident.closed - incident.opened)
    calm = ", calm since then" if kept.flapping else ""
    when = f"from {show_moment(incident.opened)} until {show_moment(incident.closed)}"
    return f"{incident.origin} {when} ({lasted}){calm}"


def _names(kept: Sequence[Kept]) -> str:
    """The first few, each host and kind: a subject is read in a list."""
    names = list(dict.fromkeys(_short(item.subject) for item in kept))
    return ", ".join(names[:_IN_SUBJECT] + (["…"] if len(names) > _IN_SUBJECT else []))


def _short(subject: str) -> str:
    host, _, local = subject.partition("/")
    return clean(f"{host} {local.partition(':')[0]}".rstrip())


def _some(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _IN_BODY
    return [*lines[:_IN_BODY], *([f"  and {more} more"] if more > 0 else [])]
