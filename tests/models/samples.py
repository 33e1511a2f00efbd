"""One good message of every kind of Record."""

from __future__ import annotations

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

#: 2024-01-05 00:00 UTC.
TIME = 1_704_412_800_000

FIELDS: dict[str, dict[str, Any]] = {
    "Bar": {
        "ticker": "AAPL",
        "interval": "1d",
        "time": TIME,
        "open": 181.99,
        "high": 182.76,
        "low": 180.17,
        "close": 181.18,
        "volume": 62_303_300.0,
        "source": "test",
        "ingested": TIME + 1,
        "adjusted_close": 180.2,
        "closed": False,
    },
    "BarSeries": {
        "ticker": "AAPL",
        "interval": "1d",
        "source": "test",
        "ingested": TIME + 1,
        "time": [TIME - 86_400_000, TIME],
        "open": [184.22, 181.99],
        "high": [185.88, 182.76],
        "low": [183.43, 180.17],
        "close": [184.25, 181.18],
        "volume": [58_414_500.0, 62_303_300.0],
        "adjusted_close": [None, 180.2],
    },
    "IndicatorSnapshot": {
        "ticker": "AAPL",
        "interval": "5m",
        "time": TIME,
        "values": {"rsi": 41.5, "macd": None},
        "source": "test",
        "closed": True,
    },
    "NewsItem": {
        "ticker": "BRK-B",
        "id": "story-1",
        "time": TIME,
        "title": "Ein Überraschungsgewinn 📈",
        "source": "test",
        "ingested": TIME + 1,
        "summary": "More\nthan one line",
        "url": "https://news.example/1",
        "publisher": "Example News",
        "sentiment": 0.25,
    },
    "SocialPost": {
        "ticker": "^GSPC",
        "platform": "reddit",
        "id": "t3_1",
        "time": TIME,
        "text": "to the moon",
        "source": "test",
        "ingested": TIME + 1,
        "author": "somebody",
        "sentiment": -1.0,
        "engagement": 12.0,
        "url": "https://posts.example/1",
    },
    "EconomicObservation": {
        "series": "UNRATE",
        "time": -TIME,
        "value": -3.7,
        "realtime_start": TIME,
        "source": "test",
        "ingested": TIME + 1,
        "title": "Unemployment Rate",
        "units": "Percent",
        "frequency": "Monthly",
    },
    "SeriesUpdate": {
        "series": "GDP",
        "time": TIME,
        "observations": [
            {"time": TIME, "realtime_start": TIME + 1, "ingested": TIME + 2, "value": 2.5},
            {"time": -TIME, "realtime_start": TIME, "ingested": TIME, "value": -1.0},
        ],
    },
    "Alert": {
        "ticker": "AAPL",
        "id": "AAPL|oversold|1d|1704412800000",
        "rule": "oversold",
        "time": TIME,
        "interval": "1d",
        "severity": "warning",
        "message": "AAPL: RSI 28.4",
        "condition": "rsi < 30",
        "values": {"rsi": 28.4, "sma": None, "trend": "up"},
        "ingested": TIME + 1,
    },
    "Command": {"ticker": "AAPL", "action": "follow", "time": TIME, "kind": "ticker"},
    "Trend": {
        "ticker": "AAPL",
        "time": TIME,
        "version": 17,
        "direction": "up",
        "strength": 63.0,
        "confidence": 0.8,
        "components": {"momentum": 0.4, "news": -0.1},
        "weights": {"momentum": 0.2, "news": 0.08},
        "reasons": ["RSI is rising"],
    },
}

CODECS: dict[str, Codec[Any]] = {
    codec.name: codec
    for codec in (
        BAR,
        BAR_SERIES,
        INDICATOR_SNAPSHOT,
        NEWS_ITEM,
        SOCIAL_POST,
        ECONOMIC_OBSERVATION,
        SERIES_UPDATE,
        ALERT,
        COMMAND,
        TREND,
    )
}
