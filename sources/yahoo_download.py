"""One download from Yahoo, in a thread, within its time and its requests, read as bars."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from errors import SourceUnavailable
from models import Bar
from models.rules import is_ticker
from monitoring.instruments import rate_limited
from sources.base import UnknownKeys
from sources.market_hours import DAY_MS
from sources.token_bucket import TokenBucket
from sources.yahoo_bars import BarReader
from sources.yahoo_client import Call, YahooClient
from sources.yahoo_reach import REACH_DAYS

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

Result = TypeVar("Result")

NAME = "yahoo"
#: What is said of a ticker of which nothing came.
NOTHING = "an empty answer"
#: How Yahoo says that it has no bars in a range.
_NO_DATA = "Data doesn't exist"


class Downloads:
    """Downloads bars of one length.

    Args:
        client: sends the requests.
        bucket: counts them.
        reader: reads what comes; knows the bars' length.
        now: ms since the epoch.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        client: YahooClient,
        bucket: TokenBucket,
        reader: BarReader,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self.client = client
        self.bucket = bucket
        self.reader = reader
        self.now = now
        self._sleep = sleep
        self._troubled: dict[str, str] = {}

    async def in_thread(self, call: Call, work: Callable[..., Result], *args: object) -> Result:
        """Run ``work``; once nobody waits for it any more, its call sends nothing more.

        Raises:
            SourceUnavailable: it took longer than the call may.
        """
        try:
            # A little longer than the call itself, which then has something to say.
            async with asyncio.timeout(call.seconds + 2):
                return await asyncio.to_thread(work, *args)
        except TimeoutError:
            raise SourceUnavailable(f"Yahoo: no answer within {call.seconds:.0f} s") from None
        finally:
            call.stop()

    async def wait_for_bucket(self) -> None:
        """Return once a request may be sent.

        Raises:
            SourceUnavailable: Yahoo has had enough of them for a while.
        """
        while True:
            self.refuse_while_blocked()
            wait = self.bucket.wait()
            if wait <= 0:
                return
            await self._sleep(wait)

    def refuse_while_blocked(self) -> None:
        """Raise SourceUnavailable while Yahoo has had enough requests."""
        seconds = self.bucket.blocked()
        if seconds > 0:
            raise SourceUnavailable(_enough(seconds))

    def table(
        self, call: Call, keys: Sequence[str], start: int, end: int | None = None
    ) -> pd.DataFrame:
        """Return yfinance's table of ``keys`` from ``start`` to before ``end`` (ms; None is now).

        Blocks. What is not in it is told by ``call``.

        Raises:
            UnknownKeys: Yahoo does not have some of them.
            SourceUnavailable: Yahoo has had enough requests.
        """
        span = {"start": self._moment(self._aligned(start))}
        if end is not None:
            span["end"] = self._moment(end)
        frame = self.client.download(call, keys, self.reader.interval, **span)
        if call.cooldown is not None:
            rate_limited(NAME, call.cooldown)
            raise SourceUnavailable(_enough(call.cooldown))
        if call.unknown:
            raise UnknownKeys(
                NAME,
                [key for key in keys if key in call.unknown],
                f"Yahoo says {', '.join(sorted(set(call.unknown.values())))!r}; look up the "
                "symbol at https://finance.yahoo.com/lookup",
            )
        return frame

    def bars(
        self, call: Call, keys: Sequence[str], frame: pd.DataFrame, now: int
    ) -> dict[str, list[Bar]]:
        """Return the bars up to ``now`` (ms) of the keys that were answered.

        Raises:
            SourceUnavailable: none was.
        """
        found = {}
        for key in keys:
            if key in call.problems:
                continue
            bars = self.reader.bars(key, frame, now)
            if bars is None:
                call.problems[key] = NOTHING
            else:
                found[key] = bars
        if not found:
            raise unavailable(call, keys)
        return found

    def complain(self, problems: Mapping[str, str], found: Iterable[str]) -> None:
        """Log what is wrong with a ticker, once."""
        for key, problem in problems.items():
            if self._troubled.get(key) != problem:
                log.warning("source yahoo: %s: %s; the others go on", key, problem)
            self._troubled[key] = problem
        for key in found:
            self._troubled.pop(key, None)

    def _aligned(self, start: int) -> int:
        """Return the beginning of the week or the month, where bars are that long."""
        day = datetime.fromtimestamp(start / 1000, UTC).date()
        days = {"1wk": day.weekday(), "1mo": day.day - 1}.get(self.reader.interval, 0)
        return start - days * DAY_MS

    def _moment(self, moment: int) -> datetime | str:
        """Return a time as yfinance wants it, and not beyond what Yahoo keeps."""
        reach = REACH_DAYS.get(self.reader.interval)
        if reach is None:
            return datetime.fromtimestamp(moment / 1000, UTC).date().isoformat()
        return datetime.fromtimestamp(max(moment, self.now() - reach * DAY_MS) / 1000, UTC)


def check_tickers(keys: Iterable[str]) -> None:
    """Raise UnknownKeys if some of ``keys`` cannot be tickers."""
    unknown = [key for key in keys if not is_ticker(key)]
    if unknown:
        raise UnknownKeys(NAME, unknown, "tickers have 1 to 32 characters of A-Z 0-9 . - = ^ &")


def is_nothing(problem: str) -> bool:
    """Tell whether a problem only means that Yahoo has nothing in a range."""
    return problem == NOTHING or _NO_DATA in problem


def unavailable(call: Call, keys: Sequence[str]) -> SourceUnavailable:
    """Return the complaint about keys that were not answered."""
    shown = "; ".join(f"{key}: {call.problems.get(key, 'no answer')}" for key in keys[:3])
    more = f" (and {len(keys) - 3} more)" if len(keys) > 3 else ""
    return SourceUnavailable(f"Yahoo: {shown}{more}")


def _enough(seconds: float) -> str:
    return (
        f"Yahoo answered 429 (too many requests): nothing is sent for {seconds:.0f} s; "
        "poll less often, fewer tickers, or fewer requests a minute"
    )
