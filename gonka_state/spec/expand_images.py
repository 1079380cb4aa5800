"""The images of each compose project of a host."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gonka_state.spec.drafts import Draft, given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node


def compose_files(host: Host) -> set[str]:
    """The files, as absolute paths, that say which images a host runs."""
    return {
        str(PurePosixPath(directory) / path)
        for directory, project in host.services.items()
        for path in project.files or ()
    }


def images(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:  # noqa: ARG001 (every expansion is asked alike)
    """What the declared services run; one that keeps its image asks for none while it has a container."""
    for directory, project in host.services.items():
        wanted = {label: words for label, words in project.services.items() if words.state == "present"}
        if wanted:
            keeps = [label for label, words in wanted.items() if words.image_follows is False]
            data = {"name": directory, **given(project, "services"), "services": list(wanted), "keeps": keeps}
            yield Draft(name, "compose-images", data, node.deepest(["services", directory]))
