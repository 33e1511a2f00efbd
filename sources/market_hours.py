"""When a ticker is traded, and when a bar of it is over.

Exchanges come from ``pandas_market_calendars``, with their holidays, early closes and clock
changes. It is imported, and a year of a calendar computed, when first asked for (about a second):
ask in a thread.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

DAY_MS = 86_400_000
_MINUTE_MS = 60_000

#: Lengths of the bars within a day that Yahoo has, ms.
WITHIN_DAY_MS: Mapping[str, int] = {
    name: minutes * _MINUTE_MS
    for name, minutes in {
        "1m": 1,
        "2m": 2,
        "5m": 5,
        "15m": 15,
        "30m": 30,
        "60m": 60,
        "90m": 90,
        "1h": 60,
    }.items()
}
#: All intervals that this module knows the ends of.
INTERVALS = (*WITHIN_DAY_MS, "1d", "1wk", "1mo")

#: Longest time without a session that is looked across, in days.
_LONGEST_BREAK = 15

_US = "NYSE"
_BY_SUFFIX = {
    "AX": "ASX",
    "DE": "XETR",
    "HK": "HKEX",
    "L": "LSE",
    "MI": "XMIL",
    "PA": "XPAR",
    "T": "JPX",
    "TO": "TSX",
}
_US_INDICES = frozenset(
    f"^{name}"
    for name in ("GSPC", "DJI", "IXIC", "NDX", "RUT", "NYA", "VIX", "TNX", "TYX", "FVX", "IRX")
)
# BTC-USD and ETH-EUR, but not the share class BRK-B or the preferred share BAC-PL.
_PAIR = re.compile(r"-[A-Z]{3,}$")


class Session(NamedTuple):
    """One trading day's regular hours, ms since the epoch, UTC; ``close`` is not part of it."""

    open: int
    close: int


def calendar_of(ticker: str) -> str | None:
    """Return the calendar that ``ticker`` is traded by, None for what is traded at all hours.

    Tickers are Yahoo's. Crypto currencies, foreign exchange and futures are traded at all hours.
    Exchanges without a calendar here count as such too: that costs polls in vain, and no bar is
    taken for finished too early, because no session reaches past midnight UTC of its day.

    >>> calendar_of("AAPL"), calendar_of("BRK-B"), calendar_of("SAP.DE"), calendar_of("BTC-USD")
    ('NYSE', 'NYSE', 'XETR', None)
    """
    if ticker.startswith("^"):
        return _US if ticker in _US_INDICES else None
    if "=" in ticker or _PAIR.search(ticker):
        return None
    _, dot, suffix = ticker.partition(".")
    return _BY_SUFFIX.get(suffix) if dot else _US


def is_open(ticker: str, at: int, grace: int = 0) -> bool:
    """Tell whether ``ticker`` is traded at ``at``, or was until less than ``grace`` before (ms)."""
    calendar = calendar_of(ticker)
    if calendar is None:
        return True
    return any(
        session.open <= at < session.close + grace for session in _near(calendar, at, days=1)
    )


def last_close(ticker: str, at: int) -> int | None:
    """Return the last close at or before ``at``, ms; None for what never closes."""
    calendar = calendar_of(ticker)
    if calendar is None:
        return None
    closes = [s.close for s in _near(calendar, at, days=_LONGEST_BREAK) if s.close <= at]
    return max(closes, default=None)


def session_at(ticker: str, at: int) -> Session | None:
    """Return the session that ``at`` (ms) lies in; None outside, and for what never closes."""
    calendar = calendar_of(ticker)
    if calendar is None:
        return None
    return next((s for s in _near(calendar, at, days=1) if s.open <= at < s.close), None)


def after_trading(ticker: str, since: int, length: int) -> int:
    """Return the moment at which ``ticker`` was traded for ``length`` since ``since``; all in ms.

    >>> monday_open = 1_704_119_400_000 + 7 * DAY_MS  # 2024-01-08, 09:30 in New York
    >>> after_trading("AAPL", monday_open - DAY_MS, 60_000) - monday_open
    60000
    """
    calendar = calendar_of(ticker)
    if calendar is None:
        return since + length
    day, left = _day(since) - timedelta(days=1), length
    while True:
        session = _session_of(calendar, day)
        if session is not None and session.close > since:
            begin = max(session.open, since)
            if begin + left <= session.close:
                return begin + left
            left -= session.close - begin
        day += timedelta(days=1)


