"""``/api/tickers``, ``/api/tickers/{ticker}`` and its ``/bars``."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from models import INTEGRATION_TEST
from sinks.base import Document
from sinks.documents import STOCK_PRICES, TRENDS, as_ms
from web.answers import as_csv, as_json
from web.asked import BarsAsked, TickerAsked, TickersAsked, read
from web.markets import market_of
from web.paging import after, between, cut
from web.problems import Problem
from web.shapes import BarRow, TickerRow, TrendNow, bar_row, columns
from web.store import Store

#: Closes in a watchlist's little chart.
SPARKLINE = 30

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "wk": 604_800, "mo": 2_592_000}
#: Bars alone: not values of somebody's indicator at a bar that never came, and no test data.
_BARS: Document = {"close": {"$type": "number"}, "source": {"$ne": INTEGRATION_TEST}}
_NEWEST_FIRST = (("time", -1),)
_LITTLE = {"time": 1, "close": 1, "volume": 1, "closed": 1, "ingested": 1}


def seconds(interval: str) -> int:
    """Return about how long an interval is, for sorting.

    >>> sorted(["1d", "5m", "1wk", "1h"], key=seconds)
    ['5m', '1h', '1d', '1wk']
    """
    found = re.fullmatch(r"(\d+)([a-z]+)", interval)
    return int(found[1]) * _SECONDS.get(found[2], 0) if found else 0


class Prices:
    """Answers about tickers and their bars."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tickers(self, request: web.Request) -> web.Response:
        """``GET /api/tickers``: the watchlist."""
        asked = read(TickersAsked, request)
        names, following = await self._names(asked)
        found = await asyncio.gather(*(self._ticker(name, asked.interval) for name in names))
        trends = await self._trends(names)
        rows = [row for row in found if row is not None]
        for row in rows:
            row["trend"] = trends.get(row["ticker"])
        if asked.format == "csv":
            return as_csv(request, columns(TickerRow, "trend", "sparkline"), rows, following)
        return as_json(request, {"tickers": rows, "next": following})

    async def ticker(self, request: web.Request) -> web.Response:
        """``GET /api/tickers/{ticker}``: its intervals, the indicators it has, its market."""
        asked = read(TickerAsked, request)
        names = await self._intervals(asked.ticker)
        if not names:
            raise Problem(
                404,
                "ticker",
                asked.ticker,
                "no bars of it are stored",
                "/api/tickers lists those that are",
            )
        newest = await asyncio.gather(
            *(
                self._store.find(
                    STOCK_PRICES,
                    {"ticker": asked.ticker, "interval": name, **_BARS},
                    sort=_NEWEST_FIRST,
                    limit=1,
                )
                for name in names
            )
        )
        intervals = [
            {
                "interval": name,
                "time": as_ms(bars[0]["time"]),
                "indicators": list(bars[0].get("indicators") or ()),
            }
            for name, bars in zip(names, newest, strict=True)
            if bars
        ]
        content = {"ticker": asked.ticker, **market_of(asked.ticker), "intervals": intervals}
        if asked.format == "csv":
            return as_csv(request, ("interval", "time"), intervals)
        return as_json(request, content)

    async def bars(self, request: web.Request) -> web.Response:
        """``GET /api/tickers/{ticker}/bars``: pages from the newest back, each oldest first."""
        asked = read(BarsAsked, request)
        where: Document = {
            "ticker": asked.ticker,
            "interval": asked.interval,
            **between(asked.since, asked.until),
            **after(asked.cursor),
            **_BARS,
        }
        found = await self._store.find(
            STOCK_PRICES,
            where,
            sort=_NEWEST_FIRST,
            limit=asked.limit + 1,
            fields=_fields(asked.indicators),
        )
        following = cut(found, asked.limit)
        rows = [bar_row(document) for document in reversed(found)]
        outputs = dict.fromkeys(name for row in rows for name in row["indicators"])
        if asked.indicators not in (("all",), ("none",)):
            # What is asked for is there, and in that order, also where no bar has a value.
            outputs = dict.fromkeys(asked.indicators)
            for row in rows:
                row["indicators"] = {name: row["indicators"].get(name) for name in outputs}
        if asked.format == "csv":
            head = columns(BarRow, "indicators") + [f"indicators.{name}" for name in outputs]
            return as_csv(request, head, rows, following)
        content = {"ticker": asked.ticker, "interval": asked.interval, "bars": rows}
        return as_json(request, {**content, "next": following})

    async def _names(self, asked: TickersAsked) -> tuple[Sequence[str], str | None]:
        """Return the tickers of one page, and where the next one begins."""
        if asked.tickers is not None:
            names = sorted(name for name in asked.tickers if name.startswith(asked.prefix))
        else:
            # Characters of tickers all sort before the last of ASCII.
            ranged = {"$gte": asked.prefix, "$lt": f"{asked.prefix}\x7f"}
            names = await self._store.distinct(STOCK_PRICES, "ticker", {"ticker": ranged})
        if asked.cursor is not None:
            names = [name for name in names if name > asked.cursor]
        page = names[: asked.limit]
        return page, page[-1] if len(names) > len(page) else None

    async def _intervals(self, ticker: str) -> list[str]:
        found = await self._store.distinct(STOCK_PRICES, "interval", {"ticker": ticker})
        return sorted(found, key=seconds)

    async def _ticker(self, ticker: str, wanted: str | None) -> TickerRow | None:
        intervals = await self._intervals(ticker)
        if not intervals:
            return None
        usual = "1d" if "1d" in intervals else intervals[0]
        interval = wanted if wanted in intervals and wanted is not None else usual
        found = await self._store.find(
            STOCK_PRICES,
            {"ticker": ticker, "interval": interval, **_BARS},
            sort=_NEWEST_FIRST,
            limit=SPARKLINE + 1,
            fields=_LITTLE,
        )
        if not found:
            return None
        newest = found[0]
        price = newest["close"]
        previous = found[1]["close"] if len(found) > 1 else None
        change = None if previous is None else price - previous
        return {
            "ticker": ticker,
            "interval": interval,
            "intervals": intervals,
            "time": as_ms(newest["time"]),
            "price": price,
            "previous": previous,
            "change": change,
            "change_percent": change / previous * 100 if change is not None and previous else None,
            "volume": newest["volume"],
            "closed": newest["closed"],
            "ingested": as_ms(newest["ingested"]),
            "trend": None,
            "sparkline": [bar["close"] for bar in reversed(found[:SPARKLINE])],
        }

    async def _trends(self, names: Sequence[str]) -> dict[str, TrendNow]:
        if not names:
            return {}
        found = await self._store.find(
            TRENDS, {"_id": {"$in": list(names)}}, sort=(("_id", 1),), limit=len(names)
        )
        return {
            document["_id"]: {
                "time": as_ms(document["time"]),
                "direction": document["direction"],
                "strength": document["strength"],
                "confidence": document["confidence"],
            }
            for document in found
        }


def _fields(indicators: Sequence[str]) -> dict[str, Any]:
    """Return which fields of a bar MongoDB shall send."""
    fields: dict[str, Any] = dict.fromkeys(columns(BarRow, "indicators"), 1)
    if indicators == ("all",):
        return fields | {"indicators": 1}
    if indicators == ("none",):
        return fields
    return fields | {f"indicators.{name}": 1 for name in indicators}
