"""Prices from Yahoo Finance, by yfinance."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import ConfigurationError, InvalidRecord, SourceUnavailable
from models import BAR, Bar, intake
from models.frames import YFINANCE_EXTRAS, TableRules, of_ticker, rows_of_frame
from models.rules import is_ticker
from sources import market_hours
from sources.base import UnknownKeys
from sources.market_hours import DAY_MS, WITHIN_DAY_MS
from sources.token_bucket import TokenBucket, process_bucket
from sources.yahoo_client import Call, YahooClient
from topics import STOCK_PRICES

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

#: How far back Yahoo has bars of each length, in days; longer ones go back to the beginning.
REACH_DAYS = {"1m": 7, "60m": 729, "1h": 729} | dict.fromkeys(("2m", "5m", "15m", "30m", "90m"), 59)
#: What is loaded as history unless told otherwise: at least 500 bars, where Yahoo has them.
PERIODS = {"1m": "5d", "60m": "1y", "1h": "1y", "1d": "5y", "1wk": "max", "1mo": "max"} | (
    dict.fromkeys(("2m", "5m", "15m"), "1mo") | dict.fromkeys(("30m", "90m"), "59d")
)
#: Exchange tickers are polled until so long after the close, ms.
GRACE_MS = 15 * 60_000
#: A bar counts as over so long after its end, ms: the last trades, and after a session the
#: closing auction's, take a while to show.
SETTLE_MS, SETTLE_SESSION_MS = 5_000, GRACE_MS
#: Where a key without a cursor is asked from: far enough back to find a bar, whatever the holidays.
LOOK_BACK_MS = 7 * DAY_MS
#: Longest time of one poll of all keys; below the schedule's limit. In seconds.
POLL_S = 25.0
#: Keys in one download of history, and its longest time in seconds.
HISTORY_KEYS, HISTORY_S = 20, 120.0

_PRICES = ("open", "high", "low", "close")
_TABLE = TableRules(
    known=frozenset(BAR.fields),
    ignored=YFINANCE_EXTRAS,
    left_out_without=_PRICES,
    may_be_empty=frozenset({*_PRICES, "volume", "adjusted_close"}),
)


class YahooSource:
    """Polls Yahoo Finance, all keys in one batch, and has their past.

    Open, high, low and close are adjusted for splits, ``adjusted_close`` for dividends as well.
    After the closed bars of a key comes the one still forming (``closed=False``), until it is over.
    Tickers of an exchange are polled during its sessions and 15 minutes longer, and outside them
    only as long as something closed has not been taken: at the first fetch, and after each close.

    The live part of a key without ``since`` starts where its history ended, or at its first fetch.
    A key of which Yahoo sends nothing usable costs the others nothing: it is logged, and asked for
    again. More keys than requests are left in this minute wait for the next polls, longest first.

    Args:
        interval: seconds between two polls.
        bar_interval: length of a bar: 1m 2m 5m 15m 30m 60m 90m 1h 1d 1wk 1mo.
        period: how much history there is: ``30d``, ``6mo``, ``5y``, ``max``; None for a length
            that gives at least 500 bars where Yahoo has as many.
        requests_per_minute: of this process, all its Yahoo sources together.
        timeout: of one request, in seconds.
        cache_dir: for yfinance's cookies and time zones.
        base_url: asked instead of Yahoo's own hosts.
        bucket: counts requests; the process's own where None.
        now: seconds since the epoch.
        sleep: waits so many seconds, for history that the bucket does not allow at once.

    Raises:
        ConfigurationError: Yahoo has no bars of that length.
    """

    name = "yahoo"
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
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if bar_interval not in market_hours.INTERVALS:
            raise ConfigurationError(
                f"BAR_INTERVAL is {bar_interval!r}: Yahoo has {', '.join(market_hours.INTERVALS)}"
            )
        self.interval = interval
        self._bar_interval = bar_interval
        self._period = period or PERIODS[bar_interval]
        self._bucket = bucket or process_bucket(self.name, requests_per_minute)
        self._client = YahooClient(self._bucket, cache_dir, base_url, timeout)
        self._now = now
        self._sleep = sleep
        #: Where the live part of a key starts, ms.
        self._started: dict[str, int] = {}
        #: When a key was last answered, and the last closed bar that came, ms.
        self._answered: dict[str, tuple[int, int | None]] = {}
        self._troubled: dict[str, str] = {}
        #: Per key the splits in what was read so far: time of their bar, ms, to new per old share.
        self.splits: dict[str, dict[int, float]] = {}

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[Bar]:
        """Return the bars after ``since``; see :meth:`sources.base.Source.fetch`."""
        _check(self.name, keys)
        for key in keys:
            self._started.setdefault(key, self._now_ms())
        call = Call(POLL_S)
        due, found = await self._in_thread(call, self._poll, list(keys), dict(since), call)
        # Only now: a cancelled fetch leaves what it would have brought due.
        self._complain(call.problems, found)
        now = self._now_ms()
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
        _check(self.name, keys)
        past: dict[str, list[Bar]] = {}
        known = dict(since or {})
        # Those with a cursor are asked from there, the others for the whole period.
        for group in ([k for k in keys if k not in known], [k for k in keys if k in known]):
            left = list(group)
            while left:
                self._refuse_while_blocked()
                if (wait := self._bucket.wait()) > 0:
                    await self._sleep(wait)
                    continue
                count = min(max(1, self._bucket.available()), HISTORY_KEYS)
                part, left = left[:count], left[count:]
                call = Call(HISTORY_S)
                now, found = await self._in_thread(call, self._past, part, known, call)
                past |= found
                self._started |= dict.fromkeys(part, now)
        return {key: past[key] for key in keys}

    def exhausted(self, key: str, since: int | None) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: markets open again."""
        return False

    async def close(self) -> None:
        """Give up the connections."""
        await asyncio.to_thread(self._client.close)

    async def _in_thread(self, call: Call, work: Callable[..., Any], *args: Any) -> Any:
        """Run ``work``; once nobody waits for it any more, its call sends nothing more."""
        try:
            # A little longer than the call itself, which then has something to say.
            async with asyncio.timeout(call.seconds + 2):
                return await asyncio.to_thread(work, *args)
        except TimeoutError:
            raise SourceUnavailable(f"Yahoo: no answer within {call.seconds:.0f} s") from None
        finally:
            call.stop()

    def _poll(
        self, keys: Sequence[str], since: Mapping[str, int], call: Call
    ) -> tuple[list[str], dict[str, list[Bar]]]:
        """Return the keys asked for, and the bars of those that were answered."""
        now = self._now_ms()
        due = [key for key in keys if self._is_due(key, since.get(key), now)]
        if not due:
            return [], {}
        self._refuse_while_blocked()
        waiting = sorted(due, key=lambda key: self._answered.get(key, (0, None))[0])
        asked = set(waiting[: self._bucket.available()])
        due = [key for key in due if key in asked]
        if not due:
            return [], {}
        start = min(since.get(key, self._started[key] - LOOK_BACK_MS) for key in due)
        found = self._download(call, due, now, start=self._start(start, now))
        live: dict[str, list[Bar]] = {}
        for key, bars in found.items():
            last = since.get(key)
            if last is None:
                begun = self._started[key]
                live[key] = [bar for bar in bars if self._over_at(key, bar.time) > begun]
            else:
                live[key] = [bar for bar in bars if bar.time > last]
        return due, live

    def _past(
        self, keys: Sequence[str], since: Mapping[str, int], call: Call
    ) -> tuple[int, dict[str, list[Bar]]]:
        """Return the time up to which bars count as history, ms, and the bars."""
        now = self._now_ms()
        cursors = [since[key] for key in keys if key in since]
        span = {"start": self._start(min(cursors), now)} if cursors else {"period": self._period}
        found = self._download(call, keys, now, **span)
        missing = [key for key in keys if key not in found]
        if missing:
            raise _unavailable(call, missing)
        after = {key: since.get(key) for key in keys}
        return now, {
            key: [bar for bar in found[key] if bar.closed and _later(bar.time, after[key])]
            for key in keys
        }

    def _download(
        self, call: Call, keys: Sequence[str], now: int, **span: object
    ) -> dict[str, list[Bar]]:
        """Return the bars up to ``now`` of the keys that were answered.

        Raises:
            UnknownKeys: Yahoo does not have some of them.
            SourceUnavailable: none was answered, or Yahoo has had enough requests.
        """
        frame = self._client.download(call, keys, self._bar_interval, **span)
        if call.cooldown is not None:
            raise SourceUnavailable(_enough(call.cooldown))
        if call.unknown:
            raise UnknownKeys(
                self.name,
                [key for key in keys if key in call.unknown],
                f"Yahoo says {', '.join(sorted(set(call.unknown.values())))!r}; look up the "
                "symbol at https://finance.yahoo.com/lookup",
            )
        found = {}
        for key in keys:
            if key in call.problems:
                continue
            bars = self._bars(key, frame, now)
            if bars is None:
                call.problems[key] = "an empty answer"
            else:
                found[key] = bars
        if not found:
            raise _unavailable(call, keys)
        return found

    def _bars(self, key: str, frame: pd.DataFrame, now: int) -> list[Bar] | None:
        """Return the bars of one ticker that have begun by ``now``; None if it has no rows."""
        if frame.columns.nlevels == 2 and key not in frame.columns.get_level_values("Ticker"):
            return None
        table = of_ticker(frame, key)
        if self._bar_interval in WITHIN_DAY_MS and len(table):
            table = table.tz_convert("UTC")
        rows = [row for _, row in rows_of_frame(table, _TABLE)]
        if not rows:
            return None
        if "Stock Splits" in table.columns:
            ratios = table["Stock Splits"].fillna(0)
            self.splits.setdefault(key, {}).update(
                (_midnight_or_time(moment), float(ratio))
                for moment, ratio in ratios[ratios != 0].items()
            )
        parsed = {bar.time: bar for row in rows if (bar := self._bar(key, row, now)) is not None}
        bars = [parsed[moment] for moment in sorted(parsed)]
        while bars and self._is_snapshot(key, bars):
            bars.pop()
        return [bar for bar in bars if self._span(key, bar.time)[0] <= now]

    def _bar(self, key: str, row: dict[str, Any], now: int) -> Bar | None:
        """Return a row as a Bar; None if it lacks a price or breaks a rule."""
        if any(name not in row for name in _PRICES):
            return None
        fields = {
            "volume": 0.0,
            **row,
            "interval": self._bar_interval,
            "source": self.name,
            "ingested": now,
        }
        try:
            bar = intake.bars(key, fields)[0]
        except InvalidRecord as error:
            # One bad row among thousands must not stop the ticker.
            log.warning("source yahoo: %s: a bar is left out: %s", key, error)
            return None
        bar.closed = self._over_at(key, bar.time) <= now
        return bar

    def _is_snapshot(self, key: str, bars: Sequence[Bar]) -> bool:
        """Tell whether the last row is the last trade, which Yahoo writes after the bars.

        It has the time of that trade and no length; after the close, that is the close itself.
        """
        length = WITHIN_DAY_MS.get(self._bar_interval)
        if length is None:
            return False
        moment = bars[-1].time
        if market_hours.calendar_of(key) is not None:
            session = market_hours.session_at(key, moment)
            return session is None or (moment - session.open) % length != 0
        return len(bars) > 1 and (moment - bars[-2].time) % length != 0

    def _is_due(self, key: str, since: int | None, now: int) -> bool:
        if market_hours.is_open(key, now, GRACE_MS):
            return True
        answered, closed = self._answered.get(key, (None, None))
        close = market_hours.last_close(key, now)
        if answered is None or close is None or answered < close + SETTLE_SESSION_MS:
            return True
        # What came after the close may have been lost on its way: then it comes again.
        return closed is not None and (since is None or since < closed)

    def _over_at(self, key: str, moment: int) -> int:
        """Return when the bar at ``moment`` counts as closed, ms."""
        end = self._span(key, moment)[1]
        daily = self._bar_interval not in WITHIN_DAY_MS
        at_close = daily and market_hours.calendar_of(key) is not None
        return end + (SETTLE_SESSION_MS if at_close else SETTLE_MS)

    def _span(self, key: str, moment: int) -> tuple[int, int]:
        # Far back nothing depends on the hour; a calendar's year costs a tenth of a second.
        if self._now_ms() - moment > 60 * DAY_MS:
            return moment, moment
        return market_hours.span(key, self._bar_interval, moment)

    def _start(self, moment: int, now: int) -> datetime | str:
        """Return where to ask from, as yfinance wants it, and not beyond what Yahoo keeps."""
        reach = REACH_DAYS.get(self._bar_interval)
        if reach is None:
            return datetime.fromtimestamp(moment / 1000, UTC).date().isoformat()
        return datetime.fromtimestamp(max(moment, now - reach * DAY_MS) / 1000, UTC)

    def _refuse_while_blocked(self) -> None:
        seconds = self._bucket.blocked()
        if seconds > 0:
            raise SourceUnavailable(_enough(seconds))

    def _complain(self, problems: Mapping[str, str], found: Iterable[str]) -> None:
        for key, problem in problems.items():
            if self._troubled.get(key) != problem:
                log.warning("source yahoo: %s: %s; the others go on", key, problem)
            self._troubled[key] = problem
        for key in found:
            self._troubled.pop(key, None)

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def _check(source: str, keys: Iterable[str]) -> None:
    unknown = [key for key in keys if not is_ticker(key)]
    if unknown:
        raise UnknownKeys(source, unknown, "tickers have 1 to 32 characters of A-Z 0-9 . - = ^ &")


def _later(moment: int, since: int | None) -> bool:
    return since is None or moment > since


def _midnight_or_time(moment: Any) -> int:
    """Return an index's time, ms; a date's is midnight UTC."""
    return int((moment if moment.tzinfo else moment.tz_localize("UTC")).timestamp() * 1000)


def _unavailable(call: Call, keys: Sequence[str]) -> SourceUnavailable:
    shown = "; ".join(f"{key}: {call.problems.get(key, 'no answer')}" for key in keys[:3])
    more = f" (and {len(keys) - 3} more)" if len(keys) > 3 else ""
    return SourceUnavailable(
        f"Yahoo: {shown}{more}. It is tried again; without Yahoo there is `--source replay`"
    )


def _enough(seconds: float) -> str:
    return (
        f"Yahoo answered 429 (too many requests): nothing is sent for {seconds:.0f} s; "
        "poll less often, fewer tickers, or fewer requests a minute"
    )
