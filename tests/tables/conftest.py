"""An app without a broker, and events as recovery brings them."""

from __future__ import annotations

import pytest
from faust.types import EventT
from faust.types.tuples import Message

from indicators import parse
from tables.checkpointed import CheckpointedTable
from tables.indicators import IndicatorTable
from transport import BatchingApp

SPECIFICATION = parse("sma 2, rsi 14, obv")


@pytest.fixture
def app() -> BatchingApp:
    """An app that is never started."""
    return BatchingApp("test", broker="kafka://127.0.0.1:1", store="memory://")


@pytest.fixture
def table(app: BatchingApp) -> IndicatorTable:
    """An empty table."""
    return IndicatorTable(app, SPECIFICATION)


def changelog(
    table: CheckpointedTable, *rows: tuple[str, bytes | None], partition: int = 0
) -> list[EventT[str]]:
    """The events of a changelog partition that holds these rows."""
    topic = table.changelog_topic.get_topic_name()
    events = []
    for offset, (key, value) in enumerate(rows):
        message = Message(topic, partition, offset, 0.0, 0, [], key.encode(), value, None)
        events.append(table.app.create_event(key, value, {}, message))
    return events
