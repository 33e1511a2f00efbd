"""News about a ticker."""

from __future__ import annotations

from typing import Optional

import faust

from models import rules
from models.codec import Codec


class NewsItem(faust.Record, namespace="financial_trends.NewsItem", include_metadata=False):
    """One story about one ticker; a story about two tickers is two items with one ``id``.

    ``time`` is when it was published, ms since the epoch, UTC; ``sentiment`` is in -1..1, None
    where nobody judged it.
    """

    ticker: str
    id: str
    time: int
    title: str
    source: str
    ingested: int
    summary: str = ""
    url: str = ""
    publisher: str = ""
    sentiment: Optional[float] = None  # noqa: UP045 - Faust reads Optional, not unions


NEWS_ITEM = Codec(
    NewsItem,
    "ticker",
    {
        "ticker": rules.Ticker,
        "id": rules.Identifier,
        "time": rules.Time,
        "title": rules.Title,
        "source": rules.Label,
        "ingested": rules.Time,
        "summary": rules.Text,
        "url": rules.Url,
        "publisher": rules.Label,
        "sentiment": rules.Sentiment | None,
    },
)
