"""``/api/tickers/{ticker}/news``, ``/posts`` and ``/sentiment``."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from aiohttp import web

from models import INTEGRATION_TEST
from sinks.base import Document
from sinks.documents import NEWS, REDDIT, TWITTER, as_ms
from web.answers import as_csv, as_json
from web.asked import NewsAsked, PostsAsked, SentimentAsked, read
from web.paging import Place, after, between, cut, write_cursor
from web.shapes import NewsRow, PostRow, SentimentRow, columns, news_row, post_row
from web.store import Store

#: Texts that one answer about sentiment takes in at most, the newest ones, of each platform.
MOST_TEXTS = 20_000

_PLATFORMS = {"twitter": TWITTER, "reddit": REDDIT}
_NEWEST_FIRST = (("time", -1), ("_id", -1))


class Texts:
    """Answers about what is written about a ticker."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def news(self, request: web.Request) -> web.Response:
        """``GET /api/tickers/{ticker}/news``: newest first."""
        asked = read(NewsAsked, request)
        where = {**_about(asked.ticker, asked.since, asked.until), **after(asked.cursor)}
        found = await self._store.find(NEWS, where, sort=_NEWEST_FIRST, limit=asked.limit + 1)
        following = cut(found, asked.limit)
        rows = [news_row(document) for document in found]
        if asked.format == "csv":
            return as_csv(request, columns(NewsRow), rows, following)
        return as_json(request, {"ticker": asked.ticker, "news": rows, "next": following})

    async def posts(self, request: web.Request) -> web.Response:
        """``GET /api/tickers/{ticker}/posts``: of both platforms, newest first."""
        asked = read(PostsAsked, request)
        where = _about(asked.ticker, asked.since, asked.until)
        platforms = _PLATFORMS if asked.platform is None else {asked.platform: ""}
        found = await asyncio.gather(
            *(self._posts(name, where, asked.cursor, asked.limit + 1) for name in platforms)
        )
        merged = sorted((row for rows in found for row in rows), key=_order, reverse=True)
        page = merged[: asked.limit]
        following = None
        if len(merged) > len(page):
            following = write_cursor(Place(page[-1]["time"], _order(page[-1])[1]))
        rows = [post_row(document) for document in page]
        if asked.format == "csv":
            return as_csv(request, columns(PostRow), rows, following)
        return as_json(request, {"ticker": asked.ticker, "posts": rows, "next": following})

    async def sentiment(self, request: web.Request) -> web.Response:
        """``GET /api/tickers/{ticker}/sentiment``: means by hour or day and platform."""
        asked = read(SentimentAsked, request)
        where = _about(asked.ticker, asked.since, asked.until)
        where["sentiment"] = {"$type": "number"}
        places = {"news": NEWS, **_PLATFORMS}
        found = await asyncio.gather(
            *(self._store.aggregate(name, _means(where, asked.by)) for name in places.values())
        )
        rows: list[SentimentRow] = [
            {
                "time": as_ms(document["_id"]),
                "platform": platform,
                "sentiment": document["sentiment"],
                "count": document["count"],
            }
            for platform, documents in zip(places, found, strict=True)
            for document in documents
        ]
        rows.sort(key=lambda row: (row["time"], row["platform"]))
        if asked.format == "csv":
            return as_csv(request, columns(SentimentRow), rows)
        return as_json(request, {"ticker": asked.ticker, "by": asked.by, "sentiment": rows})

    async def _posts(
        self, platform: str, where: Document, place: Place | None, limit: int
    ) -> list[Document]:
        return await self._store.find(
            _PLATFORMS[platform],
            {**where, **_after_post(platform, place)},
            sort=_NEWEST_FIRST,
            limit=limit,
        )


def _about(ticker: str, since: datetime | None, until: datetime | None) -> Document:
    return {"ticker": ticker, "source": {"$ne": INTEGRATION_TEST}, **between(since, until)}


def _order(post: Document) -> tuple[datetime, str]:
    """Return the key that posts of both platforms are sorted by."""
    return post["time"], f"{post['platform']}|{post['_id']}"


def _after_post(platform: str, place: Place | None) -> Document:
    """Return the condition on one platform's posts that come after ``place``."""
    if place is None:
        return {}
    last_platform, _, last_id = place.key.partition("|")
    if platform == last_platform:
        return after(Place(place.time, last_id))
    # Of the moment of the place itself: all are still to come, or all have come.
    comparison = "$lte" if platform < last_platform else "$lt"
    return {"$and": [{"time": {comparison: place.time}}]}


def _means(where: Document, by: str) -> list[dict[str, Any]]:
    """Return the pipeline: mean and count of each hour or day, oldest first."""
    return [
        {"$match": where},
        {"$sort": {"time": -1}},
        {"$limit": MOST_TEXTS},
        {
            "$group": {
                "_id": {"$dateTrunc": {"date": "$time", "unit": by}},
                "sentiment": {"$avg": "$sentiment"},
                "count": {"$sum": 1},
            }
        },
        {"$sort": {"_id": 1}},
    ]
