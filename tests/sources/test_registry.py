"""From the settings to the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from config import read_settings
from errors import ConfigurationError
from sources.base import BarProvider
from sources.registry import price_source, price_sources, text_and_data_sources
from sources.replay import ReplaySource
from sources.simulated import SimulatedSource
from topics import STOCK_PRICES


def test_replay() -> None:
    source = price_source(
        read_settings(price_source="replay", bar_interval="1d", poll_interval_s=3)
    )
    assert isinstance(source, ReplaySource)
    assert source.interval == 3


async def test_simulated_follows_the_settings() -> None:
    settings = read_settings(price_source="simulated", simulated_seed=7, bar_interval="5m")
    source = price_source(settings)
    assert isinstance(source, SimulatedSource)
    past = (await source.history(["A"]))["A"]
    assert past[0].interval == "5m"
    expected = await SimulatedSource(1, 7, "5m").history(["A"])
    assert [bar.close for bar in past] == [bar.close for bar in expected["A"]]


def test_none() -> None:
    assert price_source(read_settings(price_source="none")) is None


def test_yahoo() -> None:
    source = price_source(read_settings(price_source="yahoo", poll_interval_s=60))
    assert source is not None
    assert (source.name, source.interval, source.topic) == ("yahoo", 60, STOCK_PRICES)


def test_yahoo_has_several_lengths_of_bars() -> None:
    settings = read_settings(price_source="yahoo", more_bar_intervals="1h,1d,1h")
    sources_and_cursors = price_sources(settings)
    for _, cursors in sources_and_cursors:
        cursors.close()
    found = [source for source, _ in sources_and_cursors]
    assert all(isinstance(source, BarProvider) for source in found)
    assert [source.bar_interval for source in found if isinstance(source, BarProvider)] == [
        "1d",
        "1h",
    ]
    with pytest.raises(ConfigurationError, match="MORE_BAR_INTERVALS is '7m'"):
        price_source(read_settings(price_source="yahoo", more_bar_intervals="7m"))


def nowhere(_: Sequence[str]) -> dict[str, int]:
    """How far prices are before the first one."""
    return {}


def sources(**settings: Any) -> list[str]:
    """The names of the sources of text and data that are on."""
    found = text_and_data_sources(read_settings(tickers="AAPL,MSFT", **settings), nowhere)
    return [source.name for source in found]


def test_without_credentials_nothing_but_prices(caplog: pytest.LogCaptureFixture) -> None:
    """One line for each, which names what is missing."""
    caplog.set_level("INFO")
    assert sources() == []
    for name in ("REDDIT_CLIENT_ID", "TWITTER_BEARER_TOKEN", "FRED_API_KEY"):
        assert sum(name in record.message for record in caplog.records) == 1, name


def test_with_credentials_every_source_is_on_unless_it_is_skipped() -> None:
    credentials = {
        "reddit_client_id": "id",
        "reddit_client_secret": "secret",
        "twitter_bearer_token": "token",
        "fred_api_key": "0" * 32,
    }
    assert sources(news_source="rss", **credentials) == ["rss", "reddit", "twitter", "fred"]
    skipped = {f"skip_{kind}": True for kind in ("news", "reddit", "twitter", "economic")}
    assert sources(news_source="rss", **credentials, **skipped) == []


def test_a_replay_has_daily_bars_only() -> None:
    with pytest.raises(ConfigurationError, match=r"BAR_INTERVAL is '1m'.*BAR_INTERVAL=1d"):
        price_source(read_settings(price_source="replay", bar_interval="1m"))
