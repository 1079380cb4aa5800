"""What each ML node does beside what the API intends for it, and whether a loaded model really holds its cards' memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.checklist import Check, Verdict
from gonka_state.core.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from gonka_state.core.desired import Limits
    from gonka_state.core.observation import Note

_SETTLED = {"", "UNKNOWN"}


def node_checks(notes: Iterable[Note], limits: Limits, follows: Collection[str] = ()) -> Iterator[Check]:
    """Two checks per node that its API knows, by its note; one it does not know is the criterion `nodes`' own.

    `follows` are the nodes whose host is red already: that they do not answer follows from it.
    """
    for note in notes:
        if "answers" not in note.values or not note.values["registered"]:
            continue
        yield _status(note, follows=note.name in follows)
        if note.values["answers"] and note.values["model"] and note.values["gpu_memory"]:
            yield _memory(note, limits.gpu_memory)


def _status(note: Note, *, follows: bool) -> Check:
    """A node that failed or does not answer is red; one on its way to what is intended only warns."""
    name, said = f"node {note.name}", note.values
    current, intended, failure = said["status"], said["intended_status"], said["failure"]
    if not said["answers"]:
        verdict = Verdict.WARN if follows else Verdict.FAILED
        return Check(name, verdict, note.text, "what do the checks of its own host say?")
    if current == "FAILED" and not said["before_first_poc"]:
        evidence = f"{current}: {failure or 'the API gives no reason'}"
        return Check(
            name, Verdict.FAILED, evidence, f"{note.text}\ndocker logs --tail 50 of mlnode on its host"
        )
    if current in _SETTLED or (intended not in _SETTLED and intended != current):
        evidence = f"{current or 'no status yet'}, {intended or 'nothing'} intended"
        return Check(
            name, Verdict.WARN, evidence, "the API looks at its nodes about once a minute: look again"
        )
    return Check(name, Verdict.OK, f"{current}, as intended; {note.text}")


def _memory(note: Note, least: float) -> Check:
    """No promise of the ML node's, so that too little only warns (gonka-contract 9, row 63)."""
    used, total = note.values["gpu_memory_used"], note.values["gpu_memory"]
    evidence = f"{human_bytes(used)} of {human_bytes(total)} ({used / total:.0%}) with {note.values['model']}"
    if used < least * total:
        hint = f"limits.gpu_memory is {least:.0%} with a loaded model: do all cards take part?"
        return Check(f"GPU memory of {note.name}", Verdict.WARN, evidence, hint)
    return Check(f"GPU memory of {note.name}", Verdict.OK, evidence)
