"""Batched topics beside ordinary ones: the topics of `mixed_app`, and what it found."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from embedded.locate import Servers
from tests.deployment import Deployment
from tests.eventually import eventually
from topics import TopicSpec


def make_prefix() -> str:
    """A beginning of names that no other test has."""
    return f"mixed-{uuid.uuid4().hex[:8]}"


def make_deployment(servers: Servers, folder: Path, prefix: str) -> Deployment:
    """A deployment with the topics of one test."""
    made = Deployment(servers, folder)
    made.broker.ensure_topics(
        TopicSpec(f"{prefix}-{name}", None) for name in ("plain", "batched", "results")
    )
    return made


def results(deployment: Deployment, prefix: str, count: int) -> list[str]:
    """The first ``count`` results, by arrival."""
    consumer = deployment.broker.consumer(f"{prefix}-reader")
    consumer.subscribe([f"{prefix}-results"])
    found: list[str] = []

    def enough() -> bool:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            value = message.value()
            assert value is not None
            found.append(json.loads(value))
        return len(found) >= count

    eventually(enough, f"{count} results, got {found}\n{deployment.workers[-1].tail()}")
    consumer.close()
    return found
