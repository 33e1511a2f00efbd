"""News and posts made up along a path of prices, each a little before what it speaks of.

The texts of a bar are a function of the seed, the path, the ticker and the bar alone. How far to go
is read off the prices' own progress, so texts keep their pace at any speed, through restarts and
whichever worker polls them.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence

from faust import Record

from sources.base import UnknownKeys
from sources.market_path import MarketPath, Positions, now_on
from sources.simulated_writers import Facts, Writer
from sources.wording import Subject

#: Bars before the live part whose texts belong to the history.
HISTORY_BARS = 60
#: A ticker never fetched before starts at most so many bars behind its prices.
CATCH_UP_BARS = 1_000
#: Texts in one fetch, all keys together; what is due beyond that comes with the next fetches.
MAX_TEXTS_PER_FETCH = 5_000


class SimulatedText:
    """One writer's texts about all tickers of a path.

    Due are the texts of every bar up to the one that is forming, which is the one after the last
    bar that was fetched as closed; none has a time in the future. They speak of the bars after
    their own.

    Args:
        writer: who writes.
        path: the prices, past and future.
        positions: how far the prices have come.
        seed: another seed, other texts.
        interval: seconds between two polls.
        now: seconds since the epoch, for ``ingested`` and the present.
    """

    def __init__(
        self,
        writer: Writer,
        path: MarketPath,
        positions: Positions,
        *,
        seed: int = 1,
        interval: float = 1.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        # Each path has a time of its own, so each needs a cursor of its own.
        self.name = f"{path.name}-{writer.kind}"
        self.topic = writer.topic
        self.interval = interval
        self._writer = writer
        self._path = path
        self._positions = positions
        self._seed = f"{seed}|{path.name}|{path.interval}|{writer.kind}"
        self._now = now

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Record]:
        """Return the texts after ``since`` that are due; see :meth:`sources.base.Source.fetch`.

        Raises:
            StoreUnavailable: it cannot be found out how far the prices are.
        """
        self._check(keys)
        return await asyncio.to_thread(self._next, keys, since) if keys else []

    async def history(self, keys: Sequence[str]) -> dict[str, list[Record]]:
        """Return the texts of the last ``HISTORY_BARS`` bars before the live part."""
        self._check(keys)
        return await asyncio.to_thread(self._past, keys)

    async def close(self) -> None:
        """Do nothing: there is nothing to give up."""

    def _next(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Record]:
        positions = self._positions(keys)
        now = int(self._now() * 1000)
        share = max(1, MAX_TEXTS_PER_FETCH // len(keys))
        found: list[Record] = []
        for key in keys:
            forming = now_on(self._path, key, positions.get(key))
            last = since.get(key)
            if last is None:
                start = max(self._path.live(key), forming - CATCH_UP_BARS)
            else:
                start = max(0, self._path.index(key, last))
            texts: list[Record] = []
            for index in range(start, forming + 1):
                texts += self._texts(key, index, now, after=last)
                # Between two bars only: what is left of one would be taken for fetched.
                if len(texts) >= share:
                    break
            found += texts
        return found

    def _past(self, keys: Sequence[str]) -> dict[str, list[Record]]:
        now = int(self._now() * 1000)
        past: dict[str, list[Record]] = {}
        for key in keys:
            live = self._path.live(key)
            bars = range(max(0, live - HISTORY_BARS), live)
            past[key] = [text for index in bars for text in self._texts(key, index, now)]
        return past

    def _texts(
        self, ticker: str, index: int, now: int, *, after: int | None = None
    ) -> list[Record]:
        """Return the texts of one bar, in order of time, those after ``after`` and up to ``now``.

        Bars that are not there have none.
        """
        opened = self._path.opened(ticker, index)
        if opened is None or opened > now:
            return []
        # A text as a seed is hashed the same way in every process; hash() is not. And most bars
        # have no text, which this tells for a tenth of what a generator costs.
        stamp = f"{self._seed}|{ticker}|{opened}".encode()
        digest = hashlib.blake2b(stamp, digest_size=16).digest()
        habits = self._writer.habits
        outlook = self._path.outlook(ticker, index)
        count = _poisson(
            habits.quiet + habits.excited * abs(outlook), int.from_bytes(digest[:6]) / 2**48
        )
        if not count:
            return []
        rng = random.Random(digest)  # noqa: S311 - no secret
        bar_ms = self._path.bar_ms
        begin, end = int(habits.begin * bar_ms), int(habits.end * bar_ms)
        times = sorted({opened + rng.randrange(begin, end) for _ in range(count)})
        about = Subject(ticker, self._path.close(ticker, max(0, index - 1)))
        texts = []
        for number, moment in enumerate(times):
            view = rng.gauss(outlook, habits.doubt)
            if rng.random() < habits.misled:
                view = -view
            facts = Facts(f"sim-{digest.hex()}-{number}", moment, now, view)
            texts.append(self._writer.write(about, facts, rng))
        return [
            text
            for text, moment in zip(texts, times, strict=True)
            if moment <= now and (after is None or moment > after)
        ]

    def _check(self, keys: Sequence[str]) -> None:
        unknown = [key for key in keys if not self._path.knows(key)]
        if unknown:
            raise UnknownKeys(
                self.name, unknown, f"texts are made up for tickers that {self._path.name!r} has"
            )


def _poisson(mean: float, uniform: float) -> int:
    """Return the number of events, by the inverse of Poisson's distribution.

    >>> [_poisson(0.5, u) for u in (0.1, 0.6, 0.7, 0.95)]
    [0, 0, 1, 2]
    """
    count, term = 0, math.exp(-mean)
    total = term
    while uniform > total and count < 20:
        count += 1
        term *= mean / count
        total += term
    return count
