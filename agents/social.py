"""Posts: judge each that comes without a sentiment, store it in its platform's collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from faust.types import StreamT

from agents.alerts import Alerts
from agents.opinion import opinion
from agents.sentiment import SentimentStage
from agents.services import Services
from agents.trends import Trends
from errors import InvalidRecord
from indicators.rolling_sentiment import attention
from models import SocialPost
from sinks import Origin, Write
from sinks.documents import post_write
from tables.sentiment import SentimentTable
from topics import REDDIT_SENTIMENT, TWITTER_SENTIMENT, TopicSpec
from transport import BatchingApp


def text(post: SocialPost) -> str:
    """Return what is judged of a post."""
    return post.text


def to_writes_of(platform: str) -> Callable[[SocialPost, Origin], Sequence[Write]]:
    """Return what to store of the posts on one platform's topic."""

    def to_writes(post: SocialPost, origin: Origin) -> Sequence[Write]:
        if post.platform != platform:
            raise InvalidRecord(
                "platform", post.platform, f"must be {platform!r} on topic {origin.topic}"
            )
        post.sentiment = opinion(post.sentiment, text(post))
        return [post_write(post, origin)]

    return to_writes


def weight(post: SocialPost) -> float:
    """Return how much a post counts, by those who took notice of it."""
    return attention(post.engagement)


def _attach_platform(app: BatchingApp, stage: SentimentStage, topic: TopicSpec) -> None:
    app.checkpoints.register_state(stage.table)

    async def posts(stream: StreamT[Any]) -> None:
        await stage.run(stream)

    posts.__doc__ = f"Posts on {stage.name}: collection and table `{stage.name}_sentiment`."
    app.agent(app.batched_topic(topic.name), name=stage.name)(posts)


def attach(
    app: BatchingApp,
    services: Services,
    tables: Mapping[str, SentimentTable],
    trends: Trends,
    alerts: Alerts,
) -> None:
    """Declare the agents of ``twitter-sentiment`` and ``reddit-sentiment``."""
    for platform, topic in (("twitter", TWITTER_SENTIMENT), ("reddit", REDDIT_SENTIMENT)):
        stage = SentimentStage(
            services,
            platform,
            topic,
            text=text,
            to_writes=to_writes_of(platform),
            weight=weight,
            table=tables[platform],
            trends=trends,
            alerts=alerts.about(platform),
        )
        _attach_platform(app, stage, topic)
