"""The one faust.App: ``faust -A app worker``.

The flow, top to bottom::

    sources (timers)  ->  topics  ->  agents  ->  tables, MongoDB
                                        |           |
                                        |           `->  trends, at every checkpoint
                                        |-->  alerts  ->  webhooks
                                        |
                                        `->  technical-indicators, macro-backdrop, dead-letters

Every worker runs every agent; partitions decide which tickers are whose.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import partial

import uvloop

# Before Faust makes an event loop, so that `faust -A app worker` has the faster one.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

from faust.types.web import Web

import commands
import operations.alert_commands
import operations.commands
from agents import alerts as alerts_agent
from agents import commands as command_agent
from agents import economy, history, indicators, macro, news, prices, social, webhooks
from agents.alerts import Alerts
from agents.opinion import warm_up
from agents.services import Services
from agents.silence import Silences
from agents.trends import InputTables, Trends
from alerts import BAR, NEWS
from config import settings as read_once
from errors import ConfigurationError, FinancialTrendsError
from indicators import parse
from monitoring.instruments import CHECKPOINT_SECONDS
from monitoring.logs import is_json, without_banner
from sinks.company_names import CompanyNames
from sinks.cursors import Cursors
from sinks.history import StoredBars
from sinks.mongo import connect
from sources.adjustments import Adjustments
from sources.base import BarProvider, Source
from sources.market_path import Positions
from sources.registry import price_sources, text_and_data_sources
from sources.schedule import Schedule
from startup import faust_options, prepare_servers, read_rules, settle_memory
from tables.indicators import IndicatorTable
from tables.sentiment import SentimentTable
from tables.series import EconomyTable, MacroTable
from topics import ECONOMIC_INDICATORS
from transport import BatchingApp
from web.exposure import check_exposure

log = logging.getLogger(__name__)
# It says the whole address of every request, keys included, at INFO.
logging.getLogger("httpx").setLevel(logging.WARNING)

try:
    settings = read_once()
    rule_book = read_rules(settings)
    options = faust_options(settings)
    # All that stores makes connections below, which would say the same by a stack trace.
    connect(settings).close()
except ConfigurationError as error:
    sys.exit(f"error: {error}")


if settings.log_format == "json":
    without_banner()


class FinancialTrends(BatchingApp):
    """The application, which looks after its topics, indexes and web server before it starts."""

    def _new_web(self) -> Web:
        # Here, because only a worker needs it: commands start faster without.
        from web.server import mount  # noqa: PLC0415

        driver = super()._new_web()
        mount(self, driver, settings, services.counts)
        return driver

    async def on_first_start(self) -> None:
        """Create what is missing on the servers; end with one line if that cannot be."""
        changelogs = [table.changelog() for table in self.tables.values()]
        try:
            check_exposure(settings)
            ids, _, _ = await asyncio.gather(
                prepare_servers(settings, changelogs),
                asyncio.to_thread(warm_up),
                asyncio.to_thread(indicator_table.indicators.warm_up),
            )
            services.topic_ids.update(ids)
        except FinancialTrendsError as error:
            if is_json():
                log.error("%s", error)
                sys.exit(1)
            sys.exit(f"error: {error}")
        settle_memory()
        await super().on_first_start()

    async def on_stop(self) -> None:
        """Make the last checkpoint, then let go of the stores."""
        await super().on_stop()
        services.close()


app = FinancialTrends(
    settings.app_id,
    checkpoint_interval_s=settings.checkpoint_interval_s,
    **options,
)
app.checkpoints.on_completed = CHECKPOINT_SECONDS.observe
services = Services(app, settings)
#: Learned with prices, for finding companies in texts.
names = CompanyNames(settings)

indicator_table = IndicatorTable(app, parse(settings.indicators))
sentiment_tables = {
    kind: SentimentTable(app, kind, settings.sentiment_half_life_s)
    for kind in ("news", "twitter", "reddit")
}
macro_table = MacroTable(app)
# First, as what it evaluates at a checkpoint's cut goes to the stores of the others.
trends = Trends(app, services, InputTables(indicator_table, sentiment_tables, macro_table))
# Before the tables of what rules are looked at with.
alerts = Alerts(app, services, rule_book)

prices_stage = prices.attach(app, services, indicator_table, trends, alerts.about(BAR))
history.attach(app, services, prices_stage)
indicators.attach(app, services)
news.attach(app, services, sentiment_tables["news"], trends, alerts.about(NEWS))
social.attach(app, services, sentiment_tables, trends, alerts)
economy.attach(app, services, EconomyTable(app))
macro.attach(app, services, macro_table, trends)
followed = command_agent.attach(app, services, prices_stage)
alerts_agent.attach(app, services, alerts)
webhooks.attach(app, services, alerts)
# After the states that it follows from.
app.checkpoints.register_state(trends.table)
# Last, so that a checkpoint also waits for the dead letters that a writer found on the way.
app.checkpoints.register_store(services.outbox)

commands.attach(app, settings)
operations.commands.attach(app, settings)
operations.alert_commands.attach(app, settings)


@app.task
async def know_changelogs() -> None:
    """Have the producer know all changelogs, by which Faust finds the owner of a table's key.

    Until this worker has sent to one, who asked for a key would get a stack trace.
    """
    client = app.producer._ensure_producer().client  # type: ignore[attr-defined]
    for table in app.tables.values():
        await client.add_topic(table.changelog_topic.get_topic_name())


@app.task
async def listen_for_silence() -> None:
    """Notice sources that have stopped, where rules say so."""
    await Silences(app, alerts).run()


@app.task
async def poll_prices() -> None:
    """Follow prices by PRICE_SOURCE, of the tickers that are this worker's."""
    try:
        sources = await asyncio.to_thread(price_sources, settings, names)
    except FinancialTrendsError as error:
        log.error("prices are off: %s", error)
        return
    if not sources:
        return
    await history.worked_through(app)
    schedules = [_schedule(source, cursors) for source, cursors in sources]
    tasks = [schedule.run() for schedule in schedules]
    if isinstance(schedules[0].source, BarProvider):
        tasks.append(Adjustments(schedules, StoredBars(settings), Cursors(settings)).run())
    await asyncio.gather(*tasks)


@app.task
async def poll_text_and_data() -> None:
    """Follow news, posts and economic series, where the settings turn them on."""
    prices = Cursors(settings)
    try:
        await asyncio.to_thread(names.load, settings.tickers)
        await _poll_all(partial(prices.load, settings.price_source))
    finally:
        prices.close()


async def _poll_all(positions: Positions) -> None:
    try:
        sources = await asyncio.to_thread(text_and_data_sources, settings, positions, names)
    except FinancialTrendsError as error:
        log.error("news, posts and economic series are off: %s", error)
        return
    await asyncio.gather(*(_schedule(source, Cursors(settings)).run() for source in sources))


def _schedule(source: Source, cursors: Cursors) -> Schedule:
    """Return what polls a source for TICKERS or FRED_SERIES, and what was followed since."""
    if source.topic is ECONOMIC_INDICATORS:
        keys = partial(followed.names, "series", settings.fred_series)
    else:
        keys = partial(followed.names, "ticker", settings.tickers)
    return Schedule(app, source, keys, services.partition_of, cursors)
