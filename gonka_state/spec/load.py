"""The user's YAML turned into the wish the flow works on; all problems of all files at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.desired import Desired, Limits, Run, Timeouts
from gonka_state.spec.build import build
from gonka_state.spec.chain_source import chain_source
from gonka_state.spec.checks import check, entries, text_of
from gonka_state.spec.context import Context
from gonka_state.spec.expand import Expansion
from gonka_state.spec.expand_monitoring import scraped
from gonka_state.spec.layers import Layered, Layers
from gonka_state.spec.logins import logins
from gonka_state.spec.maintenance import marked, of_hosts
from gonka_state.spec.merge import hollow, merge, settle
from gonka_state.spec.operator_values import resolve
from gonka_state.spec.problems import Problems
from gonka_state.spec.references import References, asked
from gonka_state.spec.sources import Sources
from gonka_state.spec.templates import Templates, directories
from gonka_state.spec.tree import Node
from gonka_state.spec.validate import validate
from gonka_state.spec.words import Cluster

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gonka_state.resources.base import Resource


def load(
    paths: Sequence[Path],
    *,
    overlays: Sequence[Path] = (),
    models: Mapping[str, type[Resource]],
    env: Mapping[str, str],
    resolve_commands: bool = True,
) -> list[Desired[Resource]]:
    """Read clusters from files and directories, lay overlays on top, expand them to resources.

    A directory stands for every `*.yaml` in it that names a cluster. `models` are the kinds by name. No
    host is touched. Values of the operator that are not set hold back what depends on them and are no
    problem here; `{command: …}` references run unless `resolve_commands` is false.

    Raises:
        InputError: something is wrong; carries every problem as `file:line:column: what`, the line, and
            the nearest valid name.
    """
    problems = Problems()
    layers = Layers(problems, env)
    if not paths:
        problems.add("desired", "no cluster file is given")
    found = [
        _cluster(layered, models, References(env, resolve_commands), problems)
        for layered in layers.clusters(paths, overlays)
    ]
    problems.check()
    return [desired for desired in found if desired is not None]


def _cluster(
    layered: Layered, models: Mapping[str, type[Resource]], references: References, problems: Problems
) -> Desired[Resource] | None:
    whole = _with_roles(layered.tree)
    for node in hollow(whole):
        what = (
            "nothing here: null unsets what a lower layer declares, and none does; for no settings write {}"
        )
        problems.add(node.where, what)
    tree = settle(whole)
    check(tree, problems)
    words = validate(Cluster, tree, problems)
    values = [
        resolve(tree, word, references, problems)
        for word in ("public_host", "account.pubkey", "keyring_password")
    ]
    if words is None:
        return None
    context = Context(words, tree, references, problems, *values)
    templates = Templates(directories(layered.file), problems)
    expansion = Expansion(words, tree, Sources(tree, problems), templates, context, layered.file)
    resources = marked(words, build(expansion.drafts(), models, problems))
    return Desired(
        cluster=layered.name,
        file=layered.file,
        lab=words.lab,
        hosts=logins(words, tree, references.env, problems),
        resources=resources,
        run=_run(words),
        limits=Limits(**words.limits.model_dump()),
        missing=tuple(references.missing),
        maintenance=of_hosts(words),
        scraped=scraped(words),
        prune={name: tuple(host.prune) for name, host in words.hosts.items() if host.prune},
        chain=chain_source(
            words, context.pubkey, (words.network.seed.api_url,) if words.network.seed else ()
        ),
        notify=asked(tree.deepest(["notify", "urls"])) if words.notify else None,
    )


def _with_roles(tree: Node) -> Node:
    """The tree with every host's role and the cluster's requirements laid under the host's own words."""
    everywhere = Node(
        tree.source, entries={"requirements": tree.get("requirements") or Node(tree.source, entries={})}
    )
    roles = entries(tree, "roles")
    hosts = tree.get("hosts")
    if hosts is None or hosts.entries is None:
        return tree
    whole = {}
    for name, host in hosts.entries.items():
        role = roles.get(text_of(host, "role"))
        below = merge(everywhere, role) if role is not None and role.entries is not None else everywhere
        whole[name] = merge(below, host)
    return replace(tree, entries={**(tree.entries or {}), "hosts": replace(hosts, entries=whole)})


def _run(words: Cluster) -> Run:
    values = words.run.model_dump()
    return Run(**{**values, "timeouts": Timeouts(**values["timeouts"])})
