"""Commands to the owner of a ticker: rebuild it from its stored bars, follow it, unfollow it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from faust.types import StreamT

from agents.prices import PricesStage
from agents.services import Services
from agents.stage import Stage
from errors import InvalidRecord
from indicators import Ohlcv
from indicators.compiled import RowSet
from models import Command
from sinks import Mode, Origin, Write
from sinks.base import Document
from sinks.documents import STOCK_PRICES, as_ms
from sinks.history import StoredBars
from tables.followed import FollowedTable
from tables.indicator_state import MOST_INTERVALS, IntervalState
from topics import COMMANDS
from transport import Batch, BatchingApp

log = logging.getLogger(__name__)

#: Bars computed or stored in one go while other agents wait.
AT_ONCE = 1_000


class CommandsStage(Stage):
    """Carries commands out, one at a time; prices of the worker wait meanwhile.

    `recompute` reads all closed bars of the ticker from MongoDB, computes the indicators of each
    from the first on, stores them, and puts the state that results in place of the old one. Doing
    it again changes nothing. `follow` and `unfollow` go to the table that sources ask for their
    keys.
    """

    def __init__(
        self,
        services: Services,
        prices: PricesStage,
        history: StoredBars,
        followed: FollowedTable,
    ) -> None:
        super().__init__(services, "commands", COMMANDS, prices.writer)
        self.prices = prices
        self.history = history
        self.followed = followed

    async def process(self, batch: Batch) -> None:
        """Carry out the commands of a batch, unless it is void."""
        async with self.prices.turn:
            began = time.perf_counter()
            for message in batch.records:
                origin = Origin(*batch.tp, message.offset, message.key, message.value)
                try:
                    command = self.codec.decode(message.key, message.value)
                    self._check_partition(command, origin)
                except InvalidRecord as error:
                    if batch.current:
                        self.writer.submit([self.services.dead(origin, str(error), self.name)])
                    continue
                if command.action == "recompute":
                    await self._recompute(command, batch)
                elif batch.current:
                    follow = command.action == "follow"
                    place = (origin.partition, origin.offset)
                    self.followed.order(command.ticker, command.kind, follow, *place)
                    log.info("%sed %s %s", command.action, command.kind, command.ticker)
            if batch.current:
                self.services.outbox.post()
                self.services.counts[self.name, "received"] += len(batch.records)
                batch.done()
                self._meter.took(len(batch.records), 0.0, time.perf_counter() - began)

    def _check_partition(self, command: Command, origin: Origin) -> None:
        own = self.services.partition_of(command.ticker)
        if origin.partition != own:
            raise InvalidRecord(
                "partition",
                origin.partition,
                f"commands for {command.ticker} go to {own} (murmur2)",
            )

    async def _recompute(self, command: Command, batch: Batch) -> None:
        await self.writer.flushed(self.writer.cut())
        found = await asyncio.to_thread(self.history.closed_bars, command.ticker)
        table = self.prices.table
        rebuilt: dict[str, IntervalState] = {}
        bars = 0
        for chunk in _chunks(found):
            writes = []
            for bar in chunk:
                name: str = bar["interval"]
                if name not in rebuilt:
                    if len(rebuilt) == MOST_INTERVALS:
                        continue  # came on a wrong partition: state was never kept of it
                    rebuilt[name] = IntervalState(RowSet(table.indicators))
                writes.append(_take_in(rebuilt[name], bar))
            await self.writer.ready()
            if not batch.current:
                return
            self.writer.submit(writes)
            bars += len(chunk)
        if not batch.current:
            return
        state = table.of(command.ticker, batch.tp.partition)
        state.intervals = rebuilt
        table.mark_dirty(command.ticker)
        self.prices.trends.mark(command.ticker, batch.tp.partition)
        log.info("recomputed %s: %d bars of %s", command.ticker, bars, ", ".join(rebuilt) or "none")


def _take_in(state: IntervalState, bar: Document) -> Write:
    prices = Ohlcv(bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"])
    # The bar itself is stored; only what is computed at it changes.
    values: Document = {"indicators": state.advance(prices, as_ms(bar["time"]))}
    return Write(STOCK_PRICES, bar["_id"], values, Mode.UPDATE_ONLY)


def _chunks(bars: Sequence[Document]) -> Iterable[Sequence[Document]]:
    return (bars[start : start + AT_ONCE] for start in range(0, len(bars), AT_ONCE))


def attach(app: BatchingApp, services: Services, prices: PricesStage) -> FollowedTable:
    """Declare the agent of ``commands``; returns the table of what is followed."""
    followed = FollowedTable(app)
    app.checkpoints.register_state(followed)
    stage = CommandsStage(services, prices, StoredBars(services.settings), followed)

    @app.agent(app.batched_topic(COMMANDS.name), name="commands")
    async def commands(stream: StreamT[Any]) -> None:
        """Commands: rebuild a ticker from its stored bars, follow it, unfollow it."""
        await stage.run(stream)

    return followed
