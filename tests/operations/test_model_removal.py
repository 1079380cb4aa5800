"""Models taken out of a cache by a real sh: what another model links to stays, and nothing outside is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.core.observation import Present
from gonka_state.errors import StepError
from gonka_state.operations.model import apply
from gonka_state.resources.model import ModelResource
from tests.operations.hands import carry_out, step_of

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Two models as the client of 2026 keeps them: blobs are links into a store, of which one is shared."""
    hub = tmp_path / "home" / "hub"
    for name, blobs in {"models--o--big": ("one", "both"), "models--o--other": ("both",)}.items():
        for blob in blobs:
            (hub / "store").mkdir(parents=True, exist_ok=True)
            (hub / "store" / blob).write_text(blob)
            place = hub / name
            (place / "blobs").mkdir(parents=True, exist_ok=True)
            (place / "snapshots" / COMMIT).mkdir(parents=True, exist_ok=True)
            (place / "blobs" / blob).symlink_to(f"../../store/{blob}")
            (place / "snapshots" / COMMIT / f"{blob}.bin").symlink_to(f"../../blobs/{blob}")
    (hub / ".locks" / "models--o--big").mkdir(parents=True)
    return hub


def remove(hub: Path, name: str = "o/big") -> None:
    wish = ModelResource(name=name, revision=COMMIT, home=str(hub.parent), state="absent")
    carry_out(
        apply(step_of(wish, Action.DELETE, seen=Present({}))),
        change=lambda script: f"systemctl() {{ :; }}\n{script}",
    )


def left(hub: Path) -> set[str]:
    return {str(path.relative_to(hub)) for path in hub.rglob("*") if not path.is_dir()}


def test_the_folder_goes_and_what_another_model_links_to_stays(hub: Path) -> None:
    remove(hub)

    other = "models--o--other"
    assert left(hub) == {"store/both", f"{other}/blobs/both", f"{other}/snapshots/{COMMIT}/both.bin"}
    assert (hub / other / "snapshots" / COMMIT / "both.bin").read_text() == "both"
    assert not (hub / ".locks" / "models--o--big").exists()


def test_nothing_is_removed_where_what_cannot_be_had_again_lies(hub: Path) -> None:
    before = left(hub)
    kept = hub.parent.parent / "there/.inference"
    kept.parent.mkdir()
    moved = hub.parent.rename(kept)
    hub.parent.symlink_to(moved)

    with pytest.raises(StepError, match="of which nothing is ever deleted"):
        remove(hub)

    assert left(moved / "hub") == before


def test_the_last_model_takes_the_rest_and_a_second_time_is_fine(hub: Path) -> None:
    for name in ("o/big", "o/other", "o/big"):
        remove(hub, name)

    assert left(hub) == set()


def test_a_link_out_of_the_cache_is_removed_and_not_what_it_leads_to(hub: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    (hub / "models--o--big" / "blobs" / "out").symlink_to(outside)

    remove(hub)

    assert outside.read_text() == "theirs"
    assert not (hub / "models--o--big").exists()


def test_a_folder_that_is_a_link_is_left_to_a_human(hub: Path, tmp_path: Path) -> None:
    (hub / "models--o--big").rename(tmp_path / "elsewhere")
    (hub / "models--o--big").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StepError, match="remove it by hand"):
        remove(hub)
    assert (tmp_path / "elsewhere" / "blobs" / "one").is_symlink()
