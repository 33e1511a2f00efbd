"""Whether a contestant's documents are right: their number, and sampled values against `ta`."""

from __future__ import annotations

import functools
import random
from itertools import islice
from math import ceil

from pymongo.database import Database

from benchmarks.documents import COLLECTION, document, ohlcv
from benchmarks.forms import FORMS, Bar
from benchmarks.oracle import SHORTEST, Column, agree, reference
from benchmarks.protocol import Task
from benchmarks.roster import Contestant
from indicators import DEFAULT_SPEC, parse
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
    named = {FORMS[task.form].ticker_name(number): number for number in numbers}
    stored = list(database[COLLECTION].find({"ticker": {"$in": list(named)}}))
    if contestant.window is not None:
        stored = chance.sample(stored, min(_WINDOWS, len(stored)))
    pairs = [(one, name) for one in stored for name in outputs]
    if len(pairs) < SAMPLE:
        return [f"only {len(pairs)} values to compare"]
    wrong = [
        text
        for one, name in chance.sample(pairs, SAMPLE)
        if (text := _difference(one, name, named[one["ticker"]], task, contestant.window))
    ]
    return [f"{len(wrong)} of {SAMPLE:,} values, such as {wrong[0]}"] if wrong else []


def _difference(
    stored: Document, name: str, number: int, task: Task, window: int | None
) -> str | None:
    # Bars that come later change nothing, and `ta` needs some.
    count = max(SHORTEST, ceil(task.bars / task.tickers))
    bars = _history(task.form, number, count)
    first, second = bars[0]["time"], bars[1]["time"]
    index = (as_ms(stored["time"]) - first) // (second - first)
    for field, value in document(bars[index], {}).items():
        if field != "indicators" and stored[field] != value:
            return f"{stored['_id']}: {field} is {stored[field]!r}, not {value!r}"
    if window is None:
        column = _columns(task.form, number, count)[name]
        expected = column[index]
    else:
        expected = _window(task.form, number, count, index, window)[name]
    value = stored["indicators"][name]
    if agree(name, value, expected, max(bar["high"] for bar in bars)):
        return None
    return f"{stored['_id']}: {name} is {value!r}, ta has {expected!r}"


@functools.lru_cache(maxsize=1_024)
def _history(form: str, number: int, count: int) -> list[Bar]:
    return list(islice(FORMS[form].walk(number, 0), count))


@functools.lru_cache(maxsize=1_024)
def _columns(form: str, number: int, count: int) -> dict[str, Column]:
    return reference(list(map(ohlcv, _history(form, number, count))), _SPECIFICATION)


@functools.lru_cache(maxsize=1_024)
def _window(form: str, number: int, count: int, index: int, window: int) -> dict[str, float | None]:
    bars = list(map(ohlcv, _history(form, number, count)[max(0, index + 1 - window) : index + 1]))
    return {name: column[-1] for name, column in reference(bars, _SPECIFICATION).items()}
