"""Silence: looks, once a second, whether a source that a rule listens to has stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from faust.types import TP

from agents.alerts import Alerts, Silent
from alerts import Rule
from alerts.language import Silence
from sources.market_hours import after_trading
from topics import (
    FINANCIAL_NEWS,
    PRICE_HISTORY,
    REDDIT_SENTIMENT,
    STOCK_PRICES,
    TWITTER_SENTIMENT,
)
from transport import BatchingApp

#: Pause between two looks, in seconds.
LOOK_S = 1.0

#: The topics on which sources are heard.
HEARD_ON = (STOCK_PRICES, PRICE_HISTORY, FINANCIAL_NEWS, TWITTER_SENTIMENT, REDDIT_SENTIMENT)


class Quiet(NamedTuple):
    """A source that was heard so long ago that it may be silent for too long.

    ``heard`` is when, ms since the epoch, ``limit`` the longest silence, ms; ``of_prices`` whether
    only the hours count in which the ticker is traded.
    """

    ticker: str
    partition: int
    rule: Rule
    source: str
    heard: int
    limit: int
    of_prices: bool


class Silences:
    """Finds what has become silent among the tickers of this worker's partitions.

    A partition with messages that are not worked through yet is left alone: the source may have
    spoken in them.
    """

    def __init__(self, app: BatchingApp, alerts: Alerts) -> None:
        self._app: Any = app
        self._alerts = alerts

    async def run(self) -> None:
        """Look until the app stops."""
        if not self._alerts.book.silences:
            return
        while not self._app.should_stop:
            await self._app.sleep(LOOK_S)
            now = int(time.time() * 1000)
            # The calendar of a market takes its time, the first time.
            epoch = self._app.consumer.epoch
            found = await asyncio.to_thread(overdue, list(self._quiet(now)), now)
            if found and self._app.consumer.epoch == epoch:
                self._alerts.silent(found)

    def _quiet(self, now: int) -> Iterable[Quiet]:
        if self._app.rebalancing or self._app.in_recovery:
            return
        consumer = self._app.consumer
        owned = {tp.partition for tp in consumer.assignment() if tp.topic == STOCK_PRICES.name}
        for partition in owned:
            if all(consumer.caught_up(TP(topic.name, partition)) for topic in HEARD_ON):
                for ticker in list(self._alerts.table.known(partition)):
                    yield from quiet(self._alerts, ticker, partition, now)


def quiet(alerts: Alerts, ticker: str, partition: int, now: int) -> Iterable[Quiet]:
    """Return what may have become silent of a ticker, but for what has fired already."""
    state = alerts.table.find(ticker, partition)
    if state is None:
        return
    for rule in alerts.book.silences:
        if not rule.is_for(ticker) or not isinstance(rule.condition, Silence):
            continue
        source, limit = rule.condition.source, rule.condition.longer_than_ms
        if (last := state.heard.get(source)) is None:
            continue
        heard, of_prices = last
        if now - heard > limit and not state.knows_silence(rule, heard):
            yield Quiet(ticker, partition, rule, source, heard, limit, of_prices)


def overdue(found: Iterable[Quiet], now: int) -> list[Silent]:
    """Return what is silent for too long, by the hours of its market if it has some. Blocking."""
    late = []
    for one in found:
        due = one.heard + one.limit
        if one.of_prices:
            due = after_trading(one.ticker, one.heard, one.limit)
        if due < now:
            late.append(Silent(one.ticker, one.partition, one.rule, one.source, one.heard, due))
    return late
