"""Whether a contestant's documents are right: their number, and sampled values against `ta`."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from math import ceil
from typing import Any

from pymongo.database import Database

from benchmarks.documents import COLLECTION, document
from benchmarks.oracle import SHORTEST, Column, agree, reference
from benchmarks.protocol import Task
from benchmarks.roster import Contestant
from benchmarks.workload import MINUTE_MS, START_MS, history, ticker_name
from indicators import DEFAULT_SPEC, Ohlcv, parse
from sinks.base import Document
from sinks.documents import as_ms

#: Values compared with `ta`.
SAMPLE = 1_000
#: Tickers that they are of, at least: `ta` computes a ticker as a whole.
_TICKERS = 25
#: Documents that they are of, where `ta` computes a window for each.
_WINDOWS = 60
_SPECIFICATION = parse(DEFAULT_SPEC)


def problems_of(
    database: Database[Document], contestant: Contestant, task: Task, counted: int
) -> list[str]:
    """Return what is wrong with the documents of a contestant, in words.

    Args:
        database: where they are.
        contestant: whose they are.
        task: what it had to do.
        counted: how many bars its clock counted.
    """
    if not contestant.stores:
        return []
    found = database[COLLECTION].count_documents({})
    complete = contestant.clock != "slice"
    if found != task.bars if complete else found < counted:
        return [f"{found:,} documents for {task.bars if complete else counted:,} bars"]
    chance = random.Random(found)
    outputs = _SPECIFICATION.outputs
    # Twice as many values as are compared, where each ticker has few.
    enough = ceil(2 * SAMPLE / (len(outputs) * found / task.tickers))
    numbers = chance.sample(range(task.tickers), min(max(_TICKERS, enough), task.tickers))
    stored = list(database[COLLECTION].find({"ticker": {"$in": list(map(ticker_name, numbers))}}))
    if contestant.window is not None:
        stored = chance.sample(stored, min(_WINDOWS, len(stored)))
    pairs = [(one, name) for one in stored for name in outputs]
    if len(pairs) < SAMPLE:
        return [f"only {len(pairs)} values to compare"]
    wrong = [
        text
        for one, name in chance.sample(pairs, SAMPLE)
        if (text := _difference(one, name, task, contestant.window)) is not None
    ]
    return [f"{len(wrong)} of {SAMPLE:,} values, such as {wrong[0]}"] if wrong else []


def _difference(stored: Document, name: str, task: Task, window: int | None) -> str | None:
    number = int(stored["ticker"].removeprefix("T"))
    index = (as_ms(stored["time"]) - START_MS) // MINUTE_MS
    # Bars that come later change nothing, and `ta` needs some.
    count = max(SHORTEST, ceil(task.bars / task.tickers))
    bars = _history(number, count)
    fields = _fields(stored["ticker"], index, bars[index])
    for field, value in document(fields, {}).items():
        if field != "indicators" and stored[field] != value:
            return f"{stored['_id']}: {field} is {stored[field]!r}, not {value!r}"
    if window is None:
        column = _columns(number, count)[name]
        expected = column[index]
    else:
        expected = _window(number, count, index, window)[name]
    value = stored["indicators"][name]
    if agree(name, value, expected, max(bar.high for bar in bars)):
        return None
    return f"{stored['_id']}: {name} is {value!r}, ta has {expected!r}"


def _fields(ticker: str, index: int, bar: Ohlcv) -> Mapping[str, Any]:
    return bar._asdict() | {
        "ticker": ticker,
        "interval": "1m",
        "time": START_MS + MINUTE_MS * index,
        "source": "bench",
        "ingested": START_MS,
        "adjusted_close": None,
        "closed": True,
    }


@functools.lru_cache(maxsize=1_024)
def _history(number: int, count: int) -> list[Ohlcv]:
    return history(number, count)


@functools.lru_cache(maxsize=1_024)
def _columns(number: int, count: int) -> dict[str, Column]:
    return reference(_history(number, count), _SPECIFICATION)


@functools.lru_cache(maxsize=1_024)
def _window(number: int, count: int, index: int, window: int) -> dict[str, float | None]:
    bars = _history(number, count)[max(0, index + 1 - window) : index + 1]
    return {name: column[-1] for name, column in reference(bars, _SPECIFICATION).items()}
