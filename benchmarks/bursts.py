"""Bursts: nothing for a while, then many bars at once, several times.

The clock of a burst starts when the broker has acknowledged its last bar, so what is done by then
is for free; it stops when all of the burst is readable, and again when all of it is committed.
"""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import workload
from benchmarks.arena import Arena
from benchmarks.process import Process
from benchmarks.protocol import settings_in
from benchmarks.roster import WORKER_READY, Contestant
from benchmarks.verify import problems_of
from delivery import Sender
from topics import STOCK_PRICES

TICKERS = 200
QUIET_S = 3.0


def measure(
    place: Arena, contestant: Contestant, *, bursts: int, bars: int, eager: bool = False
) -> dict[str, Any]:
    """Return how long ``bursts`` bursts of ``bars`` bars each took, in s: median and largest.

    Args:
        place: the servers; the bars that are there go.
        contestant: who takes them.
        bursts: how many.
        bars: of each.
        eager: whether it runs as for latency, where it knows that.

    Raises:
        ContestantFailed: it did not start, or not everything arrived.
    """
    place.refill(TICKERS, 0)
    total = TICKERS + bursts * bars
    task = place.task(contestant.name, tickers=TICKERS, bars=total, eager=eager, publish=False)
    log = Path(task.directory) / "log.txt"
    environment = contestant.environment(place, task)
    sent: list[float] = []
    readable: list[float] = []
    committed: list[float] = []
    stream = map(workload.message, workload.bars(TICKERS))
    sender = Sender(place.settings)
    with Process(contestant.name, contestant.command, environment, log) as process:
        if contestant.ready == WORKER_READY:
            process.wait_for(WORKER_READY)
        # One bar of each ticker: whoever is not ready yet is afterwards.
        sender.send(STOCK_PRICES.name, list(islice(stream, TICKERS)))
        place.wait_documents(task, TICKERS, process)
        place.wait_committed(task, process)
        for number in range(1, bursts + 1):
            burst = list(islice(stream, bars))
            time.sleep(QUIET_S)
            start = perf_counter()
            sender.send(STOCK_PRICES.name, burst)
            acknowledged = perf_counter()
            sent.append(acknowledged - start)
            there = place.wait_documents(task, TICKERS + number * bars, process)
            readable.append(there - acknowledged)
            committed.append(place.wait_committed(task, process) - acknowledged)
    sender.close()
    problems = problems_of(place.database(task), contestant, task, total)
    place.drop(task)
    return {
        "bursts": bursts,
        "bars": bars,
        "sent_s": _spread(sent),
        "readable_s": _spread(readable),
        "committed_s": _spread(committed),
        "settings": settings_in(log, environment),
        "problems": problems,
    }


def _spread(took: list[float]) -> dict[str, float]:
    return {"median": round(median(took), 3), "max": round(max(took), 3)}
