"""Texts about a ticker: judge each, store it, and keep what they say together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord

from agents.alerts import Alerts
from agents.opinion import opinion
from agents.services import Services
from agents.stage import Stage
from agents.trends import Trends
from models import INTEGRATION_TEST
from sinks import Origin, Write
from tables.sentiment import SentimentTable
from topics import TopicSpec

#: Judging takes 1 to 2 us a letter, and a batch has up to a megabyte: with more letters than these
#: it is done in a thread, as the page and the sources would wait.
MOST_AT_ONCE = 10_000


class SentimentStage(Stage):
    """Stores the texts of one topic and applies them to the rolling sentiment of their ticker.

    A message at or below the offset that the state has seen is a redelivery; a text that comes
    again under a new offset does not count again (see indicators.rolling_sentiment).

    Args:
        services: what the worker's agents share.
        name: the agent's name.
        topic: what it reads.
        text: what is judged of a Record that comes without a sentiment.
        to_writes: what to store of one text; afterwards the Record has its sentiment.
        weight: how much a text counts.
        table: where the sentiment is kept.
        trends: what is told of tickers that changed.
        alerts: where rules are about texts, who looks at them.
    """

    def __init__(
        self,
        services: Services,
        name: str,
        topic: TopicSpec,
        *,
        text: Callable[[Any], str],
        to_writes: Callable[[Any, Origin], Sequence[Write]],
        weight: Callable[[Any], float],
        table: SentimentTable,
        trends: Trends,
        alerts: Alerts | None = None,
    ) -> None:
        super().__init__(services, name, topic)
        self.table = table
        self.trends = trends
        self._alerts = alerts
        self._to_writes = to_writes
        self._weight = weight
        self._text = text
        #: What was judged beforehand, by partition and offset.
        self._judged: dict[tuple[int, int], Any] = {}

    async def prepare(self, messages: Sequence[ConsumerRecord]) -> None:
        """Judge the texts of a large batch."""
        self._judged = {}
        if sum(len(message.value or b"") for message in messages) > MOST_AT_ONCE:
            self._judged = await asyncio.to_thread(self._judge, messages)

    def decode(self, message: ConsumerRecord) -> Any:
        """Return the Record that a message holds; see :meth:`agents.stage.Stage.decode`."""
        judged = self._judged.pop((message.partition, message.offset), None)
        return super().decode(message) if judged is None else judged

    def _judge(self, messages: Sequence[ConsumerRecord]) -> dict[tuple[int, int], Any]:
        """Return the Records of ``messages`` with their sentiment; blocks."""
        judged = {}
        for message in messages:
            try:
                record = super().decode(message)
                record.sentiment = opinion(record.sentiment, self._text(record))
            except Exception:  # noqa: BLE001, S112 - it is set aside in its turn
                continue
            judged[message.partition, message.offset] = record
        return judged

    def apply(self, record: Any, origin: Origin) -> Sequence[Write]:
        """Apply one text (see the class)."""
        writes = self._to_writes(record, origin)
        if record.source == INTEGRATION_TEST or not self.routed(record.ticker, origin):
            return writes
        self.trends.mark(record.ticker, origin.partition)
        state = self.table.of(record.ticker, origin.partition)
        if origin.offset <= state.offset:
            self.count("redelivered")
            return writes
        fresh = state.rolling.add(record.id, record.time, record.sentiment, self._weight(record))
        self.count("applied" if fresh else "repeated")
        state.offset = origin.offset
        self.table.mark_dirty(record.ticker)
        if fresh and self._alerts is not None:
            return [*writes, *self._alerts.text(self.name, record, state.rolling, origin)]
        return writes
