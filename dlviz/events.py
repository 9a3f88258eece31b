"""What long work tells while it runs.

Long work is a generator. It yields ``Progress`` and ``Frame`` events and ends
with one ``Result``; a step between two events should stay short (about 50 ms),
because cancelling and taking turns happen between steps.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` steps are over."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Frame:
    """An intermediate picture of the work: a frozen Result type of the lesson."""

    value: object


@dataclass(frozen=True, slots=True)
class Result:
    """The last event: what the work was for."""

    value: object


Event = Progress | Frame | Result
Work = Generator[Event, None, None]
