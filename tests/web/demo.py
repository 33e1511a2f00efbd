"""Data for the page: recorded bars, and news, posts, economic series and trends that go with them.

Everything but the trends takes the program's own way, through Kafka and a worker.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from pymongo.database import Database

from config import Settings
from kafka_producer import FinancialDataProducer
from models import TREND, Trend
from sinks.base import Document
from sinks.documents import TREND_HISTORY, TRENDS, as_date
from sources import recorded

DAY_MS = 86_400_000

_HEADLINES = (
    "{0} beats estimates as services revenue climbs",
    "Analysts cut {0} price target on weak demand",
    "{0} announces record buyback, shares rally",
    "Regulators open inquiry into {0} licensing terms",
    "{0} extends supply agreement through next year",
    "{0} warns of slower growth in the coming quarter",
)
_POSTS = (
    "${0} looking strong into earnings, adding on dips",
    "sold half my ${0} today, this chart scares me",
    "${0} to the moon 🚀 best quarter in years",
    "Anyone else worried about ${0} margins? Terrible guidance",
    "holding ${0} for the dividend, nothing to see here",
)
#: Series: title, units, and two observations: (date, value, day of publication).
_SERIES: dict[str, tuple[str, str, tuple[tuple[str, float, str], ...]]] = {
    "UNRATE": (
        "Unemployment rate",
        "Percent",
        (("2013-01-01", 7.9, "2013-02-01"), ("2013-02-01", 7.7, "2013-03-08")),
    ),
    "FEDFUNDS": (
        "Federal funds rate",
        "Percent",
        (("2013-01-01", 0.14, "2013-02-01"), ("2013-02-01", 0.15, "2013-03-01")),
    ),
    "DGS10": (
        "10-year Treasury yield",
        "Percent",
        (("2013-02-28", 1.89, "2013-03-01"), ("2013-03-01", 1.86, "2013-03-04")),
    ),
    "CPIAUCSL": (
        "Consumer price index",
        "Index 1982-84=100",
        (("2012-12-01", 231.1, "2013-01-16"), ("2013-01-01", 231.3, "2013-02-21")),
    ),
    "VIXCLS": (
        "Volatility index",
        "Index",
        (("2013-02-28", 15.51, "2013-03-01"), ("2013-03-01", 15.36, "2013-03-04")),
    ),
}


def produce(settings: Settings, tickers: Sequence[str], *, texts: int = 40) -> int:
    """Produce everything but trends; returns how many messages were acknowledged."""
    chance = random.Random(7)
    sent = 0
    with FinancialDataProducer(settings) as producer:
        for ticker in tickers:
            bars = recorded.bars(ticker)
            end = bars[-1].time
            sent += producer.produce_stock_data(ticker, bars)
            moments = [end - int(chance.uniform(0, 90)) * DAY_MS for _ in range(3 * texts)]
            news = [
                {
                    "id": f"n{i}",
                    "title": chance.choice(_HEADLINES).format(ticker),
                    "time": moment + 50_000_000 + i,
                    "publisher": chance.choice(["Example Wire", "Market Post", "The Ticker"]),
                    "url": f"https://news.example/{ticker}/{i}",
                }
                for i, moment in enumerate(moments[:texts])
            ]
            sent += producer.produce_news_data(ticker, news)
            for number, produce_posts in enumerate(
                (producer.produce_twitter_sentiment, producer.produce_reddit_sentiment), 1
            ):
                posts = [
                    {
                        "id": f"p{i}",
                        "text": chance.choice(_POSTS).format(ticker),
                        "time": moment + 60_000_000 + i,
                        "author": f"trader{i}",
                        "engagement": float(i),
                    }
                    for i, moment in enumerate(moments[number * texts : (number + 1) * texts])
                ]
                sent += produce_posts(ticker, posts)
        for series, (title, units, rows) in _SERIES.items():
            observations = [
                {
                    "time": day,
                    "value": value,
                    "realtime_start": known,
                    "title": title,
                    "units": units,
                    "frequency": "Monthly",
                }
                for day, value, known in rows
            ]
            sent += producer.produce_economic_data(series, observations)
    return sent


def trend(ticker: str, time_ms: int, direction: str = "up", strength: float = 64.0) -> Trend:
    """Return a trend with all its components."""
    sign = {"up": 1, "down": -1, "sideways": 0.1}[direction]
    return TREND.parse(
        {
            "ticker": ticker,
            "time": time_ms,
            "version": 1,
            "direction": direction,
            "strength": strength,
            "confidence": 0.82,
            "components": {
                "price": round(0.71 * sign, 2),
                "momentum": round(0.48 * sign, 2),
                "volume": round(0.22 * sign, 2),
                "news": round(0.35 * sign, 2),
                "twitter": round(-0.12 * sign, 2),
                "reddit": round(0.18 * sign, 2),
                "macro": -0.05,
            },
            "weights": {
                "price": 0.35,
                "momentum": 0.2,
                "volume": 0.1,
                "news": 0.05,
                "twitter": 0.03,
                "reddit": 0.04,
                "macro": 0.05,
            },
            "reasons": [
                f"the price trend points {direction}: EMA 12 against EMA 26, ADX 31",
                "momentum agrees: RSI 61, MACD histogram rising",
                "news of the last hours is mostly good",
            ],
        }
    )


def store_trends(database: Database[Document], trends: Sequence[Trend]) -> None:
    """Write trends as the trend agent writes them: the latest, and the history."""
    for one in trends:
        fields = one.asdict() | {"time": as_date(one.time)}
        database[TRENDS].replace_one({"_id": one.ticker}, fields, upsert=True)
        key = f"{one.ticker}|{one.time}"
        database[TREND_HISTORY].replace_one({"_id": key}, fields, upsert=True)
