"""Watches MongoDB, to know for how long nothing of a ticker was stored."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import DESCENDING, MongoClient
from pymongo.errors import PyMongoError

from chaos.feed import Feed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LOOK_EVERY_S = 0.2

#: A bar that was sent so long ago and is not stored means that its ticker stands still.
BEHIND_S = 3.0

#: A fault is over when for so long nothing stood still. Longer than it takes to be seen.
CALM_S = 6.0


class Watch:
    """Looks at the newest stored bar of every ticker, several times a second, in a thread.

    A pause is the time between two moments at which a ticker's newest stored bar changed. It
    includes whatever kept the sender from sending, and up to 0.2 s of looking.
    """

    def __init__(self, mongodb: str, database: str, feed: Feed, tickers: Sequence[str]) -> None:
        self._feed = feed
        self._tickers = tickers
        self._newest: dict[str, int] = {}
        self._moved: dict[str, list[float]] = defaultdict(list)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            mongodb,
            serverSelectionTimeoutMS=1_000,
            connectTimeoutMS=1_000,
            socketTimeoutMS=2_000,
            tz_aware=True,
        )
        self._bars = self._client[database]["stock_prices"]

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    def started(self) -> bool:
        """Tell whether something of every ticker is stored."""
        return len(self._newest) == len(self._tickers)

    def settle(self, timeout_s: float) -> bool:
        """Return once nothing has stood still for a while; False if that takes too long."""
        deadline = time.monotonic() + timeout_s
        calm_since = time.monotonic()
        while (now := time.monotonic()) < deadline:
            if self._behind(now):
                calm_since = now
            elif now - calm_since >= CALM_S:
                return True
            self._stop.wait(_LOOK_EVERY_S)
        return False

    def longest(self, since: float, until: float) -> tuple[float, str]:
        """Return the longest pause of any ticker between two moments, in seconds, and whose."""
        pauses = []
        for ticker in self._tickers:
            moments = [since, *(m for m in list(self._moved[ticker]) if since < m <= until)]
            if self._feed.waiting_s(ticker, self._newest.get(ticker), until) > BEHIND_S:
                moments.append(until)
            gaps = (b - a for a, b in itertools.pairwise(moments))
            pauses.append((max(gaps, default=0.0), ticker))
        return max(pauses)

    def _behind(self, now: float) -> bool:
        return any(
            self._feed.waiting_s(ticker, self._newest.get(ticker), now) > BEHIND_S
            for ticker in self._tickers
        )

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            try:
                for ticker in self._tickers:
                    self._look(ticker)
            except PyMongoError:
                # There is no primary: nothing moves, for nobody.
                continue

    def _look(self, ticker: str) -> None:
        where = {"ticker": ticker, "interval": "1m"}
        found = self._bars.find_one(where, {"time": 1}, sort=[("time", DESCENDING)])
        if found is None:
            return
        newest = (found["time"] - _EPOCH) // timedelta(milliseconds=1)
        if newest > self._newest.get(ticker, -1):
            self._newest[ticker] = newest
            self._moved[ticker].append(time.monotonic())
