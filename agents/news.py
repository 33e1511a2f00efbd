"""News: judge each item that comes without a sentiment, store it once, add up what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from agents.alerts import Alerts
from agents.opinion import opinion
from agents.sentiment import SentimentStage
from agents.services import Services
from agents.trends import Trends
from models import NewsItem
from sinks import Origin, Write
from sinks.documents import news_write
from tables.sentiment import SentimentTable
from topics import FINANCIAL_NEWS
from transport import BatchingApp


def text(item: NewsItem) -> str:
    """Return what is judged of an item."""
    return f"{item.title}. {item.summary}"


def to_writes(item: NewsItem, origin: Origin) -> Sequence[Write]:
    """Return the write of one item."""
    item.sentiment = opinion(item.sentiment, text(item))
    return [news_write(item, origin)]


def attach(
    app: BatchingApp,
    services: Services,
    table: SentimentTable,
    trends: Trends,
    alerts: Alerts | None = None,
) -> None:
    """Declare the agent of ``financial-news``; ``alerts`` where rules are about news."""
    stage = SentimentStage(
        services,
        "news",
        FINANCIAL_NEWS,
        text=text,
        to_writes=to_writes,
        # Nobody tells how many have read an item.
        weight=lambda _: 1.0,
        table=table,
        trends=trends,
        alerts=alerts,
    )
    app.checkpoints.register_state(table)

    @app.agent(app.batched_topic(FINANCIAL_NEWS.name), name="news")
    async def news(stream: StreamT[Any]) -> None:
        """News items: collection `news`, table `news_sentiment`."""
        await stage.run(stream)
