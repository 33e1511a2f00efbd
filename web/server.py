"""Puts it all onto Faust's web server."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from faust.types import AppT

from config import Settings
from monitoring.collector import Collector, Counts
from monitoring.kafka import Kafka
from monitoring.readiness import Readiness
from web import pages
from web.alerts import Alerts
from web.changes import Changes
from web.connections import Runner, body_in_time
from web.guard import Guard, add_headers
from web.health import Health, Metrics
from web.login import Login
from web.outlook import Outlook
from web.prices import Prices
from web.store import Store
from web.stream import Stream
from web.table_pages import TablePages
from web.tables import Tables
from web.texts import Texts
from web.topic_pages import TopicPages


def mount(app: AppT, driver: Any, settings: Settings, counts: Counts) -> None:
    """Add the page, the API and the guard to the server of ``driver`` (``faust.web``'s).

    Must come before Faust adds its own pages, whose ``/`` would be found first.

    Args:
        app: whose tables and partitions are shown.
        driver: has the server.
        settings: who may ask, and where the servers are.
        counts: what the agents count.
    """
    # A stack trace for everything that is no HTTP would let anybody fill the log; the one who sent
    # it is told in the answer, by status 400.
    server_logger.addFilter(_is_of_ours)
    server: web.Application = driver.web_app
    guard = Guard(settings)
    store = Store(settings)
    changes = Changes(store)
    # Two, so that a look at many topics does not hold up probes.
    kafka, topics_kafka = Kafka(settings), Kafka(settings)

    @web.middleware
    async def guarded(request: web.Request, handler: Any) -> web.StreamResponse:
        return await guard.middleware(request, handler)

    async def end_streams(_: web.Application) -> None:
        await changes.close()

    async def close_store(_: web.Application) -> None:
        await store.close()
        await kafka.close()
        await topics_kafka.close()

    # Faust's own knows no limits.
    driver._runner = Runner(server)
    server.middlewares.append(body_in_time)
    server.middlewares.append(guarded)
    server.on_response_prepare.append(add_headers)
    server.on_shutdown.append(end_streams)
    server.on_cleanup.append(close_store)
    server.add_routes(routes(app, guard, store, changes, settings))
    server.add_routes(monitoring_routes(app, store, kafka, counts))
    server.add_routes(topic_routes(TopicPages(settings, topics_kafka)))


def topic_routes(pages: TopicPages) -> list[web.AbstractRouteDef]:
    """Return the addresses of the topics."""
    return [
        web.get("/topics/", pages.all),
        web.get("/topics/{name:[^/]+}/", pages.one),
        web.get("/topics/{name:[^/]+}/{partition:[^/]+}", pages.messages),
    ]


def monitoring_routes(
    app: AppT, store: Store, kafka: Kafka, counts: Counts
) -> list[web.AbstractRouteDef]:
    """Return the addresses that tell how the worker is."""
    health = Health(Readiness(app, kafka, store.ping))
    metrics = Metrics(Collector(app, counts), kafka)
    return [
        web.get("/health/live", health.live),
        web.get("/health/ready", health.ready),
        web.get("/metrics", metrics.metrics),
    ]


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
        web.get("/api/alerts", Alerts(store).alerts),
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
