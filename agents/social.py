"""Posts: judge each that comes without a sentiment, store it in its platform's collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from faust.types import StreamT

from agents.opinion import opinion
from agents.services import Services
from agents.stage import StoringStage
from errors import InvalidRecord
from models import SocialPost
from sinks import Origin, Write
from sinks.documents import post_write
from topics import REDDIT_SENTIMENT, TWITTER_SENTIMENT, TopicSpec
from transport import BatchingApp


def to_writes_of(platform: str) -> Callable[[SocialPost, Origin], Sequence[Write]]:
    """Return what to store of the posts on one platform's topic."""

    def to_writes(post: SocialPost, origin: Origin) -> Sequence[Write]:
        if post.platform != platform:
            raise InvalidRecord(
                "platform", post.platform, f"must be {platform!r} on topic {origin.topic}"
            )
        post.sentiment = opinion(post.sentiment, post.text)
        return [post_write(post, origin)]

    return to_writes


def _attach_platform(app: BatchingApp, services: Services, platform: str, topic: TopicSpec) -> None:
    stage = StoringStage(services, platform, topic, to_writes_of(platform))

    async def posts(stream: StreamT[Any]) -> None:
        await stage.run(stream)

    posts.__doc__ = f"Posts on {platform}: collection `{platform}_sentiment`."
    app.agent(app.batched_topic(topic.name), name=platform)(posts)


def attach(app: BatchingApp, services: Services) -> None:
    """Declare the agents of ``twitter-sentiment`` and ``reddit-sentiment``."""
    _attach_platform(app, services, "twitter", TWITTER_SENTIMENT)
    _attach_platform(app, services, "reddit", REDDIT_SENTIMENT)
