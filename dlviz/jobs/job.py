"""One piece of long work, as its reader sees it: news, an end, and a way to cancel."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dlviz.events import Event, Frame, Progress, Result, Work

log = logging.getLogger("dlviz.jobs")


@dataclass(frozen=True, slots=True)
class Queued:
    """The work waits; ``position`` 1 is next."""

    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function by name with its arguments: what can travel to another process.

    Parameters
    ----------
    function
        Dotted name ``"package.module:function"``. It returns either a value
        or a generator of :mod:`dlviz.events`.
    arguments
        Keyword arguments that pickle carries.
    """

    function: str
    arguments: dict[str, object] = field(default_factory=dict)


News = Queued | Event
Maker = Callable[[], Work]


class Job:
    """Handle on submitted work.

    The work and its reader never wait for each other: the work leaves its
    latest :class:`Queued`, ``Progress`` and ``Frame`` in a mailbox with one
    slot a kind, so that a slow reader sees fewer frames and a fast one sees
    all of them.

    Attributes
    ----------
    id
        Cannot be guessed, so that it may stand in an address.
    visitor
        Whose work it is; turns are taken between visitors.
    """

    def __init__(self, work: Maker | Call, visitor: str) -> None:
        self.id = secrets.token_urlsafe(16)
        self.visitor = visitor
        self.work = work
        self.steps = 0
        self._mail: dict[type, News] = {}
        self._changed = threading.Condition()
        self._cancelled = False
        self._closed = False
        self._left_at = (0, 0.0)
        self._error: BaseException | None = None
        self._reading = 0
        self._last_read = time.monotonic()
        self._wake: Callable[[], None] = lambda: None

    # -- the reader's side

    @property
    def cancelled(self) -> bool:
        """Someone asked it to stop: its reader, a newer job of the same visitor, or the room (abandoned)."""
        return self._cancelled

    @property
    def over(self) -> bool:
        """Nothing more will come than what lies in the mailbox."""
        return self._closed or self._cancelled

    def cancel(self) -> None:
        """Stop the work within one step. Harmless when it is already over."""
        with self._changed:
            if not self.over:
                self._cancelled, self._left_at = True, (self.steps, time.monotonic())
            self._changed.notify_all()
        self._wake()

    def news(self, timeout: float | None = None) -> list[News]:
        """Take what is new, waiting up to ``timeout`` seconds for it; an empty list when nothing came.

        Order: queue position, progress, frame, result. Raises the work's own
        error, once everything before it was taken.
        """
        with self._changed, self._being_read():
            self._changed.wait_for(lambda: self._mail or self.over, timeout)
            mail, self._mail = self._mail, {}
            if not mail and self._error is not None:
                raise self._error
        return [mail[kind] for kind in (Queued, Progress, Frame, Result) if kind in mail]

    def events(self) -> Iterator[News]:
        """Iterate over news until the work is over; a cancelled job's events just end."""
        while True:
            news = self.news()
            yield from news
            if not news and self.over:
                return

    def rest(self, seconds: float) -> None:
        """Wait ``seconds``, or until the work is over: what a reader does between two pictures."""
        with self._changed, self._being_read():
            self._changed.wait_for(lambda: self.over, seconds)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the work has let go of everything it held; False when ``timeout`` came first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, timeout)

    # -- the lane's side

    def post(self, news: News) -> None:
        """Put news into the mailbox over older news of its kind."""
        with self._changed:
            self._mail[type(news)] = news
            if not isinstance(news, Queued):
                self._mail.pop(Queued, None)
            self._changed.notify_all()

    def close(self, error: BaseException | None = None) -> None:
        """Say that the work is over and holds nothing any more."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
                self._write_down()
            self._changed.notify_all()

    def _write_down(self) -> None:
        """One line for the server's log: how the work ended, and how promptly once it was cancelled."""
        who = f"job {self.id[:6]} of visitor {self.visitor[:6]}"
        if self._cancelled:
            steps, moment = self._left_at
            late = (time.monotonic() - moment) * 1000
            log.info(
                "%s: cancelled after %d steps, %d more, let go in %.0f ms",
                who,
                steps,
                self.steps - steps,
                late,
            )
        else:
            log.info("%s: %s after %d steps", who, "failed" if self._error else "done", self.steps)

    def on_cancel(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called when someone cancels, so that a sleeping lane hears of it."""
        self._wake = wake

    def unread_for(self) -> float:
        """Seconds since someone last looked at the news; 0 while someone waits for them."""
        with self._changed:
            return 0.0 if self._reading else time.monotonic() - self._last_read

    @contextmanager
    def _being_read(self) -> Iterator[None]:
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1
            self._last_read = time.monotonic()


def checked(event: object) -> Event:
    """``event`` if it is one; a generator that yields something else is a mistake in the science."""
    if isinstance(event, (Progress, Frame, Result)):
        return event
    raise TypeError(f"A job yields Progress, Frame or Result, not {type(event).__name__}.")


def started(work: Maker | Call) -> Generator[Event, None, None]:
    """The generator of ``work``, made in the thread or process that will run it."""
    if isinstance(work, Call):
        raise TypeError("The device lane takes a function without arguments, not a Call.")
    return work()
