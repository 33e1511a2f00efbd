"""How long a worker takes from its start to processing, with a full table to recover."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import workload
from benchmarks.arena import Arena
from benchmarks.process import Process
from benchmarks.roster import OURS, WORKER_READY, worker
from pipeline.workers import COMMAND
from topics import STOCK_PRICES

#: Bars of each ticker before the restart: its indicators are warm, its row as large as it gets.
WARM_BARS = 40


def restart(place: Arena, tickers: int) -> dict[str, Any]:
    """Return the seconds from the start of a worker to its partitions, and to the first document.

    And the memory, in MB, of the worker before it, which has taken in all the bars itself.

    Raises:
        ContestantFailed: a worker did not get there.
    """
    bars = tickers * WARM_BARS
    place.refill(tickers, bars)
    task = place.task(OURS, tickers=tickers, bars=bars)
    log = Path(task.directory) / "first.txt"
    make = worker(publish_snapshots=False)
    with Process("the first worker", COMMAND, make(place, task), log) as first:
        place.wait_documents(task, bars, first)
        place.wait_committed(task, first)
        memory = first.rss_mb()
    # What comes while nobody is there; one bar of each ticker.
    workload.produce(place.settings, STOCK_PRICES.name, tickers, tickers, first_index=WARM_BARS)
    start = perf_counter()
    log = log.with_name("second.txt")
    with Process("the second worker", COMMAND, make(place, task), log) as second:
        ready = second.wait_for(WORKER_READY)
        processing = place.wait_documents(task, bars + 1, second)
        place.wait_documents(task, bars + tickers, second)
        drained = place.wait_committed(task, second)
    place.drop(task)
    return {
        "tickers": tickers,
        "rss_mb": memory,
        "ready_s": ready - start,
        "processing_s": processing - start,
        "drained_s": drained - start,
    }
