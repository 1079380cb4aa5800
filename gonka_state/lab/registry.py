"""Filling the image registry over its HTTP API; no Docker is needed on this machine."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gonka_state.errors import LabError
from gonka_state.lab import images

if TYPE_CHECKING:
    from pathlib import Path

CREATED, ACCEPTED = 201, 202


def configuration(storage: Path, address: str) -> str:
    """The registry's configuration file; JSON is YAML enough for it."""
    return (
        '{"version": 0.1, "log": {"level": "warn"}, '
        f'"storage": {{"filesystem": {{"rootdirectory": "{storage}"}}, "delete": {{"enabled": true}}}}, '
        f'"http": {{"addr": "{address}:80", "secret": "lab"}}}}\n'
    )


def fill(address: str, base_layer: Path) -> int:
    """Push every image of the catalogue; returns how many there are."""
    layers = [images.base_layer(base_layer), images.standins_layer()]
    pushed: set[tuple[str, str]] = set()
    connection = http.client.HTTPConnection(address, 80, timeout=60)
    catalogue = list(images.catalogue())
    for image in catalogue:
        config, manifest = images.build(image, layers)
        for blob in (*layers, config):
            if (image.repository, blob.digest) not in pushed:
                _blob(
                    connection, image.repository, blob, next((r for r, d in pushed if d == blob.digest), "")
                )
                pushed.add((image.repository, blob.digest))
        target = f"/v2/{image.repository}/manifests/{image.tag}"
        _ask(connection, "PUT", target, manifest)
    connection.close()
    return len(catalogue)


def _blob(connection: http.client.HTTPConnection, repository: str, blob: images.Blob, donor: str) -> None:
    """Upload a blob, or mount it from a repository that has it."""
    start = f"/v2/{repository}/blobs/uploads/"
    if donor:
        start += f"?mount={blob.digest}&from={donor}"
    status, location = _ask(connection, "POST", start)
    if status == CREATED:
        return
    place = urlsplit(location)
    raw = images.Blob("application/octet-stream", blob.data)
    _ask(connection, "PUT", f"{place.path}?{place.query}&digest={blob.digest}", raw)


def _ask(
    connection: http.client.HTTPConnection, method: str, target: str, content: images.Blob | None = None
) -> tuple[int, str]:
    try:
        headers = {"Content-Type": content.media_type} if content else {}
        connection.request(method, target, content.data if content else b"", headers)
        answer = connection.getresponse()
        said = answer.read()
    except OSError as error:
        raise LabError(f"the lab's registry did not answer: {error}") from error
    if answer.status not in {CREATED, ACCEPTED}:
        raise LabError(f"the lab's registry answered {answer.status} to {method} {target}: {said[:200]!r}")
    return answer.status, answer.getheader("Location", "")
