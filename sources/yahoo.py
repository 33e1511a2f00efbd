"""Prices from Yahoo Finance, by yfinance."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path

from errors import ConfigurationError
from models import Bar
from sources import market_hours
from sources.answers import MOST_RECORDS
from sources.market_hours import DAY_MS
from sources.missing import Missing
from sources.token_bucket import TokenBucket, process_bucket
from sources.yahoo_bars import GRACE_MS, SETTLE_SESSION_MS, BarReader
from sources.yahoo_client import Call, YahooClient
from sources.yahoo_download import NAME, Downloads, check_tickers
from sources.yahoo_forming import FormingBars
from sources.yahoo_past import YahooPast
from sources.yahoo_stream import TradeStream
from topics import STOCK_PRICES

#: Where a key without a cursor is asked from: far enough back to find a bar, whatever the holidays.
LOOK_BACK_MS = 7 * DAY_MS
#: Longest time of one poll of all keys; below the schedule's limit. In seconds.
POLL_S = 25.0
#: Longest time of the question whether Yahoo answers at all, in seconds.
PROBE_S = 8.0
#: Seconds between two looks at what a stream has brought.
STREAMED_S = 1.0


class YahooSource:
    """Polls Yahoo Finance, all keys in one batch, and has their past.

    Open, high, low and close are adjusted for splits, ``adjusted_close`` for dividends as well.
    After the closed bars of a key comes the one still forming (``closed=False``), until it is over.
    Tickers of an exchange are polled during its sessions and 15 minutes longer, and outside them
    only as long as something closed has not been taken: at the first fetch, and after each close.

    The live part of a key without ``since`` starts where its history ended, or at its first fetch.
    A key of which Yahoo sends nothing usable costs the others nothing: it is logged, and asked for
    again. More keys than requests are left in this minute wait for the next polls, longest first.

    With a stream, a fetch between two polls brings the bars still forming as the last trades have
    changed them; closed bars come from polls alone, so without its stream the source merely lags.

    Args:
        interval: seconds between two polls.
        bar_interval: length of a bar: 1m 2m 5m 15m 30m 60m 90m 1h 1d 1wk 1mo.
        period: how much history there is: ``30d``, ``6mo``, ``5y``, ``ytd``, ``max``; None for a
            length of its own for each ``bar_interval``. At least 500 bars, where Yahoo has them.
        requests_per_minute: of this process, all its Yahoo sources together.
        timeout: of one request, in seconds.
        cache_dir: for yfinance's cookies and time zones.
        base_url: asked instead of Yahoo's own hosts.
        bucket: counts requests; the process's own where None.
        stream: brings trades as they happen; not started here.
        learn: told tickers with their companies' names, from any thread.
        now: seconds since the epoch.
        sleep: waits so many seconds, for history that the bucket does not allow at once.

    Attributes:
        adjusted: per key the last day of a dividend or a split that a poll has shown, midnight UTC,
            ms. It changes the bars before it, those that were fetched long ago as well.

    Raises:
        ConfigurationError: Yahoo has no bars of that length, or the period is none.
    """

    name = NAME
    topic = STOCK_PRICES

    def __init__(
        self,
        interval: float = 60.0,
        bar_interval: str = "1d",
        period: str | None = None,
        *,
        requests_per_minute: float = 100.0,
        timeout: float = 10.0,
        cache_dir: Path | None = None,
        base_url: str | None = None,
        bucket: TokenBucket | None = None,
        stream: TradeStream | None = None,
        learn: Callable[[str, str], None] | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if bar_interval not in market_hours.INTERVALS:
            raise ConfigurationError(
                f"BAR_INTERVAL or MORE_BAR_INTERVALS is {bar_interval!r}: "
                f"Yahoo has {', '.join(market_hours.INTERVALS)}"
            )
        self.bar_interval = bar_interval
        self._poll_s = interval
        self.interval = interval if stream is None else min(interval, STREAMED_S)
        bucket = bucket or process_bucket(self.name, requests_per_minute)
        self._now = now
        self._reader = BarReader(self.name, bar_interval, self._now_ms)
        client = YahooClient(bucket, cache_dir, base_url, timeout, learn)
        self._downloads = Downloads(client, bucket, self._reader, self._now_ms, sleep)
        self._past = YahooPast(self._downloads, period)
        self._forming = None if stream is None else FormingBars(stream, bar_interval)
        self._polled_at = -math.inf
        #: Where the live part of a key starts that has no history, ms.
        self._first_asked: dict[str, int] = {}
        #: When a key was last answered, and the last closed bar that came, ms.
        self._answered: dict[str, tuple[int, int | None]] = {}
        #: Those for which the last poll had no room: the next one asks for no others.
        self._later: set[str] = set()
        self.adjusted: dict[str, int] = {}

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Bar]:
        """Return the bars after ``since``; see :meth:`sources.base.Source.fetch`."""
        check_tickers(keys)
        for key in keys:
            self._first_asked.setdefault(key, self._now_ms())
        if self._forming is None:
            return await self._fetch(keys, since)
        self._forming.follow(keys)
        if self._now() - self._polled_at < self._poll_s:
            return self._forming.refreshed(keys, self._now_ms())
        # Also where it fails: the trades go on meanwhile.
        self._polled_at = self._now()
        bars = await self._fetch(keys, since)
        return self._forming.polled(bars)

    async def _fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Bar]:
        call = Call(POLL_S, MOST_RECORDS)
        due, found = await self._downloads.in_thread(
            call, self._poll, list(keys), dict(since), call
        )
        # Only now: a cancelled fetch leaves what it would have brought due.
        self._downloads.complain(call.problems, found)
        now = self._now_ms()
        self._later = call.later
        for key in due:
            if key in found:
                closed = [bar.time for bar in found[key] if bar.closed]
                self._answered[key] = now, max(closed, default=None)
        return [bar for key in due for bar in found.get(key, ())]

    async def history(
        self, keys: Sequence[str], since: Mapping[str, int] | None = None
    ) -> dict[str, list[Bar]]:
        """Return the closed bars of the period, or of each key those after its ``since`` (ms).

        May take long: more keys than the bucket allows at once wait for it.
        """
        return await self._past.all(keys, dict(since or {}))

    async def probe(self, keys: Sequence[str]) -> None:
        """Return if Yahoo answers, by the first of ``keys``; within about ten seconds.

        Raises:
            UnknownKeys: it does not have that key.
            SourceUnavailable: it does not answer, or does not let us in.
        """
        check_tickers(keys)
        self._downloads.refuse_while_blocked()
        await asyncio.to_thread(self._downloads.client.prepare)
        call = Call(PROBE_S)
        await self._downloads.in_thread(call, self._ask, keys[:1], call)

    async def warm_up(self, keys: Sequence[str]) -> dict[str, list[Bar]]:
        """Return the last bars of ``keys``; see :meth:`sources.yahoo_past.YahooPast.warm_up`."""
        return await self._past.warm_up(keys)

    def history_start(self) -> int:
        """Return where the history starts, ms."""
        return self._past.start()

    async def missing(
        self, key: str, stored: Collection[int], asked: tuple[int, int] | None = None
    ) -> Missing:
        """Return what is missing; see :meth:`sources.yahoo_past.YahooPast.missing`."""
        return await self._past.missing(key, stored, asked)

    async def between(self, key: str, first: int, last: int | None = None) -> list[Bar]:
        """Return a range; see :meth:`sources.yahoo_past.YahooPast.between`."""
        return await self._past.between(key, first, last)

    def exhausted(self, key: str, since: int | None) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: markets open again."""
        return False

    async def close(self) -> None:
        """Give up the connections."""
        if self._forming is not None:
            self._forming.close()
        await asyncio.to_thread(self._downloads.client.close)

    def _poll(
        self, keys: Sequence[str], since: Mapping[str, int], call: Call
    ) -> tuple[list[str], dict[str, list[Bar]]]:
        """Return the keys asked for, and the bars of those that were answered."""
        now = self._now_ms()
        due = [key for key in keys if self._is_due(key, since.get(key), now)]
        due = [key for key in due if key in self._later] or due
        if not due:
            return [], {}
        self._downloads.refuse_while_blocked()
        waiting = sorted(due, key=lambda key: self._answered.get(key, (0, None))[0])
        asked = set(waiting[: self._downloads.bucket.available()])
        due = [key for key in due if key in asked]
        if not due:
            return [], {}
        start = min(since.get(key, self._begun(key) - LOOK_BACK_MS) for key in due)
        frame = self._downloads.table(call, due, start)
        found = self._downloads.bars(call, due, frame, now)
        for key in found:
            for day in self._reader.adjustments(key, frame):
                self.adjusted[key] = max(day, self.adjusted.get(key, day))
        live: dict[str, list[Bar]] = {}
        for key, bars in found.items():
            last = since.get(key)
            if last is None:
                begun = self._begun(key)
                live[key] = [bar for bar in bars if self._reader.over_at(key, bar.time) > begun]
            else:
                live[key] = [bar for bar in bars if bar.time > last]
        return due, live

    def _ask(self, keys: Sequence[str], call: Call) -> None:
        now = self._now_ms()
        frame = self._downloads.table(call, keys, now - LOOK_BACK_MS)
        self._downloads.bars(call, keys, frame, now)

    def _begun(self, key: str) -> int:
        """Return where the live part of a key starts, ms."""
        return self._past.read_at.get(key, self._first_asked[key])

    def _is_due(self, key: str, since: int | None, now: int) -> bool:
        if market_hours.is_open(key, now, GRACE_MS):
            return True
        answered, closed = self._answered.get(key, (None, None))
        close = market_hours.last_close(key, now)
        if answered is None or close is None or answered < close + SETTLE_SESSION_MS:
            return True
        # What came after the close may have been lost on its way: then it comes again.
        return closed is not None and (since is None or since < closed)

    def _now_ms(self) -> int:
        return int(self._now() * 1000)
