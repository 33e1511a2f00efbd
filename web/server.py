"""Puts it all onto Faust's web server."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from faust.types import AppT

from config import Settings
from web import pages
from web.changes import Changes
from web.guard import Guard, add_headers
from web.login import Login
from web.outlook import Outlook
from web.prices import Prices
from web.store import Store
from web.stream import Stream
from web.table_pages import TablePages
from web.tables import Tables
from web.texts import Texts


def mount(app: AppT, driver: Any, settings: Settings) -> None:
    """Add the page, the API and the guard to the server of ``driver`` (``faust.web``'s).

    Must come before Faust adds its own pages, whose ``/`` would be found first.
    """
    # A stack trace for everything that is no HTTP would let anybody fill the log; the one who sent
    # it is told in the answer, by status 400.
    server_logger.addFilter(_is_of_ours)
    server: web.Application = driver.web_app
    guard = Guard(settings)
    store = Store(settings)
    changes = Changes(store)

    @web.middleware
    async def guarded(request: web.Request, handler: Any) -> web.StreamResponse:
        return await guard.middleware(request, handler)

    async def end_streams(_: web.Application) -> None:
        await changes.close()

    async def close_store(_: web.Application) -> None:
        await store.close()

    server.middlewares.append(guarded)
    server.on_response_prepare.append(add_headers)
    server.on_shutdown.append(end_streams)
    server.on_cleanup.append(close_store)
    server.add_routes(routes(app, guard, store, changes, settings))


def _is_of_ours(record: logging.LogRecord) -> bool:
    error = None if record.exc_info is None else record.exc_info[1]
    return not isinstance(error, HttpProcessingError)


def routes(
    app: AppT, guard: Guard, store: Store, changes: Changes, settings: Settings
) -> list[web.AbstractRouteDef]:
    """Return every address that is ours."""
    prices, texts, outlook = Prices(store), Texts(store), Outlook(store)
    tables = Tables(app, settings)
    table_pages = TablePages(tables)
    found: list[web.AbstractRouteDef] = [
        web.get("/", pages.index),
        web.get("/favicon.ico", pages.icon),
        web.get("/static/charts.js", pages.charts),
        web.static("/static", pages.STATIC),
        web.get("/api/tickers", prices.tickers),
        web.get("/api/tickers/{ticker:[^/]+}", prices.ticker),
        web.get("/api/tickers/{ticker:[^/]+}/bars", prices.bars),
        web.get("/api/tickers/{ticker:[^/]+}/news", texts.news),
        web.get("/api/tickers/{ticker:[^/]+}/posts", texts.posts),
        web.get("/api/tickers/{ticker:[^/]+}/sentiment", texts.sentiment),
        web.get("/api/tickers/{ticker:[^/]+}/trend", outlook.trend),
        web.get("/api/economy", outlook.economy),
        web.get("/api/economy/{series:[^/]+}", outlook.series),
        web.get("/api/stream", Stream(changes).stream, allow_head=False),
        web.get("/tables/", table_pages.all),
        web.get("/tables/{name:[^/]+}/", table_pages.one),
        web.get("/tables/{name:[^/]+}/{key:[^/]+}", table_pages.key),
    ]
    if guard.sessions is not None:
        login = Login(guard, guard.sessions)
        found += [
            web.get("/login", login.form),
            web.post("/login", login.log_in),
            web.post("/logout", login.log_out),
        ]
    return found