def span(ticker: str, interval: str, time: int) -> tuple[int, int]:
    """Return when the bar that is written at ``time`` begins, and when it is over, ms.

    Args:
        ticker: Yahoo's.
        interval: one of :data:`INTERVALS`.
        time: the bar's time; of daily and longer bars midnight UTC of their first date.

    A daily bar of an exchange lasts from the open to the close of that date's session. A bar
    within the day that the close cuts short ends there. Weeks and months end at midnight UTC.
    """
    length = WITHIN_DAY_MS.get(interval)
    if length is not None:
        session = session_at(ticker, time)
        end = time + length
        return time, end if session is None else min(end, session.close)
    if interval == "1wk":
        return time, time + 7 * DAY_MS
    if interval == "1mo":
        return time, _next_month(time)
    calendar = calendar_of(ticker)
    session = None if calendar is None else _session_of(calendar, _day(time))
    return (time, time + DAY_MS) if session is None else (session.open, session.close)


def bar_times(ticker: str, interval: str, start: int, end: int) -> list[int] | None:
    """Return the times of the bars that ``ticker`` should have from ``start`` to ``end``, ms.

    Args:
        ticker: Yahoo's.
        interval: one of :data:`INTERVALS`.
        start: the earliest time, ms.
        end: bars that are not over by then do not count, ms.

    Returns:
        The times in order; None where nobody knows: exchanges without a calendar here, foreign
        exchange and futures, which rest at weekends and on days of their own.
    """
    if interval in {"1wk", "1mo"}:
        return [t for t in _calendar_steps(interval, start, end) if span("", interval, t)[1] <= end]
    calendar, length = calendar_of(ticker), WITHIN_DAY_MS.get(interval, DAY_MS)
    if calendar is None:
        if not _PAIR.search(ticker):
            return None
        first = start + -start % length
        return list(range(first, end - length + 1, length))
    found = []
    day = _day(start) - timedelta(days=1)
    while day <= _day(end) + timedelta(days=1):
        session = _session_of(calendar, day)
        if session is not None and interval == "1d" and session.close <= end:
            found.append(_ms(datetime(day.year, day.month, day.day, tzinfo=UTC)))
        elif session is not None and interval != "1d":
            rest = _year(calendar, day.year).breaks.get(day)
            found += [
                t
                for t in range(session.open, session.close, length)
                if min(t + length, session.close) <= end
                and not (rest is not None and rest.open <= t and t + length <= rest.close)
            ]
        day += timedelta(days=1)
    return [t for t in found if t >= start]


def _calendar_steps(interval: str, start: int, end: int) -> list[int]:
    """Return the Mondays, or the firsts of months, from ``start`` to ``end``."""
    day = _day(start)
    if interval == "1wk":
        day += timedelta(days=-day.weekday())
    else:
        day = day.replace(day=1)
    found, moment = [], _ms(datetime(day.year, day.month, day.day, tzinfo=UTC))
    while moment <= end:
        if moment >= start:
            found.append(moment)
        moment = moment + 7 * DAY_MS if interval == "1wk" else _next_month(moment)
    return found


def _near(calendar: str, at: int, days: int) -> list[Session]:
    """Return the sessions of the dates from ``days`` before ``at`` to one after it."""
    today = _day(at)
    found = (_session_of(calendar, today + timedelta(days=n)) for n in range(-days, 2))
    return [session for session in found if session is not None]


def _session_of(calendar: str, day: date) -> Session | None:
    return _year(calendar, day.year).sessions.get(day)


class _Year(NamedTuple):
    """A calendar's sessions of one year, and the breaks at noon within them, by their date."""

    sessions: dict[date, Session]
    breaks: dict[date, Session]


@functools.lru_cache(maxsize=128)
def _year(calendar: str, year: int) -> _Year:
    import pandas_market_calendars  # noqa: PLC0415 - slow, and only those who ask need it

    # Both use what pandas is going to change; nothing that we could do about.
    warnings.filterwarnings(
        "ignore", category=DeprecationWarning, module="(pandas_market|exchange)_calendars"
    )
    frame = pandas_market_calendars.get_calendar(calendar).schedule(
        date(year, 1, 1), date(year, 12, 31)
    )
    return _Year(
        _spans(frame, "market_open", "market_close"),
        _spans(frame, "break_start", "break_end") if "break_start" in frame else {},
    )


def _spans(frame: pd.DataFrame, first: str, last: str) -> dict[date, Session]:
    table = frame[[first, last]].dropna()
    return {
        day.date(): Session(_ms(start), _ms(end))
        for day, start, end in zip(
            table.index.tolist(), table[first].tolist(), table[last].tolist(), strict=True
        )
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _day(time: int) -> date:
    return datetime.fromtimestamp(time / 1000, UTC).date()


def _next_month(time: int) -> int:
    day = _day(time)
    year, month = divmod(day.year * 12 + day.month, 12)
    return _ms(datetime(year, month + 1, 1, tzinfo=UTC))
