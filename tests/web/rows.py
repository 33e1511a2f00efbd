"""Documents for the tests of the API, made from Records as the program makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo.database import Database

from models import ALERT, ECONOMIC_OBSERVATION, NEWS_ITEM, SOCIAL_POST
from sinks.base import Document, Origin, Write
from sinks.documents import alert_write, bar_write, news_write, observation_write, post_write
from tests.deployment import bar

NOWHERE = Origin("none", 0, 0, None, None)
START_MS = 1_704_067_200_000  # 2024-01-01
MINUTE_MS = 60_000
DAY_MS = 86_400_000


def put(store: Database[Document], writes: Iterable[Write]) -> None:
    """Write documents as the sink does."""
    for write in writes:
        store[write.collection].replace_one({"_id": write.id}, write.document, upsert=True)


def put_bars(
    store: Database[Document],
    ticker: str,
    closes: Sequence[float],
    *,
    interval: str = "1d",
    step_ms: int = DAY_MS,
    **fields: Any,
) -> None:
    """Store bars with these closes, one step apart, with two indicators each."""
    put(
        store,
        (
            bar_write(
                bar(ticker, START_MS + i * step_ms, close, interval=interval, **fields),
                NOWHERE,
                {"rsi": 50.0 + i, "sma": None if i == 0 else close},
            )
            for i, close in enumerate(closes)
        ),
    )


def news(ticker: str, name: str, time_ms: int, **fields: Any) -> Write:
    """Return the write of a news item."""
    given = {"ticker": ticker, "id": name, "time": time_ms, "title": f"title {name}"}
    usual = {"source": "test", "ingested": time_ms}
    return news_write(NEWS_ITEM.parse(given | usual | fields), NOWHERE)


def post(ticker: str, platform: str, name: str, time_ms: int, **fields: Any) -> Write:
    """Return the write of a post."""
    given = {"ticker": ticker, "platform": platform, "id": name, "time": time_ms}
    usual = {"text": f"text {name}", "source": "test", "ingested": time_ms}
    return post_write(SOCIAL_POST.parse(given | usual | fields), NOWHERE)


def alert(
    ticker: str,
    rule: str,
    time_ms: int,
    deliveries: Mapping[str, str] | None = None,
    **fields: Any,
) -> Write:
    """Return the write of an alert about a daily bar."""
    given = {
        "ticker": ticker,
        "id": f"{ticker}|{rule}|1d|{time_ms}",
        "rule": rule,
        "time": time_ms,
        "interval": "1d",
        "severity": "warning",
        "message": f"{ticker}: {rule}",
        "condition": "rsi < 30",
        "values": {"rsi": 28.5, "news.latest": None},
        "ingested": time_ms + 1,
    }
    return alert_write(ALERT.parse(given | fields).asdict(), deliveries)


def observation(series: str, time_ms: int, value: float, known_ms: int, **fields: Any) -> Write:
    """Return the write of an observation."""
    given = {"series": series, "time": time_ms, "value": value, "realtime_start": known_ms}
    usual = {"source": "test", "ingested": known_ms}
    return observation_write(ECONOMIC_OBSERVATION.parse(given | usual | fields), NOWHERE)
