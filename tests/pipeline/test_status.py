"""The numbers and the headlines, from real servers."""

from __future__ import annotations

from typing import Any

import pytest

from models import NEWS_ITEM
from pipeline.status import Gauges, Headline
from sinks import MongoSink, Origin
from sinks.documents import as_date, news_write
from tests.deployment import Deployment

pytestmark = pytest.mark.integration

MS = 1_700_000_000_000


def item(ticker: str, number: int, **fields: Any) -> dict[str, Any]:
    """A news item of that many minutes after :data:`MS`."""
    usual = {"title": f"Story {number}", "source": "test", "sentiment": 0.5, "ingested": MS}
    return {"ticker": ticker, "id": f"n{number}", "time": MS + number * 60_000, **usual, **fields}


def test_the_latest_headline_of_each_ticker_that_has_one(deployment: Deployment) -> None:
    items = [
        item("AAPL", 2, title="The latest"),
        item("AAPL", 1),
        item("IBM", 3, sentiment=None),
        item("OTHER", 4),
    ]
    sink = MongoSink(deployment.settings)
    origin = Origin("financial-news", 0, 0, b"", b"")
    sink.write([news_write(NEWS_ITEM.parse(fields), origin) for fields in items])
    sink.close()
    with Gauges(deployment.settings, ["AAPL", "IBM", "FB"]) as gauges:
        reading = gauges.read()
    assert reading.headlines == {
        "AAPL": Headline("AAPL", as_date(MS + 120_000), "The latest", 0.5),
        "IBM": Headline("IBM", as_date(MS + 180_000), "Story 3", None),
    }
    assert reading.data["news"].stored == 4
