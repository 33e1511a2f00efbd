"""The initial load from a provider: only the ranges that MongoDB does not have are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any, Protocol, TypeVar

from config import Settings
from errors import SourceUnavailable
from kafka_producer import FinancialDataProducer
from pipeline.load import BARS_AT_ONCE
from sinks.bar_cursors import HistoryMarks
from sinks.cursors import Cursors
from sinks.history import StoredBars
from sources.base import BarProvider, UnknownKeys

Result = TypeVar("Result")


class Progress(Protocol):
    """Shows how far it is; a ``what`` is a ticker and an interval, as ``AAPL 1d``."""

    def begin(self, what: str, stored: int, missing: int) -> None:
        """Say how many bars are stored, and about how many are missing."""

    def advance(self, what: str, produced: int) -> None:
        """Say how many bars the broker has acknowledged so far."""

    def end(self, what: str, produced: int) -> None:
        """Say that all came, and how many bars that was."""


@dataclass(slots=True)
class Filled:
    """What was loaded.

    Attributes:
        bars: how many the broker acknowledged.
        late: tickers with bars that came after later ones: their indicators must be computed again.
        problems: why a ticker's history is not complete; the next load finds what is missing.
    """

    bars: int = 0
    late: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Filler:
    """Loads what is missing of the tickers' history, ticker by ticker.

    Args:
        settings: where MongoDB is.
        producer: sends the bars.
        progress: told how it goes.
        stop: ends the load between two chunks; what is missing then is found the next time.
    """

    def __init__(
        self, settings: Settings, producer: FinancialDataProducer, progress: Progress, stop: Event
    ) -> None:
        self._settings = settings
        self._producer = producer
        self._progress = progress
        self._stop = stop
        self._stored = StoredBars(settings)

    def fill(
        self, sources: Sequence[tuple[BarProvider, Cursors]], tickers: Sequence[str]
    ) -> Filled:
        """Load it, and move the cursors to where the live part has to go on. Blocking.

        Args:
            sources: one for each length of bars, with its cursors.
            tickers: what to load of each.

        Raises:
            UnknownKeys: the provider does not have a ticker.
            BrokerUnavailable: Kafka did not acknowledge in time.
            StoreUnavailable: MongoDB does not answer.
        """
        filled = Filled()
        for source, cursors in sources:
            marks = HistoryMarks(self._settings, source.name, source.bar_interval)
            for ticker in tickers:
                try:
                    self._fill(source, cursors, marks, ticker, filled)
                except UnknownKeys:
                    raise
                except SourceUnavailable as error:
                    filled.problems.append(f"{ticker} {source.bar_interval}: {error}")
        filled.late = list(dict.fromkeys(filled.late))
        return filled

    def _fill(
        self,
        source: BarProvider,
        cursors: Cursors,
        marks: HistoryMarks,
        ticker: str,
        filled: Filled,
    ) -> None:
        if self._stop.is_set():
            return
        what = f"{ticker} {source.bar_interval}"
        start, asked = source.history_start(), marks.load(ticker)
        stored = self._stored.of_source(ticker, source.bar_interval, source.name)
        missing = run(partial(source.missing, ticker, stored, asked))
        self._progress.begin(what, len(stored), missing.bars)
        produced, times = 0, sorted(stored)
        newest = times[-1] if times else None
        for first, last in missing.ranges:
            found = run(partial(source.between, ticker, first, last))
            new = [bar for bar in found if bar.time not in stored]
            for at in range(0, len(new), BARS_AT_ONCE):
                if self._stop.is_set():
                    return
                chunk = new[at : at + BARS_AT_ONCE]
                produced += self._producer.produce_history(chunk)
                filled.bars += len(chunk)
                # Ranges are in order, so the new ones never come after each other too late.
                if newest is not None and chunk[0].time < newest:
                    filled.late.append(ticker)
                self._progress.advance(what, produced)
            times += [bar.time for bar in new]
        self._progress.end(what, produced)
        if times:
            cursors.save(source.name, {ticker: max(times)})
            first = min(times)
            marks.save(ticker, start if asked is None else min(start, asked[0]), first)


def run(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Return what ``work`` comes to; also where an event loop runs already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()
