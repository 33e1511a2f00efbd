"""The price of any ticker for all time, as far as a seed decides it.

The axis is cut into segments of 64 bars. At a segment's ends the log price lies on a sum of slow
waves with the ticker's own phases, which makes trends that last and keeps the price within a factor
of about two of its base for ever. Between them runs a random walk, seeded by the segment and bent
to meet both ends (a Brownian bridge). So any bar costs the same, wherever it is.
"""

from __future__ import annotations

import math
import random
from array import array
from itertools import accumulate
from typing import NamedTuple

SEGMENT_BARS = 64
STEPS_PER_BAR = 6
#: Standard deviation of one bar's log return, whatever its interval.
VOLATILITY = 0.004
#: (amplitude of the log price, period in segments). The slopes are about what the walk moves.
WAVES = ((0.04, 7), (0.16, 37), (0.4, 211))
#: Segments kept: the one that each ticker is in and the next, for this many, at about 4 kB each.
MOST_KEPT = 32_768


class Segment(NamedTuple):
    """``SEGMENT_BARS * STEPS_PER_BAR + 1`` prices, and the bars' volumes before the time of day."""

    prices: array[float]
    volumes: array[float]


class RandomWalk:
    """The prices of all tickers under one seed. May be used by several threads."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        #: Two places a ticker, one for even numbers, so that memory follows the tickers and not
        #: the time that passes.
        self._kept: dict[tuple[str, int], tuple[int, Segment]] = {}

    def segment(self, ticker: str, number: int) -> Segment:
        """Return segment ``number``: the bars from ``number * SEGMENT_BARS`` on."""
        place = (ticker, number % 2)
        kept = self._kept.get(place)
        if kept is None or kept[0] != number:
            kept = (number, _segment(self._seed, ticker, number))
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[place] = kept
        return kept[1]

    def close(self, ticker: str, index: int) -> float:
        """Return the closing price of bar ``index``."""
        number, place = divmod(index, SEGMENT_BARS)
        return self.segment(ticker, number).prices[(place + 1) * STEPS_PER_BAR]

    def forget(self) -> None:
        """Give up the memory; everything can be had again."""
        self._kept.clear()


def _segment(seed: int, ticker: str, number: int) -> Segment:
    # A text as the seed is hashed by SHA-512, the same in every process; hash() is not.
    rng = random.Random(f"{seed}|{ticker}|{number}")  # noqa: S311 - no secret
    length = SEGMENT_BARS * STEPS_PER_BAR
    step = VOLATILITY / math.sqrt(STEPS_PER_BAR)
    walk = list(accumulate((rng.gauss(0, step) for _ in range(length)), initial=0.0))
    start, end = _level(seed, ticker, number), _level(seed, ticker, number + 1)
    slope = (end - start - walk[-1]) / length
    prices = array("d", (round(math.exp(start + w + slope * i), 4) for i, w in enumerate(walk)))
    usual = _character(seed, ticker).volume
    volumes = array("d", (usual * rng.lognormvariate(0, 0.5) for _ in range(SEGMENT_BARS)))
    return Segment(prices, volumes)


class _Character(NamedTuple):
    """What is constant of a ticker: log of its base price, shares a bar, a phase for each wave."""

    log_price: float
    volume: float
    phases: tuple[float, ...]


def _character(seed: int, ticker: str) -> _Character:
    rng = random.Random(f"{seed}|{ticker}")  # noqa: S311 - no secret
    log_price = rng.uniform(math.log(20), math.log(400))
    volume = math.exp(rng.uniform(math.log(1e3), math.log(1e5)))
    return _Character(log_price, volume, tuple(rng.uniform(0, math.tau) for _ in WAVES))


def _level(seed: int, ticker: str, number: int) -> float:
    """Return the log price where segment ``number`` starts."""
    character = _character(seed, ticker)
    return character.log_price + sum(
        amplitude * math.sin(math.tau * number / period + phase)
        for (amplitude, period), phase in zip(WAVES, character.phases, strict=True)
    )
