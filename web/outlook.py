"""``/api/tickers/{ticker}/trend``, ``/api/economy`` and ``/api/economy/{series}``."""

from __future__ import annotations

import asyncio

from aiohttp import web

from models import INTEGRATION_TEST
from sinks.base import Document
from sinks.documents import ECONOMY, TREND_HISTORY, TRENDS, as_ms
from web.answers import as_csv, as_json
from web.asked import EconomyAsked, SeriesAsked, TrendAsked, read
from web.paging import after, between, cut
from web.shapes import ObservationRow, SeriesRow, TrendRow, columns, observation_row, trend_row
from web.store import Store

_NEWEST_FIRST = (("time", -1), ("_id", -1))
_NO_TESTS: Document = {"source": {"$ne": INTEGRATION_TEST}}


class Outlook:
    """Answers about where a ticker is heading, and about the economy around it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def trend(self, request: web.Request) -> web.Response:
        """``GET /api/tickers/{ticker}/trend``: the latest, and its changes, newest first."""
        asked = read(TrendAsked, request)
        latest, found = await asyncio.gather(
            self._store.find(TRENDS, {"_id": asked.ticker}, sort=_NEWEST_FIRST, limit=1),
            self._store.find(
                TREND_HISTORY,
                {
                    "ticker": asked.ticker,
                    **between(asked.since, asked.until),
                    **after(asked.cursor),
                },
                sort=_NEWEST_FIRST,
                limit=asked.limit + 1,
            ),
        )
        following = cut(found, asked.limit)
        rows = [trend_row(document) for document in found]
        if asked.format == "csv":
            return as_csv(request, columns(TrendRow), rows, following)
        return as_json(
            request,
            {
                "ticker": asked.ticker,
                "latest": trend_row(latest[0]) if latest else None,
                "history": rows,
                "next": following,
            },
        )

    async def economy(self, request: web.Request) -> web.Response:
        """``GET /api/economy``: the latest observation of each series."""
        asked = read(EconomyAsked, request)
        names = await self._store.distinct(ECONOMY, "series", {})
        found = await asyncio.gather(*(self._latest(name) for name in names))
        rows = [row for row in found if row is not None]
        if asked.format == "csv":
            return as_csv(request, columns(SeriesRow), rows)
        return as_json(request, {"series": rows})

    async def series(self, request: web.Request) -> web.Response:
        """``GET /api/economy/{series}``: its observations, newest first, revisions included."""
        asked = read(SeriesAsked, request)
        where = {
            "series": asked.series,
            **_NO_TESTS,
            **between(asked.since, asked.until),
            **after(asked.cursor),
        }
        found = await self._store.find(ECONOMY, where, sort=_NEWEST_FIRST, limit=asked.limit + 1)
        following = cut(found, asked.limit)
        rows = [observation_row(document) for document in found]
        if asked.format == "csv":
            return as_csv(request, columns(ObservationRow), rows, following)
        return as_json(request, {"series": asked.series, "observations": rows, "next": following})

    async def _latest(self, series: str) -> SeriesRow | None:
        """Return the newest period of a series, as last revised, and the period before it."""
        newest = await self._one({"series": series, **_NO_TESTS})
        if newest is None:
            return None
        before = await self._one({"series": series, **_NO_TESTS, "time": {"$lt": newest["time"]}})
        return {
            "series": series,
            "title": newest.get("title", ""),
            "units": newest.get("units", ""),
            "frequency": newest.get("frequency", ""),
            "time": as_ms(newest["time"]),
            "value": newest["value"],
            "previous": None if before is None else before["value"],
            "realtime_start": as_ms(newest["realtime_start"]),
        }

    async def _one(self, where: Document) -> Document | None:
        revised = (("time", -1), ("realtime_start", -1))
        found = await self._store.find(ECONOMY, where, sort=revised, limit=1)
        return found[0] if found else None
