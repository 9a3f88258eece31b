"""The device lane: fair turns, latest frame, cancelled within one step, errors to their reader."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from dlviz.errors import Busy
from dlviz.events import Event, Frame, Progress, Result, Work
from dlviz.jobs import Call, Queued, Room
from dlviz.jobs.device import NICENESS, DeviceLane, Gate
from dlviz.jobs.process import ProcessLane


@pytest.fixture
def room() -> Room:
    return make_room()


def make_room(limit: int = 100, **lane: float) -> Room:
    gate = Gate()
    return Room(DeviceLane(gate, **lane), ProcessLane(), gate, limit)


class Steps:
    """Work whose every step waits to be let through, and that records what happened."""

    def __init__(self, log: list[str], name: str, count: int) -> None:
        self.log, self.name, self.count = log, name, count
        self.closed = threading.Event()

    def __call__(self) -> Work:
        try:
            for step in range(self.count):
                self.log.append(self.name)
                yield Progress(step + 1, self.count)
            yield Result(self.name)
        finally:
            self.closed.set()


def held(room: Room) -> Callable[[], None]:
    """Keep the lane busy with one step until the returned function is called."""
    inside, release = threading.Event(), threading.Event()

    def work() -> Iterator[Event]:
        inside.set()
        release.wait(10)
        yield Result(None)

    room.submit(work, visitor="holder")
    assert inside.wait(5)
    return release.set


def test_events_arrive_in_order_and_end_with_the_result(room: Room) -> None:
    def work() -> Iterator[Event]:
        yield Progress(1, 2)
        yield Frame("half")
        yield Result("whole")

    job = room.submit(work, visitor="a")
    assert job.wait(5)
    assert list(job.events()) == [Progress(1, 2), Frame("half"), Result("whole")]
    assert job.over and not job.cancelled


def test_jobs_take_one_step_each(room: Room) -> None:
    log: list[str] = []
    release = held(room)
    jobs = [room.submit(Steps(log, name, 3), visitor=name) for name in "abc"]
    release()
    assert all(job.wait(5) for job in jobs)
    assert log == list("abcabcabc")


def test_turns_are_between_visitors_not_between_jobs(room: Room) -> None:
    """Two jobs of one visitor together get as many steps as the one job of another."""
    log: list[str] = []
    release = held(room)
    jobs = [room.submit(Steps(log, name, 40), visitor=name[0], per_visitor=2) for name in ("a1", "a2", "b1")]
    release()
    assert all(job.wait(5) for job in jobs)
    while_all_run = log[:40]
    assert abs(while_all_run.count("b1") - 20) <= 1
    assert abs(while_all_run.count("a1") - 10) <= 1


def test_a_slow_reader_sees_the_latest_frame_and_delays_nothing(room: Room) -> None:
    def work() -> Iterator[Event]:
        for step in range(1000):
            yield Frame(step)
        yield Result("end")

    job = room.submit(work, visitor="a")
    assert job.wait(5)
    assert list(job.events()) == [Frame(999), Result("end")]


def test_cancel_takes_effect_within_one_step(room: Room) -> None:
    log: list[str] = []
    arrived, go_on = threading.Event(), threading.Event()
    closed_by: list[str] = []

    def work() -> Iterator[Event]:
        try:
            for step in range(1000):
                log.append("step")
                if step == 2:
                    arrived.set()
                    go_on.wait(10)
                yield Progress(step, 1000)
        finally:
            closed_by.append(threading.current_thread().name)

    job = room.submit(work, visitor="a")
    assert arrived.wait(5)
    job.cancel()
    assert job.over and job.cancelled
    go_on.set()
    assert job.wait(5)
    assert log == ["step"] * 3
    assert closed_by == ["dlviz-device-lane"], "the generator's finally runs where its steps ran"
    assert list(job.events())[-1:] in ([], [Progress(2, 1000)])


def test_cancelling_while_it_waits_never_starts_it() -> None:
    room = make_room(slots=1)
    release = held(room)
    started: list[str] = []
    job = room.submit(Steps(started, "never", 3), visitor="b")
    job.cancel()
    release()
    assert job.wait(5)
    assert started == []
    assert room.submit(Steps([], "next", 1), visitor="c").wait(5)


def test_cancelling_what_is_over_changes_nothing(room: Room) -> None:
    job = room.submit(Steps([], "a", 1), visitor="a")
    assert job.wait(5)
    job.cancel()
    assert not job.cancelled
    assert list(job.events())[-1] == Result("a")


def test_errors_reach_the_reader_as_they_are_and_the_lane_lives_on(room: Room) -> None:
    error = ZeroDivisionError("as asked")

    def work() -> Iterator[Event]:
        yield Progress(1, 2)
        raise error

    job = room.submit(work, visitor="a")
    reader = job.events()
    assert next(reader) == Progress(1, 2)
    with pytest.raises(ZeroDivisionError) as caught:
        list(reader)
    assert caught.value is error
    after = room.submit(Steps([], "b", 1), visitor="b")
    assert after.wait(5)


def test_an_error_while_the_generator_is_made_reaches_the_reader(room: Room) -> None:
    def work() -> Work:
        raise LookupError("no such layer")

    with pytest.raises(LookupError):
        list(room.submit(work, visitor="a").events())


def test_a_generator_must_yield_events(room: Room) -> None:
    with pytest.raises(TypeError, match="not int"):
        list(room.submit(lambda: iter([3]), visitor="a").events())


def test_an_abandoned_job_is_cancelled() -> None:
    room = make_room(abandon_after=0.1)
    work = Steps([], "a", 10**9)
    job = room.submit(work, visitor="a")
    assert job.wait(5), "nobody read it, yet it ran on"
    assert job.cancelled and work.closed.is_set()


def test_a_job_that_is_read_now_and_then_is_not_abandoned() -> None:
    room = make_room(abandon_after=0.4)
    job = room.submit(Steps([], "a", 10**9), visitor="a")
    for _ in range(20):
        job.news(0.01)
        time.sleep(0.05)
    assert not job.cancelled
    job.cancel()


def test_a_waiting_reader_counts_as_reading() -> None:
    room = make_room(slots=1, abandon_after=0.2)
    release = held(room)
    job = room.submit(Steps([], "a", 2), visitor="a")
    threading.Timer(0.6, release).start()
    assert list(job.events())[-1] == Result("a")


def test_a_new_job_of_the_same_visitor_replaces_the_oldest(room: Room) -> None:
    first, second = Steps([], "first", 10**9), Steps([], "second", 10**9)
    old = room.submit(first, visitor="a", per_visitor=2)
    kept = room.submit(second, visitor="a", per_visitor=2)
    new = room.submit(Steps([], "third", 3), visitor="a", per_visitor=2)
    assert old.wait(5) and old.cancelled and not kept.cancelled
    assert list(new.events())[-1] == Result("third")
    kept.cancel()


def test_others_are_not_replaced(room: Room) -> None:
    jobs = [room.submit(Steps([], name, 3), visitor=name) for name in "abcdefgh"]
    assert all(job.wait(5) and not job.cancelled for job in jobs)


def test_who_waits_learns_the_position() -> None:
    room = make_room(slots=1)
    release = held(room)
    jobs = [room.submit(Steps([], name, 1), visitor=name) for name in "abc"]
    assert [job.news(1) for job in jobs] == [[Queued(1)], [Queued(2)], [Queued(3)]]
    jobs[0].cancel()
    release()
    assert jobs[0].wait(5)
    assert list(jobs[2].events())[-1] == Result("c")


def test_a_full_room_says_so() -> None:
    room = make_room(limit=2)
    kept = [room.submit(Steps([], name, 10**9), visitor=name) for name in "ab"]
    with pytest.raises(Busy):
        room.submit(Steps([], "c", 1), visitor="c")
    assert room.open_jobs() == 2
    replacing = room.submit(Steps([], "a", 1), visitor="a")
    assert replacing.wait(5), "who replaces a job of their own is not one more"
    kept[1].cancel()


def test_a_click_holds_steps_back_and_patience_ends() -> None:
    room = make_room(patience=0.3)
    log: list[str] = []
    with room.interactive():
        began = time.monotonic()
        job = room.submit(Steps(log, "a", 10**9), visitor="a")
        time.sleep(0.1)
        assert log == []
        while not log and time.monotonic() < began + 5:
            time.sleep(0.01)
        assert time.monotonic() - began >= 0.29, "the step waited as long as it must"
    steps = job.steps
    time.sleep(0.1)
    assert job.steps > steps + 10, "without a click the steps run freely"
    job.cancel()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
def test_the_lane_is_polite_and_nobody_else_is(room: Room) -> None:
    def work() -> Iterator[Event]:
        yield Result(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert list(room.submit(work, visitor="a").events()) == [Result(min(19, before + NICENESS))]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_each_lane_takes_its_own_kind_of_work(room: Room) -> None:
    with pytest.raises(TypeError):
        room.submit(Call("math:sqrt"), visitor="a")
    with pytest.raises(TypeError):
        room.submit(Steps([], "a", 1), visitor="a", lane="process")


def test_ids_cannot_be_guessed(room: Room) -> None:
    ids = {room.submit(Steps([], "a", 1), visitor="a").id for _ in range(50)}
    assert len(ids) == 50 and min(map(len, ids)) >= 20


def test_the_log_tells_how_a_job_ended_and_how_promptly(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "dlviz.jobs")
    room.submit(Steps([], "done", 3), visitor="done").wait(5)
    release = held(room)
    job = room.submit(Steps([], "stopped", 3), visitor="stopped")
    job.cancel()
    release()
    assert job.wait(5)
    done, stopped = (
        next(r.getMessage() for r in caplog.records if f"of visitor {name}:" in r.getMessage())
        for name in ("done", "stoppe")
    )
    assert done.endswith("done after 4 steps")
    assert "cancelled after 0 steps, 0 more, let go in" in stopped
