"""The one faust.App: ``faust -A app worker``.

The flow, top to bottom::

    sources (timers)  ->  topics  ->  agents  ->  tables, MongoDB
                                        |
                                        `->  technical-indicators, dead-letters

Every worker runs every agent; partitions decide which tickers are whose.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

import uvloop

# Before Faust makes an event loop, so that `faust -A app worker` has the faster one.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

import commands
import operations.commands
from agents import commands as command_agent
from agents import economy, indicators, news, prices, social
from agents.opinion import warm_up
from agents.services import Services
from config import settings as read_once
from errors import ConfigurationError, FinancialTrendsError
from indicators import parse
from sinks.cursors import Cursors
from sources.base import Source
from sources.registry import price_source, text_and_data_sources
from sources.schedule import Schedule
from startup import faust_options, prepare_servers
from tables.indicators import IndicatorTable
from transport import BatchingApp

log = logging.getLogger(__name__)
# It says the whole address of every request, keys included, at INFO.
logging.getLogger("httpx").setLevel(logging.WARNING)

try:
    settings = read_once()
except ConfigurationError as error:
    sys.exit(f"error: {error}")


class FinancialTrends(BatchingApp):
    """The application, which looks after its topics and indexes before it starts."""

    async def on_first_start(self) -> None:
        """Create what is missing on the servers; end with one line if that cannot be."""
        try:
            changelogs = [table.changelog_spec() for table in self.tables.values()]
            await asyncio.gather(prepare_servers(settings, changelogs), asyncio.to_thread(warm_up))
        except FinancialTrendsError as error:
            sys.exit(f"error: {error}")
        await super().on_first_start()

    async def on_stop(self) -> None:
        """Make the last checkpoint, then let go of the stores."""
        await super().on_stop()
        services.close()


app = FinancialTrends(
    settings.app_id,
    checkpoint_interval_s=settings.checkpoint_interval_s,
    **faust_options(settings),
)
services = Services(app, settings)

indicator_table = IndicatorTable(app, parse(settings.indicators))
prices_stage = prices.attach(app, services, indicator_table)
indicators.attach(app, services)
news.attach(app, services)
social.attach(app, services)
economy.attach(app, services)
command_agent.attach(app, services, prices_stage)
# Last, so that a checkpoint also waits for the dead letters that a writer found on the way.
app.checkpoints.register_store(services.outbox)

commands.attach(app, settings)
operations.commands.attach(app, settings)


@app.task
async def poll_prices() -> None:
    """Follow the prices of TICKERS by PRICE_SOURCE, those that are this worker's."""
    try:
        source = await asyncio.to_thread(price_source, settings)
    except FinancialTrendsError as error:
        log.error("prices are off: %s", error)
        return
    if source is not None and settings.tickers:
        await _schedule(source, settings.tickers).run()


@app.task
async def poll_text_and_data() -> None:
    """Follow news, posts and economic series, where the settings turn them on."""
    try:
        sources = await asyncio.to_thread(text_and_data_sources, settings)
    except FinancialTrendsError as error:
        log.error("news, posts and economic series are off: %s", error)
        return
    await asyncio.gather(*(_schedule(source, keys).run() for source, keys in sources))


def _schedule(source: Source, keys: Sequence[str]) -> Schedule:
    return Schedule(app, source, keys, services.partition_of, Cursors(settings))
