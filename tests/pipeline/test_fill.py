"""The initial load from Yahoo: what MongoDB does not have, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from pipeline.fill import Filled, Filler
from pipeline.fill_display import fill_progress
from sinks.bar_cursors import BarCursors
from sinks.base import Document
from sinks.documents import as_date, as_ms
from sources.token_bucket import TokenBucket
from sources.yahoo import YahooSource
from tests.deployment import Deployment
from tests.sources.conftest import ManualClock
from tests.sources.providers.yahoo import BROKEN, CHART, YahooServer, daily, seconds, utc_ms

pytestmark = pytest.mark.integration

#: From a Thursday to a Friday, two years later.
FIRST, DAYS = "2022-03-10", 522
NOW = "2024-03-08 12:00"


class Load:
    """Loads the history of one ticker as a run does, and stores what came as a worker does."""

    def __init__(self, deployment: Deployment, server: YahooServer, cache: Path) -> None:
        self.deployment = deployment
        self.server = server
        self.now = ManualClock(float(seconds(NOW)))
        self.cache = cache
        self.shown = ""

    def source(self, interval: str, **given: Any) -> YahooSource:
        return YahooSource(
            60.0,
            interval,
            cache_dir=self.cache,
            base_url=self.server.url,
            bucket=TokenBucket(1_000),
            now=self.now,
            **given,
        )

    def __call__(self, *intervals: str, **given: Any) -> Filled:
        settings = self.deployment.settings
        sources = [self.source(interval, **given) for interval in intervals or ("1d",)]
        cursors = [BarCursors(settings, each.bar_interval, 500) for each in sources]
        console = Console(force_terminal=False, width=120)
        with (
            self.deployment.producer() as producer,
            console.capture() as captured,
            fill_progress(console) as progress,
        ):
            filler = Filler(settings, producer, progress, Event())
            filled = filler.fill(list(zip(sources, cursors, strict=True)), ["AAPL"])
        self.shown = captured.get()
        for kept in cursors:
            kept.close()
        for source in sources:
            asyncio.run(source.close())
        return filled

    def asked(self) -> list[tuple[str, str]]:
        """The ranges asked for since the last question, as dates; yfinance has a now of its own."""
        polls = self.server.polls("AAPL")
        self.server.requests.clear()
        days = [(int(p.value("period1")), int(p.value("period2"))) for p in polls]
        return [
            (f"{as_date(a * 1000):%F}", "now" if b > self.now() else f"{as_date(b * 1000):%F}")
            for a, b in days
        ]

    def bars(self, interval: str = "1d") -> list[Document]:
        """The bars that are stored."""
        self.deployment.drained()
        where = {"ticker": "AAPL", "interval": interval}
        return list(self.deployment.database["stock_prices"].find(where).sort("time", 1))


@pytest.fixture
def load(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    with YahooServer() as server:
        server.charts["AAPL"] = daily(FIRST, DAYS)
        yield Load(deployment, server, tmp_path_factory.mktemp("yfinance"))


def test_only_missing_ranges_are_asked_for(load: Load) -> None:
    worker = load.deployment.start_worker()
    filled = load()
    assert (filled.bars, filled.late, filled.problems) == (DAYS - 1, [], [])
    assert f"AAPL 1d: {DAYS - 1} bars of history produced" in load.shown
    assert load.asked() == [("2019-03-05", "now")]
    stored = load.bars()
    assert len(stored) == DAYS - 1

    # The live part goes on where the history ends.
    cursors = BarCursors(load.deployment.settings, "1d", 500)
    assert cursors.load("yahoo", ["AAPL"]) == {"AAPL": utc_ms("2024-03-07")}
    # Also without a cursor, where enough bars are stored.
    load.deployment.database["source_cursors"].delete_one({"_id": "yahoo 1d|AAPL"})
    assert cursors.load("yahoo", ["AAPL", "MSFT"]) == {"AAPL": utc_ms("2024-03-07")}
    cursors.close()
    cursors = BarCursors(load.deployment.settings, "1d", DAYS)
    assert cursors.load("yahoo", ["AAPL"]) == {}
    cursors.close()

    # All is there: Yahoo's own holidays, and the years before its first bar, are not asked for.
    assert load().bars == 0
    assert load.asked() == []

    # One day is gone, and a day has passed.
    prices = load.deployment.database["stock_prices"]
    prices.delete_one({"time": as_date(utc_ms("2023-06-14"))})
    load.now.seconds = seconds("2024-03-08 23:00")
    filled = load()
    assert (filled.bars, filled.late) == (2, ["AAPL"])
    assert load.asked() == [("2023-06-14", "2023-06-15"), ("2024-03-08", "now")]
    assert len(load.bars()) == DAYS
    assert worker.stop() == 0


def test_several_intervals_and_a_short_period(load: Load) -> None:
    """At least 500 bars come, whatever the period says."""
    worker = load.deployment.start_worker()
    filled = load("1d", "1wk", period="30d")
    assert filled.problems == []
    assert len(load.bars("1d")) >= 500
    assert len(load.bars("1wk")) >= 50
    assert "AAPL 1wk:" in load.shown
    assert worker.stop() == 0


def test_what_fails_is_said_and_loaded_the_next_time(load: Load) -> None:
    worker = load.deployment.start_worker()
    load.server.on(CHART + "AAPL", BROKEN)
    filled = load()
    assert filled.bars == 0
    assert "AAPL 1d: Yahoo: AAPL: HTTP 500" in filled.problems[0]
    load.server.on(CHART + "AAPL", load.server.answer)
    assert load().bars == DAYS - 1
    assert as_ms(load.bars()[-1]["time"]) == utc_ms("2024-03-07")
    assert worker.stop() == 0
