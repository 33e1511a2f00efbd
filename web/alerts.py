"""``/api/alerts``."""

from __future__ import annotations

from aiohttp import web

from sinks.base import Document
from sinks.documents import ALERTS
from web.answers import as_csv, as_json
from web.asked import AlertsAsked, read
from web.paging import after, between, cut
from web.shapes import AlertRow, alert_row, columns
from web.store import Store

_NEWEST_FIRST = (("time", -1), ("_id", -1))


class Alerts:
    """Answers about the alerts that rules have fired."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def alerts(self, request: web.Request) -> web.Response:
        """``GET /api/alerts``: newest first."""
        asked = read(AlertsAsked, request)
        named = {"rule": asked.rule, "severity": asked.severity}
        where: Document = {name: value for name, value in named.items() if value is not None}
        if asked.tickers is not None:
            where["ticker"] = {"$in": list(asked.tickers)}
        where |= between(asked.since, asked.until) | after(asked.cursor)
        found = await self._store.find(ALERTS, where, sort=_NEWEST_FIRST, limit=asked.limit + 1)
        following = cut(found, asked.limit)
        rows = [alert_row(document) for document in found]
        if asked.format == "csv":
            return as_csv(request, columns(AlertRow), rows, following)
        return as_json(request, {"alerts": rows, "next": following})
