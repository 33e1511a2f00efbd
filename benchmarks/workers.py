"""Several workers on one topic: how the partitions spread, and the rate of all together."""

from __future__ import annotations

import contextlib
import time
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from confluent_kafka.admin import AdminClient

from benchmarks.arena import PARTITIONS, Arena
from benchmarks.errors import ContestantFailed
from benchmarks.process import Process
from benchmarks.roster import OURS, WORKER_READY, worker
from benchmarks.workload import bars as walk
from benchmarks.workload import message
from broker import client_config
from delivery import Sender
from pipeline.workers import COMMAND
from topics import STOCK_PRICES

_SPREAD_TIMEOUT_S = 60.0


def together(place: Arena, count: int, tickers: int, bars: int) -> dict[str, Any]:
    """Return the rate of ``count`` workers that share the partitions.

    They have their partitions before the first bar is sent, so that no rebalance is timed. The
    bars are encoded before, too; sending them is timed.

    Raises:
        ContestantFailed: one did not start, or the partitions did not spread.
    """
    place.refill(tickers, 0)
    task = place.task(OURS, tickers=tickers, bars=bars)
    messages = [message(bar) for bar in islice(walk(tickers), bars)]
    sender = Sender(place.settings)
    with contextlib.ExitStack() as running:
        processes = []
        for index in range(count):
            log = Path(task.directory) / f"log-{index}.txt"
            environment = worker(publish_snapshots=False, index=index)(place, task)
            process = Process(f"worker {index}", COMMAND, environment, log)
            processes.append(running.enter_context(process))
        for process in processes:
            process.wait_for(WORKER_READY)
        spread = _spread(place, task.group, count)
        start = perf_counter()
        sender.send(STOCK_PRICES.name, messages)
        place.wait_documents(task, bars, processes[0])
        seconds = place.wait_committed(task, processes[0]) - start
        memory = [process.rss_mb() for process in processes]
    sender.close()
    place.drop(task)
    return {
        "workers": count,
        "bars": bars,
        "bars_per_s": bars / seconds,
        "partitions": spread,
        "rss_mb": memory,
    }


def _spread(place: Arena, group: str, count: int) -> list[int]:
    """The number of partitions of ``stock-prices`` that each worker has, once all have some."""
    administrator = AdminClient(client_config(place.settings))
    deadline = perf_counter() + _SPREAD_TIMEOUT_S
    while True:
        members = administrator.describe_consumer_groups([group])[group].result().members
        spread = sorted(
            sum(one.topic == STOCK_PRICES.name for one in member.assignment.topic_partitions)
            for member in members
            if member.assignment is not None
        )
        if len(spread) == count and sum(spread) == PARTITIONS:
            return spread
        if perf_counter() > deadline:
            raise ContestantFailed(f"{count} workers share {PARTITIONS} partitions as {spread}")
        time.sleep(0.2)
