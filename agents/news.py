"""News: judge each item that comes without a sentiment, store it once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from agents.opinion import opinion
from agents.services import Services
from agents.stage import StoringStage
from models import NewsItem
from sinks import Origin, Write
from sinks.documents import news_write
from topics import FINANCIAL_NEWS
from transport import BatchingApp


def to_writes(item: NewsItem, origin: Origin) -> Sequence[Write]:
    """Return the write of one item."""
    item.sentiment = opinion(item.sentiment, f"{item.title}. {item.summary}")
    return [news_write(item, origin)]


def attach(app: BatchingApp, services: Services) -> None:
    """Declare the agent of ``financial-news``."""
    stage = StoringStage(services, "news", FINANCIAL_NEWS, to_writes)

    @app.agent(app.batched_topic(FINANCIAL_NEWS.name), name="news")
    async def news(stream: StreamT[Any]) -> None:
        """News items: collection `news`."""
        await stage.run(stream)
