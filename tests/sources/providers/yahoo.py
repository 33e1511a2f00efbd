"""Answers as Yahoo Finance does, of whatever bars a test gives it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models import Bar
from sources.yahoo import YahooSource
from tests.sources.providers.server import Answer, LocalServer, Request, json_answer

CHART = "/v8/finance/chart/"
NEW_YORK = "America/New_York"
RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]

#: Time in s, open, high, low, close, volume, adjusted close; None where Yahoo has a hole.
Row = tuple[int, float | None, float | None, float | None, float | None, float | None, float | None]

NOT_FOUND = json_answer(
    {
        "chart": {
            "result": None,
            "error": {
                "code": "Not Found",
                "description": "No data found, symbol may be delisted",
            },
        }
    },
    404,
)
TOO_MANY = Answer(429, b"Too Many Requests\r\n", {"Content-Type": "text/html"})
BROKEN = Answer(500, b"<html><body>Internal Server Error</body></html>")


@dataclass
class Chart:
    """One ticker's data.

    Attributes:
        rows: in the order in which they are written.
        sessions: regular hours, (start, end) in s, as ``tradingPeriods`` within the day.
        dividends: time in s to amount.
        splits: time in s to (numerator, denominator).
    """

    rows: list[Row] = field(default_factory=list)
    zone: str = NEW_YORK
    kind: str = "EQUITY"
    sessions: list[tuple[int, int]] = field(default_factory=list)
    dividends: dict[int, float] = field(default_factory=dict)
    splits: dict[int, tuple[int, int]] = field(default_factory=dict)
    long_name: str | None = None
    short_name: str | None = None

    def split(self, at: int, new: int, old: int) -> None:
        """Split the share at ``at`` (s): earlier prices shrink, as Yahoo's then do."""
        self.splits[at] = (new, old)
        self._scale(at, old / new, old / new)

    def pay(self, at: int, share: float) -> None:
        """Pay a dividend of a ``share`` of the price at ``at`` (s): adjusted closes shrink."""
        self.dividends[at] = share * 100
        self._scale(at, 1.0, 1 - share)

    def _scale(self, at: int, prices: float, adjusted: float) -> None:
        def times(value: float | None, factor: float) -> float | None:
            return None if value is None else value * factor

        for i, (when, opening, high, low, close, volume, adjusted_close) in enumerate(self.rows):
            if when < at:
                self.rows[i] = (
                    when,
                    times(opening, prices),
                    times(high, prices),
                    times(low, prices),
                    times(close, prices),
                    times(volume, 1 / prices),
                    times(adjusted_close, adjusted),
                )


