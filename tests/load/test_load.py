"""Thirty visitors on the real server, and one visitor's click beside another's long job.

Bounds are wide enough for a busy machine and narrow enough that a server which
serves one visitor after the other, leaks sessions or lets jobs starve clicks
fails. The precise figures are printed here and measured by ``benchmarks/load.py``.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.load.client import APP, WORKSHOP, Server, Visitor, serving

pytestmark = pytest.mark.load

VISITORS = 30
PAGES = ["", "cnn_filters"]


@pytest.fixture(scope="module")
def app() -> Iterator[Server]:
    with serving(*APP, ready="/ready") as server:
        yield server


@pytest.fixture(scope="module")
def workshop() -> Iterator[Server]:
    with serving(*WORKSHOP) as server:
        yield server


async def everyone(stack: AsyncExitStack, port: int, pages: list[str]) -> list[Visitor]:
    """Thirty connected visitors, spread over the pages."""
    visitors = [Visitor(port, page=pages[number % len(pages)]) for number in range(VISITORS)]
    await asyncio.gather(*(stack.enter_async_context(visitor) for visitor in visitors))
    return visitors


def test_thirty_visitors_get_their_page_and_their_clicks(app: Server) -> None:
    async def scene() -> None:
        async with AsyncExitStack() as stack:
            visitors = await everyone(stack, app.port, PAGES)
            first = await asyncio.gather(*(visitor.run() for visitor in visitors))
            again = await asyncio.gather(*(visitor.run() for visitor in visitors))
            assert all(visitor.all("markdown") or visitor.all("heading") for visitor in visitors)
            assert [visitor.errors for visitor in visitors] == [[]] * VISITORS
            print(f"\n30 first pages: median {statistics.median(first):.2f} s, slowest {max(first):.2f} s")
            print(f"30 reruns at once: median {statistics.median(again):.2f} s, slowest {max(again):.2f} s")
            assert max(again) < 30

    asyncio.run(scene())


def test_memory_does_not_grow_with_visits(app: Server) -> None:
    """Rounds of thirty new sessions; the first rounds fill caches, the later ones must not add much."""

    async def round_of_visits() -> None:
        async with AsyncExitStack() as stack:
            visitors = await everyone(stack, app.port, PAGES)
            for _ in range(2):
                await asyncio.gather(*(visitor.run() for visitor in visitors))

    sizes = []
    for _ in range(6):
        asyncio.run(round_of_visits())
        sizes.append(app.memory() / 2**20)
    print("\nmemory after each round, MB:", [round(size) for size in sizes])
    assert sizes[-1] - sizes[2] < 100, "three rounds of thirty sessions left more than 1 MB a session"


def test_a_long_job_does_not_slow_anothers_click(workshop: Server) -> None:
    async def scene() -> None:
        async with Visitor(workshop.port) as clicker, Visitor(workshop.port, query="job=1") as owner:
            await clicker.run()
            await clicks(clicker, 5)
            alone = await clicks(clicker, 25)
            await owner.ask()
            await owner.until(_steps)
            beside = await clicks(clicker, 25)
            print(f"\na click alone {alone * 1e3:.0f} ms, beside a long job {beside * 1e3:.0f} ms (medians)")
            assert beside < 2 * alone + 0.2
            assert clicker.errors == owner.errors == []

    asyncio.run(scene())


def _steps(visitor: Visitor) -> bool:
    return any(bar.text[:1].isdigit() and not bar.text.startswith("0") for bar in visitor.all("progress"))


async def clicks(visitor: Visitor, count: int) -> float:
    """Median seconds of a click that computes something new."""
    seconds = []
    for _ in range(count):
        seconds.append(await visitor.run(pressed="workshop_click"))
        await asyncio.sleep(0.07)
    return statistics.median(seconds)


def test_closing_the_tab_or_pressing_stop_ends_the_job(workshop: Server) -> None:
    """Seen in processor time: a job that ran on would use a core and more."""

    async def scene() -> None:
        async with Visitor(workshop.port, query="job=2") as leaving:
            await leaving.ask()
            await leaving.until(_steps)
        async with Visitor(workshop.port, query="job=3") as stopping:
            await stopping.ask()
            await stopping.until(_steps)
            await stopping.ask(pressed="workshop_job_stop")
            await stopping.until(lambda visitor: any("start" in b.id for b in visitor.all("button")))
            await asyncio.sleep(1)
            used = workshop.cpu()
            await asyncio.sleep(2)
            assert workshop.cpu() - used < 0.5

    asyncio.run(scene())
