"""The initial load of what is simulated beside the bars."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from config import read_settings
from pipeline import background
from pipeline.background import load_background, missing_background
from sinks import MongoSink, Origin
from sinks.documents import as_date
from sources import recorded
from tests.deployment import Deployment
from topics import FINANCIAL_NEWS, TWITTER_SENTIMENT


class AcknowledgingProducer:
    """Takes records and says that they arrived."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def produce_records(self, topic: Any, records: Any) -> int:
        self.calls.append((topic.name, len(records)))
        return len(records)


def test_a_load_goes_on_chunk_by_chunk_and_stops_between_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "CHUNK", 2)
    bars = recorded.bars("FB")
    loads: Any = [(FINANCIAL_NEWS, bars[:5]), (TWITTER_SENTIMENT, bars[:1])]
    producer: Any = AcknowledgingProducer()
    stop = Event()
    assert load_background(producer, loads, stop) == 6
    assert [count for _, count in producer.calls] == [2, 2, 1, 1]
    stop.set()
    assert load_background(producer, loads, stop) == 0


@pytest.mark.integration
def test_only_what_mongodb_does_not_have_is_missing(deployment: Deployment) -> None:
    settings = read_settings(
        **dict(deployment.settings)
        | {
            "tickers": ("AAPL", "FB"),
            "price_source": "replay",
            "simulate_missing": True,
            "skip_twitter": True,
            # One that nobody makes up costs the others nothing.
            "fred_series": ("GDP", "NOSUCH"),
        }
    )
    missing = {topic.name: records for topic, records in missing_background(settings)}
    assert set(missing) == {"financial-news", "reddit-sentiment", "economic-indicators"}
    assert all(missing.values())
    bars = recorded.bars("AAPL")
    live = as_date(bars[len(bars) * 2 // 3].time)
    earliest = as_date(bars[len(bars) * 2 // 3 - 60].time)
    for item in missing["financial-news"]:
        if item.ticker == "AAPL":
            assert earliest <= as_date(item.time) < live

    sink = MongoSink(settings)
    for name, records in missing.items():
        origin = Origin(name, 0, 0, b"", b"")
        sink.write([background._WRITES[name](record, origin) for record in records[1:]])
    sink.close()
    left = {topic.name: records for topic, records in missing_background(settings)}
    assert {name: len(records) for name, records in left.items()} == dict.fromkeys(missing, 1)
