"""Every topic of the program, declared once: name, key, Record, retention.

All have the same number of partitions (``TOPIC_PARTITIONS``) and the same key, so that a ticker's
prices, posts, commands and table rows are all on one worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from models import (
    ALERT,
    BAR,
    BAR_SERIES,
    COMMAND,
    ECONOMIC_OBSERVATION,
    INDICATOR_SNAPSHOT,
    NEWS_ITEM,
    SERIES_UPDATE,
    SOCIAL_POST,
    TREND,
    Codec,
)

DAY_MS = 86_400_000


@dataclass(frozen=True)
class TopicSpec:
    """One topic as it must exist on the broker.

    ``codec`` is None where the value is no Record that agents consume. ``per_ticker`` says whether
    the topic can have views by ticker (``TOPIC_PER_TICKER``).
    """

    name: str
    codec: Codec[Any] | None
    config: dict[str, str] = field(default_factory=dict)
    per_ticker: bool = False


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


_COMPACTED = {"cleanup.policy": "compact"}

STOCK_PRICES = TopicSpec("stock-prices", BAR, _kept(7), per_ticker=True)
#: Prices, too, many bars a message: what was before. It is no news, and so has no views.
PRICE_HISTORY = TopicSpec("price-history", BAR_SERIES, _kept(7))
TECHNICAL_INDICATORS = TopicSpec(
    "technical-indicators", INDICATOR_SNAPSHOT, _kept(7), per_ticker=True
)
FINANCIAL_NEWS = TopicSpec("financial-news", NEWS_ITEM, _kept(7), per_ticker=True)
TWITTER_SENTIMENT = TopicSpec("twitter-sentiment", SOCIAL_POST, _kept(7), per_ticker=True)
REDDIT_SENTIMENT = TopicSpec("reddit-sentiment", SOCIAL_POST, _kept(7), per_ticker=True)
ECONOMIC_INDICATORS = TopicSpec("economic-indicators", ECONOMIC_OBSERVATION, _kept(30))
MACRO_BACKDROP = TopicSpec("macro-backdrop", SERIES_UPDATE, _COMPACTED)
TRENDS = TopicSpec("trends", TREND, _COMPACTED)
ALERTS = TopicSpec("alerts", ALERT, _kept(30))
COMMANDS = TopicSpec("commands", COMMAND, _kept(1))
DEAD_LETTERS = TopicSpec("dead-letters", None, _kept(30))


def durability(replicas: int) -> dict[str, str]:
    """Return what a topic of so many replicas is told, beside its own configuration.

    With three or more, a message is acknowledged only when two of them have it, so that the loss of
    any one broker loses nothing that was acknowledged.
    """
    return {"min.insync.replicas": "2"} if replicas >= 3 else {}


ALL_TOPICS = (
    STOCK_PRICES,
    PRICE_HISTORY,
    TECHNICAL_INDICATORS,
    FINANCIAL_NEWS,
    TWITTER_SENTIMENT,
    REDDIT_SENTIMENT,
    ECONOMIC_INDICATORS,
    MACRO_BACKDROP,
    TRENDS,
    ALERTS,
    COMMANDS,
    DEAD_LETTERS,
)

#: The six kinds of data, by the name that status displays show.
DATA_TOPICS = {
    "prices": STOCK_PRICES,
    "indicators": TECHNICAL_INDICATORS,
    "news": FINANCIAL_NEWS,
    "twitter": TWITTER_SENTIMENT,
    "reddit": REDDIT_SENTIMENT,
    "economy": ECONOMIC_INDICATORS,
}

#: All topics on which data come: that of each kind, and the history of prices.
INPUTS = (*DATA_TOPICS.values(), PRICE_HISTORY)

#: The topics that bring workers what they work on, by name. What they consume beside them
#: (`trends`, `alerts`) follows from it.
CONSUMED = (*(spec.name for spec in INPUTS), MACRO_BACKDROP.name, COMMANDS.name)


def ticker_topic(topic: str, ticker: str) -> str:
    """Return the name of the view of ``topic`` that holds ``ticker`` alone.

    Characters that Kafka does not allow in a topic's name become ``_`` and their hex code.

    >>> ticker_topic("stock-prices", "BRK-B"), ticker_topic("stock-prices", "^GSPC")
    ('stock-prices.BRK-B', 'stock-prices._5EGSPC')
    """
    safe = "".join(c if c.isalnum() or c in ".-" else f"_{ord(c):02X}" for c in ticker)
    return f"{topic}.{safe}"
