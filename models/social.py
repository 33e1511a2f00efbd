"""What people post about a ticker."""

from __future__ import annotations

from typing import Literal, Optional

import faust

from models import rules
from models.codec import Codec


class SocialPost(faust.Record, namespace="financial_trends.SocialPost", include_metadata=False):
    """One post about one ticker.

    ``time`` is when it was posted, ms since the epoch, UTC; ``engagement`` counts likes, replies
    and the like; of its author no more is kept than the handle.
    """

    ticker: str
    platform: str
    id: str
    time: int
    text: str
    source: str
    ingested: int
    author: Optional[str] = None  # noqa: UP045 - Faust reads Optional, not unions
    sentiment: Optional[float] = None  # noqa: UP045
    engagement: float = 0.0
    url: str = ""


SOCIAL_POST = Codec(
    SocialPost,
    "ticker",
    {
        "ticker": rules.Ticker,
        "platform": Literal["twitter", "reddit"],
        "id": rules.Identifier,
        "time": rules.Time,
        "text": rules.Text,
        "source": rules.Label,
        "ingested": rules.Time,
        "author": rules.Label | None,
        "sentiment": rules.Sentiment | None,
        "engagement": rules.Volume,
        "url": rules.Url,
    },
)
