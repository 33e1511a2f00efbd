"""The limit of any program with these documents: `insert_many` of what is ready in memory.

One connection, unordered bulks as large as those of the program. Timed is the call alone; the
documents are made between two calls.
"""

from __future__ import annotations

from importlib.metadata import version
from itertools import islice
from time import perf_counter
from typing import Any

from pymongo import MongoClient

from benchmarks.documents import COLLECTION, document, ohlcv
from benchmarks.live import LiveIndicators
from benchmarks.protocol import Task, say_ready, say_seconds, say_settings
from benchmarks.workload import bars

BULK = 1_000


def main() -> None:
    """Insert the documents of all bars, then stop."""
    task = Task.given()
    say_settings({"pymongo": version("pymongo"), "bulk": BULK, "ordered": False})
    live = LiveIndicators()

    def made(bar: dict[str, Any]) -> dict[str, Any]:
        indicators = live.of(bar["ticker"], None)
        indicators.update(ohlcv(bar))
        return document(bar, indicators.values())

    stream = map(made, islice(bars(task.tickers), task.bars))
    with MongoClient[dict[str, Any]](task.mongodb, tz_aware=True) as client:
        collection = client[task.database][COLLECTION]
        collection.find_one()
        say_ready()
        seconds = 0.0
        while bulk := list(islice(stream, BULK)):
            start = perf_counter()
            collection.insert_many(bulk, ordered=False)
            seconds += perf_counter() - start
    say_seconds(seconds)


if __name__ == "__main__":
    main()
