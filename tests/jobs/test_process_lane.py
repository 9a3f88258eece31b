"""The process lane: calls by name, killed when cancelled, a bounded number of processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dlviz.errors import Refused
from dlviz.events import Progress, Result
from dlviz.jobs import Call, Queued, Room
from dlviz.jobs.device import DeviceLane, Gate
from dlviz.jobs.process import ProcessLane, WorkerDiedError

SLOW = "tests.jobs.slow:"


@pytest.fixture
def lane() -> Iterator[ProcessLane]:
    lane = ProcessLane(slots=1, idle=1, idle_for=0.0, abandon_after=1.0)
    yield lane
    assert until(lambda: not lane.processes()), "idle processes are ended"


@pytest.fixture
def room(lane: ProcessLane) -> Room:
    gate = Gate()
    return Room(DeviceLane(gate), lane, gate)


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def call(room: Room, name: str, visitor: str = "a", **arguments: object) -> list[object]:
    job = room.submit(Call(SLOW + name, arguments), visitor=visitor, lane="process")
    return list(job.events())


def test_a_value_becomes_a_result(room: Room) -> None:
    assert call(room, "add", left=2, right=3) == [Result(5)]


def test_a_generator_sends_its_events(room: Room) -> None:
    events = call(room, "count", steps=5)
    assert events[-1] == Result(5)
    assert all(isinstance(event, Progress) for event in events[:-1])


def test_a_process_serves_one_call_after_the_other() -> None:
    gate = Gate()
    lane = ProcessLane(idle_for=60)
    room = Room(DeviceLane(gate), lane, gate)
    first, second = call(room, "process_id"), call(room, "process_id")
    assert first == second
    assert lane.processes() == [first[0].value]  # type: ignore[attr-defined]
    psutil.Process(lane.processes()[0]).terminate()


def test_cancelling_kills_the_process(room: Room, tmp_path: Path) -> None:
    started = tmp_path / "pid"
    job = room.submit(Call(SLOW + "sleep_forever", {"started": started}), visitor="a", lane="process")
    assert until(lambda: started.exists() and started.read_text(), 20)
    process = psutil.Process(int(started.read_text()))
    began = time.monotonic()
    job.cancel()
    assert list(job.events()) == []
    assert until(lambda: not process.is_running())
    assert job.wait(2) and time.monotonic() - began < 2
    assert call(room, "add", left=1, right=1) == [Result(2)], "the lane goes on with a new process"


def test_an_abandoned_call_is_killed(room: Room, tmp_path: Path) -> None:
    started = tmp_path / "pid"
    job = room.submit(Call(SLOW + "sleep_forever", {"started": started}), visitor="a", lane="process")
    assert job.wait(20) and job.cancelled


def test_errors_keep_their_message_and_values(room: Room) -> None:
    with pytest.raises(Refused) as caught:
        call(room, "refuse")
    assert caught.value.message == "{count} is too many."
    assert caught.value.values == {"count": 7}
    assert "in refuse" in "".join(caught.value.__notes__), "where it happened in the worker is told"


def test_a_process_that_dies_is_an_error_with_a_message(room: Room) -> None:
    with pytest.raises(WorkerDiedError):
        call(room, "crash")


def test_a_result_that_cannot_travel_is_an_error(room: Room) -> None:
    with pytest.raises(Exception, match=r"pickle|lambda"):
        call(room, "unpicklable")
    assert call(room, "add", left=1, right=1) == [Result(2)]


def test_calls_beyond_the_slots_wait_and_know_their_position(room: Room, tmp_path: Path) -> None:
    first = room.submit(
        Call(SLOW + "sleep_forever", {"started": tmp_path / "a"}), visitor="a", lane="process"
    )
    assert until((tmp_path / "a").exists, 20)
    second = room.submit(Call(SLOW + "add", {"left": 1, "right": 2}), visitor="b", lane="process")
    assert second.news(5) == [Queued(1)]
    first.cancel()
    assert list(second.events()) == [Result(3)]


def test_the_process_is_polite(room: Room) -> None:
    (result,) = call(room, "niceness")
    assert result.value >= 10  # type: ignore[attr-defined]
