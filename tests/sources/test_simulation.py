"""Which kinds are simulated, and which are not."""

from __future__ import annotations

from typing import Any

import pytest

from config import Settings, read_settings
from sources.market_path import RecordedPath, SimulatedPath
from sources.registry import text_and_data_sources
from sources.simulated_text import SimulatedText
from sources.simulation import simulated_sources, wanted
from topics import ECONOMIC_INDICATORS, FINANCIAL_NEWS, REDDIT_SENTIMENT, TWITTER_SENTIMENT

ALL = {"news", "reddit", "twitter", "economy"}


def settings(**given: Any) -> Settings:
    """Settings of a simulation of one ticker."""
    usual = {"tickers": "AAPL", "price_source": "simulated", "simulate_missing": True}
    return read_settings(**{**usual, **given})


def kinds(**given: Any) -> set[str]:
    """The kinds that are simulated."""
    return set(simulated_sources(settings(**given), lambda _: {}))


def test_all_kinds_are_simulated_beside_prices_that_are_known_ahead() -> None:
    assert kinds() == ALL
    assert kinds(price_source="replay") == ALL
    assert kinds(simulate_missing=False) == set()


@pytest.mark.parametrize(
    ("skip", "kind"),
    [
        ("skip_news", "news"),
        ("skip_reddit", "reddit"),
        ("skip_twitter", "twitter"),
        ("skip_economic", "economy"),
    ],
)
def test_each_is_turned_off_by_its_own_setting(skip: str, kind: str) -> None:
    assert kinds(**{skip: True}) == ALL - {kind}
    assert set(wanted(settings(**{skip: True}))) == ALL - {kind}


@pytest.mark.parametrize(
    ("configured", "kind", "live"),
    [
        ({"news_source": "rss"}, "news", "rss"),
        ({"reddit_client_id": "i", "reddit_client_secret": "s"}, "reddit", "reddit"),
        ({"twitter_bearer_token": "t"}, "twitter", "twitter"),
        ({"fred_api_key": "0" * 32}, "economy", "fred"),
    ],
)
def test_a_provider_goes_before_a_simulation(
    configured: dict[str, str], kind: str, live: str
) -> None:
    assert kinds(**configured) == ALL - {kind}
    on = text_and_data_sources(settings(**configured), lambda _: {})
    names = {source.name for source in on}
    assert live in names
    assert len(names) == len(on) == 4
    assert sum(name.startswith("simulated-") for name in names) == 3


def test_half_a_credential_configures_nothing() -> None:
    assert "reddit" in kinds(reddit_client_id="i")


@pytest.mark.parametrize("source", ["yahoo", "none"])
def test_live_prices_are_not_known_ahead(source: str, caplog: pytest.LogCaptureFixture) -> None:
    assert kinds(price_source=source) == set()
    assert [
        record for record in caplog.records if "SIMULATE_MISSING has no effect" in record.message
    ]


def test_without_recorded_bars_of_that_length_there_is_nothing_to_write_about() -> None:
    assert kinds(price_source="replay", bar_interval="1m") == set()


def test_the_sources_follow_the_settings() -> None:
    made = simulated_sources(settings(poll_interval_s=3, price_source="replay"), lambda _: {})
    topics = {kind: source.topic for kind, source in made.items()}
    assert topics == {
        "news": FINANCIAL_NEWS,
        "reddit": REDDIT_SENTIMENT,
        "twitter": TWITTER_SENTIMENT,
        "economy": ECONOMIC_INDICATORS,
    }
    assert {source.interval for source in made.values()} == {3}
    # Each path has its own time, so a cursor of one must not hold up the other.
    assert {source.name for source in made.values()} == {f"replay-{kind}" for kind in ALL}
    assert {source.name for source in simulated_sources(settings(), lambda _: {}).values()} == {
        f"simulated-{kind}" for kind in ALL
    }


async def test_seed_interval_and_authors_reach_the_texts() -> None:
    given = settings(
        simulated_seed=7, bar_interval="5m", social_authors=False, price_source="simulated"
    )
    made = simulated_sources(given, lambda _: {})["twitter"]
    assert isinstance(made, SimulatedText)
    path = made._path
    assert isinstance(path, SimulatedPath)
    assert not isinstance(path, RecordedPath)
    assert path.close("A", 5) == SimulatedPath(7, "5m").close("A", 5)
    assert path.interval == "5m"
    past = await made.history(["A"])
    assert past["A"]
    assert all(post.author is None for post in past["A"])
