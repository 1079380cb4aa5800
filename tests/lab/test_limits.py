"""Room for many hosts: raised once, told, put back; and an honest end where that is not allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonka_state.errors import LabError
from gonka_state.lab import limits


def test_the_ceiling_is_raised_for_many_hosts_and_put_back(tmp_path: Path) -> None:
    ceiling, kept, said = tmp_path / "ceiling", tmp_path / "kept", list[str]()
    ceiling.write_text("128\n")
    limits.make_room(5, kept, said.append, ceiling)
    assert (ceiling.read_text(), said, kept.exists()) == ("128\n", [], False)
    limits.make_room(12, kept, said.append, ceiling)
    limits.make_room(18, kept, said.append, ceiling)
    assert ceiling.read_text() == f"{18 * limits.PER_HOST + limits.SPARE}\n"
    assert len(said) == 2
    limits.put_back(kept, ceiling)
    limits.put_back(kept, ceiling)
    assert (ceiling.read_text(), kept.exists()) == ("128\n", False)


def test_where_it_cannot_be_raised_the_operator_is_told_how(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"1000000000 lab hosts need .* this machine allows \d+") as caught:
        limits.make_room(10**9, tmp_path / "kept", print)  # more than the kernel's numbers hold
    assert "sysctl -w" in caught.value.hint
    assert not (tmp_path / "kept").exists()
    assert int(Path(limits.CEILING).read_text()) < 10**9
