"""`gonka-state import`: cluster files from an Ansible inventory, or from a list of addresses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import gonka_state
from gonka_state.cli.writing import check
from gonka_state.errors import InputError, said_by
from gonka_state.spec.imported import Imported, from_addresses, from_inventory, models_of
from gonka_state.spec.vocabulary import is_name
from gonka_state.spec.write import SCHEMA, as_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARED = "shared.yaml"
_PATH = click.Path(path_type=Path)


@click.command("import")
@click.argument("inventory", required=False, type=_PATH, metavar="[INVENTORY.ini]")
@click.option("--ips", type=_PATH, help="A list of addresses instead; the first is the network node's.")
@click.option(
    "--config", type=_PATH, help="An ansible.cfg: who logs in, with which key, through which hosts."
)
@click.option("--cluster", default="", help="Only this cluster; or the name of the one that nothing names.")
@click.option("-o", "--output", type=_PATH, metavar="DIR", help="Write DIR/CLUSTER.yaml, never over a file.")
def command(
    inventory: Path | None, ips: Path | None, config: Path | None, cluster: str, output: Path | None
) -> None:
    """Turn an Ansible inventory, or a list of addresses, into cluster files. No host is touched.

    One cluster goes to standard output; -o writes a file per cluster. The files extend shared.yaml, which has
    to lie beside them. What was not taken over, and what was chosen, is told on standard error, by line. Secrets
    are not copied: the files ask for them with {env: …}. See docs/from-ansible.md.
    """
    source = inventory or ips
    if source is None or (inventory and ips):
        raise click.UsageError("give an INVENTORY.ini, or --ips FILE")
    if ips and config:
        raise click.UsageError("--config belongs to an inventory, not to --ips")
    if cluster and not is_name(cluster):
        raise click.UsageError(f"{cluster!r} cannot be a cluster's name: that is a-z, 0-9 and inner hyphens")
    shared = _shared(output)
    known = models_of(shared)
    made = from_addresses(source, cluster, known) if ips else from_inventory(source, config, cluster, known)
    if output is None and len(made.clusters) > 1:
        raise InputError(
            [f"{source} holds {len(made.clusters)} clusters: {', '.join(made.clusters)}"],
            hint="a cluster is a file: give -o DIR for all, or --cluster NAME for one",
        )
    texts = {name: _text(words, source) for name, words in made.clusters.items()}
    _check(made, shared)
    for note in made.notes:
        click.echo(note, err=True)
    if output is None:
        click.echo("".join(texts.values()), nl=False)
    else:
        _write({output / f"{name}.yaml": text for name, text in texts.items()})


def _shared(output: Path | None) -> Path | None:
    """The file that the new ones extend: beside them, else where clusters are by default, else our own."""
    if output is not None:
        if not (output / SHARED).is_file():
            raise InputError(
                [f"there is no {output / SHARED}, which the files in it would extend"],
                hint="give the directory of your cluster files, or copy desired/shared.yaml into this one",
            )
        return (output / SHARED).absolute()
    places = (Path("desired"), Path(gonka_state.__file__).parents[1] / "desired")
    return next(((place / SHARED).absolute() for place in places if (place / SHARED).is_file()), None)


def _text(words: Mapping[str, Any], source: Path) -> str:
    head = f"{SCHEMA}#\n# Written by gonka-state import from {source.name!r}.\n"
    return head + as_yaml(words)


def _check(made: Imported, shared: Path | None) -> None:
    if shared is None:
        made.notes.append(
            f"not checked: there is no {SHARED} here. Put one beside the file, then gonka-state validate"
        )
        return
    for name, words in made.clusters.items():
        check(as_yaml({**words, "extends": str(shared)}), f"{name}.yaml")


def _write(texts: Mapping[Path, str]) -> None:
    there = [path for path in texts if path.exists()]
    if there:
        raise InputError(
            [f"{path} is there already, and nothing was written" for path in there],
            hint="move it away, or give another directory; to lay the two side by side, leave out -o",
        )
    for path, text in texts.items():
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise InputError([f"{path} cannot be written: {said_by(error)}"]) from error
        click.echo(path)
