"""Whether the event loop keeps turning."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def longest_gap_during(work: Coroutine[Any, Any, T]) -> tuple[float, asyncio.Task[T]]:
    """Return the longest time that the loop did not turn, in seconds, and the finished task."""
    longest = 0.0
    # A full collection over all that pytest has loaded takes 40 ms and more.
    gc.disable()
    try:
        task = asyncio.create_task(work)
        while not task.done():
            before = time.perf_counter()
            await asyncio.wait({task}, timeout=0.002)
            longest = max(longest, time.perf_counter() - before)
    finally:
        gc.enable()
    return longest, task


async def least_gap_during(
    work: Callable[[], Coroutine[Any, Any, T]], enough: float
) -> tuple[float, T]:
    """Return the least longest gap of up to five tries, in seconds, and what the last returned.

    What a busy machine does to one of them says nothing; one below ``enough`` will do.
    """
    least = float("inf")
    for _ in range(5):
        gap, task = await longest_gap_during(work())
        least = min(least, gap)
        if least < enough:
            break
    return least, task.result()
