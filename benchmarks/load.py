"""Thirty visitors and a long job, in figures: ``python -m benchmarks.load``.

Runs the app and a page with work of known cost (``tests/load/workshop.py``: a
click is a forward pass, the job gradient steps through the same network), both
on this machine, and prints one line a figure. Clicks with and without the job
are measured in turns, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from contextlib import AsyncExitStack

from tests.load.client import APP, WORKSHOP, Server, Visitor, serving

VISITORS = 30
ROUNDS = 4
CLICKS = 15


def main() -> None:
    print(f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f} before the start")
    with serving(*APP, ready="/ready") as server:
        asyncio.run(many_visitors(server))
    with serving(*WORKSHOP) as server:
        asyncio.run(click_beside_job(server))


async def many_visitors(server: Server) -> None:
    async with AsyncExitStack() as stack:
        empty = server.memory()
        visitors = [Visitor(server.port, page="cnn_filters") for _ in range(VISITORS)]
        await asyncio.gather(*(stack.enter_async_context(visitor) for visitor in visitors))
        tell("30 first pages", await asyncio.gather(*(visitor.run() for visitor in visitors)))
        for number in range(3):
            tell(f"30 reruns at once ({number + 1})", await asyncio.gather(*(v.run() for v in visitors)))
        print(f"memory: {empty / 2**20:.0f} MB before, {server.memory() / 2**20:.0f} MB with 30 visitors")


async def click_beside_job(server: Server) -> None:
    alone: list[float] = []
    beside: list[float] = []
    async with Visitor(server.port) as clicker:
        await clicker.run()
        await clicks(clicker, 5)
        for number in range(ROUNDS):
            alone += await clicks(clicker, CLICKS)
            async with Visitor(server.port, query=f"job={number + 1}") as owner:
                await owner.ask()
                await owner.until(lambda visitor: steps(visitor) > 0)
                reading = asyncio.create_task(owner.finished(600))
                beside += await clicks(clicker, CLICKS)
                done = steps(owner)
                reading.cancel()
            print(f"  the job took {done} steps meanwhile")
            await asyncio.sleep(1)
    tell("a click alone", alone)
    tell("a click beside another visitor's job", beside)
    print(f"slower by {(statistics.median(beside) - statistics.median(alone)) * 1e3:.0f} ms (medians)")


def steps(visitor: Visitor) -> int:
    """Steps that the job has shown, read off the text of its progress bar."""
    texts = [bar.text.split(" of ")[0].replace(",", "") for bar in visitor.all("progress")]
    return max((int(text) for text in texts if text.isdigit()), default=0)


async def clicks(visitor: Visitor, count: int) -> list[float]:
    seconds = []
    for _ in range(count):
        seconds.append(await visitor.run(pressed="workshop_click"))
        await asyncio.sleep(0.07)
    return seconds


def tell(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    late = ordered[int(len(ordered) * 0.9)]
    median = statistics.median(ordered)
    print(f"{name}: median {median * 1e3:.0f} ms, 90 % {late * 1e3:.0f} ms, worst {ordered[-1] * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
