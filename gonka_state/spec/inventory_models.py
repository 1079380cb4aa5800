"""Which model a host of an inventory serves: by a variable, by its comment, else by the deployment plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.spec.host_words import NETWORK
from gonka_state.spec.inventory_ssh import first
from gonka_state.spec.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from gonka_state.spec.inventory_clusters import Member, Notes
    from gonka_state.spec.problems import Problems

SMALL, LARGE = "Qwen/Qwen3-32B-FP8", "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"
PLAN_MODELS = (LARGE, LARGE, LARGE, LARGE, SMALL)
"""Of a cluster's ML nodes, in order; the network node has the small one (lines 11 to 14 of the plan)."""

MODEL = ("model", "gonka_model")
NETWORK_MODEL = ("network_node_model",)
_SIZED = re.compile(r"[A-Za-z][\w./-]*?[0-9]+[Bb](?![A-Za-z0-9])[\w./-]*")


@dataclass(frozen=True, slots=True)
class Models:
    """Decides for one host after the other. `known` are the models that the cluster file may name."""

    known: Collection[str]
    problems: Problems
    notes: Notes

    def of(self, member: Member, number: int) -> str:
        """The model of a host, the ML node of this number from 1; empty where nothing says one."""
        names = (*MODEL, *(NETWORK_MODEL if member.role == NETWORK else ()))
        given = first(member.said, names, self.problems)
        if given is not None:
            found = self._meant(given.value)
            if not found:
                what = f"there is no model {given.value[:80]!r} in shared.yaml"
                meant = did_you_mean(given.value, self.known)
                self.problems.add(given.source, what, meant or "declare it there, with its revision")
            return found
        at = member.listed.source
        sized = _SIZED.findall(member.listed.comment)
        if not sized:
            return self._planned(member, number)
        meant_all = {self._meant(one) for one in sized}
        found = meant_all.pop() if len(meant_all) == 1 else ""
        if found:
            self.notes.add(at, f"serves {found}, as its comment says")
        else:
            what = (
                f"no model is set: its comment says {', '.join(sized)}, and shared.yaml has no one such model"
            )
            self.notes.add(at, f"{what}; add model: to the host")
        return found

    def _planned(self, member: Member, number: int) -> str:
        of_ml = dict(enumerate(PLAN_MODELS, 1)).get(number, "")
        found = SMALL if member.role == NETWORK else of_ml
        if found and found in self.known:
            self.notes.add(
                member.listed.source, f"names no model: serves {found}, as the deployment plan has it"
            )
            return found
        self.notes.add(
            member.listed.source, "names no model, and the plan has none for it: add model: to the host"
        )
        return ""

    def _meant(self, text: str) -> str:
        """The one model whose id has these words in a row, such as Qwen3-235B."""
        words = _words(text)
        fits = [name for name in self.known if name == text] or [
            name
            for name in self.known
            if any(_words(name)[at : at + len(words)] == words for at in range(len(_words(name))))
        ]
        return fits[0] if len(fits) == 1 else ""


def _words(text: str) -> list[str]:
    return re.split(r"[-/]", text.casefold())
