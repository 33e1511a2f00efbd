"""The topics: their names, what they hold, and the views by ticker."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import topics
from models.rules import TICKER_PATTERN
from tests.models.samples import CODECS
from topics import ALL_TOPICS, DATA_TOPICS, TopicSpec, durability, ticker_topic

#: What Kafka takes as a topic's name.
LEGAL = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")

DAY_MS = 86_400_000
DELETED_AFTER_DAYS = {
    "stock-prices": 7,
    "price-history": 7,
    "technical-indicators": 7,
    "financial-news": 7,
    "twitter-sentiment": 7,
    "reddit-sentiment": 7,
    "economic-indicators": 30,
    "alerts": 30,
    "commands": 1,
    "dead-letters": 30,
}
COMPACTED = {"macro-backdrop", "trends"}

tickers = st.from_regex(TICKER_PATTERN, fullmatch=True)


def test_every_topic_is_declared_once() -> None:
    declared = [value for value in vars(topics).values() if isinstance(value, TopicSpec)]
    assert sorted(spec.name for spec in declared) == sorted(spec.name for spec in ALL_TOPICS)
    assert {spec.name for spec in ALL_TOPICS} == DELETED_AFTER_DAYS.keys() | COMPACTED
    assert len({spec.name for spec in ALL_TOPICS}) == len(ALL_TOPICS)
    assert all(LEGAL.fullmatch(spec.name) for spec in ALL_TOPICS)


@pytest.mark.parametrize("spec", ALL_TOPICS, ids=lambda spec: spec.name)
def test_how_long_messages_are_kept(spec: TopicSpec) -> None:
    if spec.name in COMPACTED:
        assert spec.config == {"cleanup.policy": "compact"}
    else:
        kept_ms = DELETED_AFTER_DAYS[spec.name] * DAY_MS
        assert spec.config == {"cleanup.policy": "delete", "retention.ms": str(kept_ms)}


def test_which_record_each_topic_holds() -> None:
    assert {spec.name: spec.codec and spec.codec.name for spec in ALL_TOPICS} == {
        "stock-prices": "Bar",
        "price-history": "BarSeries",
        "technical-indicators": "IndicatorSnapshot",
        "financial-news": "NewsItem",
        "twitter-sentiment": "SocialPost",
        "reddit-sentiment": "SocialPost",
        "economic-indicators": "EconomicObservation",
        "macro-backdrop": "SeriesUpdate",
        "trends": "Trend",
        "alerts": "Alert",
        "commands": "Command",
        "dead-letters": None,
    }
    assert {spec.codec.name for spec in ALL_TOPICS if spec.codec is not None} == CODECS.keys()


def test_data_by_ticker_can_have_views_by_ticker() -> None:
    views = {spec.name for spec in ALL_TOPICS if spec.per_ticker}
    by_ticker = [spec for spec in DATA_TOPICS.values() if spec.codec and spec.codec.key == "ticker"]
    assert views == {spec.name for spec in by_ticker}


@pytest.mark.parametrize(
    ("ticker", "name"),
    [
        ("AAPL", "stock-prices.AAPL"),
        ("BRK-B", "stock-prices.BRK-B"),
        ("BRK.B", "stock-prices.BRK.B"),
        ("^GSPC", "stock-prices._5EGSPC"),
        ("EURUSD=X", "stock-prices.EURUSD_3DX"),
        ("M&M.NS", "stock-prices.M_26M.NS"),
        ("7203.T", "stock-prices.7203.T"),
    ],
)
def test_the_view_of_a_ticker(ticker: str, name: str) -> None:
    assert ticker_topic("stock-prices", ticker) == name


@given(tickers)
def test_the_view_of_any_ticker_has_a_legal_name(ticker: str) -> None:
    longest = max((spec.name for spec in ALL_TOPICS), key=len)
    assert LEGAL.fullmatch(ticker_topic(longest, ticker))


@given(st.lists(tickers, unique=True, min_size=2, max_size=20))
def test_distinct_tickers_have_distinct_views(names: list[str]) -> None:
    assert len({ticker_topic("t", name) for name in names}) == len(names)


@given(st.sampled_from(ALL_TOPICS), tickers)
def test_no_view_has_the_name_of_a_topic(spec: TopicSpec, ticker: str) -> None:
    assert ticker_topic(spec.name, ticker) not in {one.name for one in ALL_TOPICS}


@pytest.mark.parametrize(
    ("replicas", "config"),
    [(1, {}), (2, {}), (3, {"min.insync.replicas": "2"}), (5, {"min.insync.replicas": "2"})],
)
def test_two_replicas_must_have_a_message_where_there_are_three(
    replicas: int, config: dict[str, str]
) -> None:
    assert durability(replicas) == config
