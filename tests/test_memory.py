"""The memory guard: container limits are respected, the cache goes first, then new work is refused."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import psutil
import pytest

from dlviz import memory
from dlviz.errors import Busy


def test_without_a_setting_it_is_a_share_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DLVIZ_MAX_MEMORY_MB", raising=False)
    assert memory.limit_bytes() == int(memory.machine_bytes() * memory.SHARE)
    assert 0 < memory.machine_bytes() <= psutil.virtual_memory().total


def test_the_setting_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLVIZ_MAX_MEMORY_MB", "300")
    assert memory.limit_bytes() == 300 * 2**20


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ({"memory.max": "1000\n"}, [1000]),
        ({"memory.max": "max\n"}, []),
        ({"memory/memory.limit_in_bytes": "2000\n"}, [2000]),
        ({"a/b/memory.max": "500\n", "a/memory.max": "400\n"}, [400, 500]),
        ({"other/memory.max": "300\n"}, []),
    ],
)
def test_container_limits(tmp_path: Path, files: dict[str, str], limits: list[int]) -> None:
    (tmp_path / "membership").write_text("0::/a/b\n")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = memory._container_limits(tmp_path, tmp_path / "membership")
    assert sorted(set(found)) == limits


def test_below_the_limit_nothing_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLVIZ_MAX_MEMORY_MB", str(2**20))
    emptied: list[bool] = []
    memory.make_room(lambda: emptied.append(True))
    assert not emptied


def test_the_cache_goes_first_and_that_may_be_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks below the C library's threshold, which keeps their pages when they are freed."""
    gc.collect()
    memory._return_to_system()  # what earlier tests have freed is not there to be used again unseen
    used = memory.used_bytes()
    cache = [np.ones(2**13) for _ in range(3000)]
    pinned = np.ones(2**13)  # above them in the heap, so that the C library cannot just lower its top
    assert memory.used_bytes() > used + 150 * 2**20
    monkeypatch.setenv("DLVIZ_MAX_MEMORY_MB", str((used + 80 * 2**20) // 2**20))
    memory.make_room(cache.clear)
    assert cache == [] and pinned.size


def test_then_new_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLVIZ_MAX_MEMORY_MB", "1")
    emptied: list[bool] = []
    with pytest.raises(Busy):
        memory.make_room(lambda: emptied.append(True))
    assert emptied
