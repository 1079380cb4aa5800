"""Cluster words turned into what each host shall have, still as plain data with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gonka_state.core.address import plain
from gonka_state.core.kept import is_data
from gonka_state.spec.chain_source import LOOPBACK, PORT, own_address
from gonka_state.spec.checks import default_id, is_host
from gonka_state.spec.drafts import Draft, given
from gonka_state.spec.expand_backup import backup
from gonka_state.spec.expand_chain import chain
from gonka_state.spec.expand_env_files import env_files
from gonka_state.spec.expand_exposure import exposure
from gonka_state.spec.expand_images import compose_files, images
from gonka_state.spec.expand_keys import keys
from gonka_state.spec.expand_logging import logging
from gonka_state.spec.expand_monitoring import monitoring
from gonka_state.spec.expand_requirement import required
from gonka_state.spec.expand_system import system
from gonka_state.spec.host_words import NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gonka_state.spec.context import Context
    from gonka_state.spec.host_words import EnvFile, File, Host, Project
    from gonka_state.spec.sources import Sources
    from gonka_state.spec.templates import Templates
    from gonka_state.spec.tree import Node
    from gonka_state.spec.words import Cluster

ANY = "any"
"""So many cards that nobody counts them."""

MORE: tuple[Callable[[Expansion, str, Host, Node], Iterator[Draft]], ...] = (
    env_files,
    exposure,
    system,
    images,
    keys,
    chain,
    logging,
    monitoring,
    backup,
)
"""Expansions in modules of their own: (expansion, host name, host words, host node) -> drafts."""


@dataclass(slots=True)
class Expansion:
    """Everything that the expansion of one cluster looks things up in."""

    words: Cluster
    tree: Node
    sources: Sources
    templates: Templates
    context: Context
    file: str
    model_nodes: dict[str, Node] = field(default_factory=dict)

    def drafts(self) -> Iterator[Draft]:
        """Every resource of every host."""
        for name, host in self.words.hosts.items():
            node = self.tree.deepest(["hosts", name])
            yield from self._host(name, host, node)

    def _host(self, name: str, host: Host, node: Node) -> Iterator[Draft]:
        for label, requirement in host.requirements.items():
            at = node.deepest(["requirements", label])
            yield Draft(name, "requirement", required(self, name, label, requirement, at), at)
        yield from self._repository(name)
        for path, directory in host.directories.items():
            data = {"name": path, **given(directory), **self.in_checkout(path)}
            yield Draft(name, "directory", data, node.deepest(["directories", path]))
        for path in host.files:
            yield self._file(name, path, host, node.deepest(["files", path]))
        yield from self._firewall(name, host, node)
        yield from self._models(name, host, node)
        for where, project in host.services.items():
            yield from self._services(name, host, where, project, node)
        yield from self._node(name, host, node)
        for more in MORE:
            yield from more(self, name, host, node)
        for index, item in enumerate(host.resources):
            data = {key: value for key, value in item.items() if key != "kind"}
            yield Draft(name, str(item.get("kind", "")), data, node.deepest(["resources", index]))

    def _repository(self, name: str) -> Iterator[Draft]:
        words = self.words.repository
        if words is not None:
            data = {
                "name": words.path,
                "url": words.url,
                "ref": words.ref,
                "clean": True,
                "owner": self.words.keeper(name),
            }
            yield Draft(name, "repository", data, self.tree.deepest(["repository"]))

    def in_checkout(self, path: str) -> dict[str, Any]:
        """A clone refuses a directory that is not empty: what lies in the checkout comes after it."""
        words = self.words.repository
        inside = words is not None and plain(path) != plain(words.path) and _below(path, words.path)
        return {"needs": [f"repository:{words.path}"]} if words is not None and inside else {}

    def kept(self, host: str, path: str, words: File | EnvFile) -> dict[str, str]:
        """Whose a file in the checkout is where nobody says: the checkout's owner's; the chain's data has its own."""
        if words.owner is not None or not self.in_checkout(path) or is_data(path):
            return {}
        return {"owner": self.words.keeper(host)}

    def _file(self, name: str, path: str, host: Host, node: Node) -> Draft:
        words = host.files[path]
        data = {"name": path, **given(words, "template", "vars"), **self.in_checkout(path)}
        data |= self.kept(name, path, words)
        data |= {"phase": 2} if path in compose_files(host) else {}
        if words.template is None:
            return Draft(name, "file", data, node)
        values, secrets = self.context.of(name, node)
        rendered = self.templates.render(words.template, values, secrets, node.deepest(["template"]).source)
        if rendered.text is not None:
            data |= {"content": rendered.text, "secrets": dict(rendered.secrets)}
        return Draft(name, "file", data, node, rendered.withheld)

    def _firewall(self, name: str, host: Host, node: Node) -> Iterator[Draft]:
        if host.firewall is not None:
            place = node.deepest(["firewall"])
            general = given(host.firewall, "rules")
            if general:
                yield Draft(name, "firewall", {"name": "ufw", **general}, place)
            for label, rule in host.firewall.rules.items():
                at = place.deepest(["rules", label])
                port, _, protocol = label.partition("/")
                data = {"port": port, "protocol": protocol or "tcp", **given(rule)}
                yield Draft(name, "firewall-rule", data | {"from": self.sources.addresses(at)}, at)
        for label, opening in host.container_ports.items():
            at = node.deepest(["container_ports", label])
            port, _, protocol = label.partition("/")
            data = {"port": int(port), "protocol": protocol or "tcp", **given(opening)}
            yield Draft(name, "container-port", data | {"from": self.sources.addresses(at)}, at)

    def _models(self, name: str, host: Host, node: Node) -> Iterator[Draft]:
        hub = self.words.hub
        for label in host.models:
            model = self.words.models.get(label)
            place = node.deepest(["model"]) if label == host.model else node.deepest(["cache"])
            if hub is not None and model is not None and model.revision is not None:
                data = {"name": label, **given(model, "args"), **given(hub)}
                yield Draft(name, "model", data, place)

    def _services(
        self, name: str, host: Host, directory: str, project: Project, node: Node
    ) -> Iterator[Draft]:
        for label, service in project.services.items():
            data = {"name": label, "directory": directory, **given(project, "services")}
            data |= {"serves_models": service.models, **given(service, "models", "admin", "gpus")}
            if service.models:
                data["needs"] = [*service.needs, *(f"model:{model}" for model in host.models)]
                cards = service.gpus or (len(host.gpus) if host.gpus else "all")
                data |= {"gpus": cards} if cards != ANY else {}
            yield Draft(
                name, "compose-service", data, node.deepest(["services", directory, "services", label])
            )

    def _node(self, name: str, host: Host, node: Node) -> Iterator[Draft]:
        words, model = host.node, host.model
        network = next((label for label, other in self.words.hosts.items() if other.role == NETWORK), None)
        if words is None or model is None or network is None or not is_host(host.address):
            return
        data = {"host": host.address, **given(words, "id", "needs", "maintenance")}
        data |= {
            "name": words.id or default_id(name, host.role),
            "inference_port": words.inference_port,
            "poc_port": words.poc_port,
            "max_concurrent": words.max_concurrent,
            "models": {model: {"args": list(self.words.models[model].args)}}
            if model in self.words.models
            else {},
            "about": name,
            **self._known(name == network, data["host"], words.poc_port),
            "needs": [
                *(f"{name}/compose-service:{label}" for label in _services(host, "models")),
                *(f"{name}/{need}" for need in words.needs),
                *(
                    f"{network}/compose-service:{label}"
                    for label in _services(self.words.hosts[network], "admin")
                ),
            ],
        }
        if data["models"]:
            yield Draft(network, "node", data, node.deepest(["node"]), home=name)

    def _known(self, own: bool, host: str, port: int) -> dict[str, str]:  # noqa: FBT001 (said by its caller)
        """Where a node's own API answers for the network host, and who the cluster is to the chain."""
        public = self.context.public_host
        found = {
            # A name of Docker's network means nothing to the host itself, where the port is published.
            "management": f"http://{LOOPBACK if own else host}:{port}",
            "public_url": f"http://{public}:{PORT}" if isinstance(public, str) else "",
            "account": own_address(self.context.pubkey),
            "seed_api": self.words.network.seed.api_url if self.words.network.seed else "",
        }
        return {name: value for name, value in found.items() if value}


def _services(host: Host, mark: str) -> list[str]:
    return [
        label
        for project in host.services.values()
        for label, service in project.services.items()
        if getattr(service, mark) and service.state == "present"
    ]


def _below(path: str, directory: str) -> bool:
    inside = PurePosixPath(path)
    return inside.is_relative_to(directory) and ".." not in inside.parts
