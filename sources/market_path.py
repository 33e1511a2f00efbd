"""Prices that are known before they come: what simulated texts and economic data are made along.

A path is the whole of a recording or of a simulation. Whoever writes a headline about bar 100 can
look at bar 110; that is the only reason why it comes true.
"""

from __future__ import annotations

import math
import statistics
import threading
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from models.rules import is_ticker
from sources import recorded
from sources.random_walk import VOLATILITY, RandomWalk
from sources.replay import live_start
from sources.simulated import FIRST_BAR_MS, HISTORY_BARS, SimulatedSource, bar_length_ms

#: How many bars an outlook looks ahead.
HORIZON_BARS = 10

#: Returns how far prices have come: the time of the last closed bar of each ticker that has one,
#: ms. Blocking.
Positions = Callable[[Sequence[str]], Mapping[str, int]]


class MarketPath(Protocol):
    """The closes of some tickers, past and future. Blocking; any thread may ask.

    Bars are counted from 0 per ticker.
    """

    @property
    def name(self) -> str:
        """The source of the prices."""

    @property
    def interval(self) -> str:
        """The length of a bar, such as ``1d``."""

    @property
    def bar_ms(self) -> int:
        """The same in ms."""

    def knows(self, ticker: str) -> bool:
        """Return whether the path has this ticker."""

    def live(self, ticker: str) -> int:
        """Return the index of the first bar that does not count as history."""

    def index(self, ticker: str, time_ms: int) -> int:
        """Return the index of the last bar that opened at ``time_ms`` or before; -1 if none did."""

    def opened(self, ticker: str, index: int) -> int | None:
        """Return when a bar opened, ms; None for one that there is not."""

    def close(self, ticker: str, index: int) -> float:
        """Return the closing price of a bar that there is."""

    def outlook(self, ticker: str, index: int) -> float:
        """Return the log return over the next ``HORIZON_BARS`` bars, in standard deviations.

        Fewer bars near a path's end, and 0 at its end.
        """


class SimulatedPath:
    """The path of :class:`sources.simulated.SimulatedSource`; another seed, another path.

    Raises:
        ConfigurationError: ``interval`` is no length of a simulated bar.
    """

    name = SimulatedSource.name

    def __init__(self, seed: int, interval: str) -> None:
        self.interval = interval
        self.bar_ms = bar_length_ms(interval)
        self._walk = RandomWalk(seed)

    def knows(self, ticker: str) -> bool:
        """Return whether ``ticker`` is one: all are simulated."""
        return is_ticker(ticker)

    def live(self, ticker: str) -> int:  # noqa: ARG002 - the protocol's
        """Return how many bars of history each ticker has."""
        return HISTORY_BARS

    def index(self, ticker: str, time_ms: int) -> int:  # noqa: ARG002
        """Return the index of the bar that has ``time_ms`` in it."""
        return max(-1, (time_ms - FIRST_BAR_MS) // self.bar_ms)

    def opened(self, ticker: str, index: int) -> int | None:  # noqa: ARG002
        """Return when a bar opens; a simulation has no end."""
        return FIRST_BAR_MS + index * self.bar_ms if index >= 0 else None

    def close(self, ticker: str, index: int) -> float:
        """Return the closing price of a bar."""
        return self._walk.close(ticker, index)

    def outlook(self, ticker: str, index: int) -> float:
        """Return the standardised return over the next bars."""
        move = math.log(self.close(ticker, index + HORIZON_BARS) / self.close(ticker, index))
        return move / (VOLATILITY * math.sqrt(HORIZON_BARS))


class _Recording(NamedTuple):
    """Times (ms) and closes of all bars, and the standard deviation of their log returns."""

    times: array[int]
    closes: array[float]
    volatility: float


class RecordedPath:
    """The path of :class:`sources.replay.ReplaySource`.

    Every method may raise SourceUnavailable: the package with the recordings is missing.
    """

    name = recorded.SOURCE
    interval = recorded.INTERVAL
    bar_ms = bar_length_ms(recorded.INTERVAL)

    def __init__(self) -> None:
        self._recordings: dict[str, _Recording] = {}
        self._reading = threading.Lock()

    def knows(self, ticker: str) -> bool:
        """Return whether ``ticker`` is recorded."""
        return ticker in recorded.TICKERS

    def live(self, ticker: str) -> int:
        """Return the index of the first bar that a replay plays as if it were live."""
        return live_start(len(self._recording(ticker).times))

    def index(self, ticker: str, time_ms: int) -> int:
        """Return the index of the last bar at ``time_ms`` or before."""
        return bisect_right(self._recording(ticker).times, time_ms) - 1

    def opened(self, ticker: str, index: int) -> int | None:
        """Return the time of a bar."""
        times = self._recording(ticker).times
        return times[index] if 0 <= index < len(times) else None

    def close(self, ticker: str, index: int) -> float:
        """Return the closing price of a bar."""
        return self._recording(ticker).closes[index]

    def outlook(self, ticker: str, index: int) -> float:
        """Return the standardised return over the next bars."""
        _, closes, volatility = self._recording(ticker)
        last = min(index + HORIZON_BARS, len(closes) - 1)
        if last <= index:
            return 0.0
        return math.log(closes[last] / closes[index]) / (volatility * math.sqrt(last - index))

    def _recording(self, ticker: str) -> _Recording:
        with self._reading:
            found = self._recordings.get(ticker)
            if found is None:
                bars = recorded.bars(ticker)
                closes = array("d", (bar.close for bar in bars))
                returns = [math.log(after / before) for before, after in pairwise(closes)]
                times = array("q", (bar.time for bar in bars))
                found = self._recordings[ticker] = _Recording(
                    times, closes, statistics.stdev(returns)
                )
            return found


def now_on(path: MarketPath, ticker: str, position: int | None) -> int:
    """Return the index of the bar that is forming: the one after the last that closed.

    Args:
        path: has the ticker.
        ticker: whose time it is.
        position: the time of its last closed bar, ms; None before the first live one.
    """
    return path.live(ticker) if position is None else path.index(ticker, position) + 1
