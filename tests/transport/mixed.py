"""Batched topics beside ordinary ones: the topics of `mixed_app`, and what it found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
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


def lag(deployment: Deployment, prefix: str) -> int:
    """How many messages of the batched topic are not committed."""
    return sum(deployment.broker.lag(deployment.settings.app_id, [f"{prefix}-batched"]).values())


def results(deployment: Deployment, prefix: str, count: int) -> list[str]:
    """The first ``count`` results, by arrival."""
    return results_until(deployment, prefix, lambda found: len(found) >= count, f"{count} results")


def results_until(
    deployment: Deployment, prefix: str, enough: Callable[[list[str]], bool], what: str
) -> list[str]:
    """The results from the first on, until there are enough of them."""
    consumer = deployment.broker.consumer(f"{prefix}-reader")
    consumer.subscribe([f"{prefix}-results"])
    found: list[str] = []

    def read() -> bool:
        for message in consumer.consume(1_000, 0.2):
            value = message.value()
            if message.error() is None and value is not None:
                found.append(json.loads(value))
        return enough(found)

    eventually(read, f"{what}\n{deployment.workers[-1].tail()}")
    consumer.close()
    return found