class YahooServer(LocalServer):
    """``charts`` are answered, everything else is unknown; scripts go before.

    A chart is found under its symbol, or before that under symbol and interval, as ``AAPL 1h``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.charts: dict[str, Chart] = {}

    def answer(self, request: Request) -> Answer:
        """Return what Yahoo says at an address."""
        if request.path == "/v1/test/getcrumb":
            return Answer(200, b"b8tCxIeFXyz", {"Content-Type": "text/plain"})
        if request.path == "/":
            # fc.yahoo.com: an error page, but it brings the cookie.
            cookie = "A3=d=AQABBK; Max-Age=31557600; Path=/; HttpOnly"
            return Answer(404, b"", {"Set-Cookie": cookie})
        if request.path == "/consent":
            return Answer(200, b"<html><body>no form</body></html>")
        if not request.path.startswith(CHART):
            return super().answer(request)
        symbol = request.path.removeprefix(CHART)
        chart = self.charts.get(f"{symbol} {request.value('interval')}", self.charts.get(symbol))
        return NOT_FOUND if chart is None else json_answer(body(symbol, chart, request))

    def polls(self, symbol: str | None = None) -> list[Request]:
        """Return the requests for prices, without those that only look for a time zone."""
        return [
            request
            for request in self.asked()
            if request.path.startswith(CHART if symbol is None else CHART + symbol)
            and ("period1" in request.query or request.value("range") not in {"", "1d"})
        ]


def body(symbol: str, chart: Chart, request: Request) -> dict[str, Any]:
    """Return the JSON of a chart, of the part that is asked for."""
    first = int(request.value("period1") or 0)
    last = int(request.value("period2") or 1 << 40)
    interval = request.value("interval", "1d")
    zone = ZoneInfo(chart.zone)
    rows = [row for row in chart.rows if first <= row[0] <= last]
    offset = datetime.now(zone).utcoffset() or timedelta()
    meta: dict[str, Any] = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "NMS",
        "fullExchangeName": "NasdaqGS",
        "instrumentType": chart.kind,
        "firstTradeDate": 345479400,
        "regularMarketTime": chart.rows[-1][0] if chart.rows else int(time.time()),
        "hasPrePostMarketData": True,
        "gmtoffset": int(offset.total_seconds()),
        "timezone": "EST",
        "exchangeTimezoneName": chart.zone,
        "regularMarketPrice": chart.rows[-1][4] if chart.rows else None,
        "priceHint": 2,
        "dataGranularity": interval,
        "range": request.value("range"),
        "validRanges": RANGES,
    }
    names = {"longName": chart.long_name, "shortName": chart.short_name}
    meta |= {name: value for name, value in names.items() if value is not None}
    if interval[-1] in "mh":
        meta["tradingPeriods"] = [
            [{"timezone": "EST", "start": start, "end": end, "gmtoffset": -18000}]
            for start, end in chart.sessions
        ]
    if not rows:
        indicators: dict[str, Any] = {"quote": [{}], "adjclose": [{}]}
        return {
            "chart": {"result": [{"meta": meta, "indicators": indicators}], "error": None},
        }
    prices = ("open", "high", "low", "close", "volume")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(prices, 1)}
    indicators = {"quote": [columns]}
    if interval[-1] not in "mh":
        indicators["adjclose"] = [{"adjclose": [row[6] for row in rows]}]
    result: dict[str, Any] = {
        "meta": meta,
        "timestamp": [row[0] for row in rows],
        "indicators": indicators,
    }
    events: dict[str, Any] = {}
    if chart.dividends:
        events["dividends"] = {
            str(at): {"amount": amount, "date": at}
            for at, amount in chart.dividends.items()
            if first <= at <= last
        }
    if chart.splits:
        events["splits"] = {
            str(at): {
                "date": at,
                "numerator": new,
                "denominator": old,
                "splitRatio": f"{new}:{old}",
            }
            for at, (new, old) in chart.splits.items()
            if first <= at <= last
        }
    if events:
        result["events"] = events
    return {"chart": {"result": [result], "error": None}}


def seconds(text: str, zone: str = NEW_YORK) -> int:
    """Return a local time, as ``2024-03-08 09:30``, in s since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def row(at: int, price: float, volume: float | None = 1_000.0) -> Row:
    """Return a row around ``price``."""
    return at, price, price + 1, price - 1, price + 0.5, volume, price / 2


def daily(first: str, days: int, zone: str = NEW_YORK, opens: str = "09:30") -> Chart:
    """Return a chart of weekdays, written at the time of the open as Yahoo does."""
    chart, day, price = Chart(zone=zone), date.fromisoformat(first), 100.0
    while len(chart.rows) < days:
        if day.weekday() < 5:
            chart.rows.append(row(seconds(f"{day} {opens}", zone), price))
            price += 1
        day += timedelta(days=1)
    return chart


def within_day(*sessions: tuple[str, str], minutes: int) -> Chart:
    """Return a chart of bars within sessions, (open, close) in New York's time."""
    chart, price = Chart(), 100.0
    for opens, closes in sessions:
        start, end = seconds(opens), seconds(closes)
        chart.sessions.append((start, end))
        for at in range(start, end, minutes * 60):
            chart.rows.append(row(at, price))
            price += 0.25
    return chart


def utc_ms(text: str) -> int:
    """Return a time in UTC in ms since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


#: Makes a source on the test's server: ``make(bar_interval, **other arguments)``.
Make = Callable[..., YahooSource]

#: A Friday; clocks change on the Sunday after it.
NOON = "2024-03-08 12:00"
FRIDAY = utc_ms("2024-03-08")


def times(bars: list[Bar]) -> list[int]:
    """Return the bars' times, ms."""
    return [bar.time for bar in bars]
