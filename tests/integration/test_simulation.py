"""All five kinds in real workers, without a network: made up in step with the prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from embedded.locate import Servers
from sinks import Origin
from sinks.documents import as_ms, observation_write
from sources.simulation import simulated_sources, wanted
from tests.deployment import Deployment
from tests.eventually import eventually

pytestmark = [pytest.mark.integration, pytest.mark.long]

TICKERS = ("AAPL", "IBM", "MSFT")
KINDS = {
    "news": "news",
    "twitter": "twitter_sentiment",
    "reddit": "reddit_sentiment",
    "economy": "economic_indicators",
}
TEXTS = ("news", "twitter", "reddit")
NOWHERE = Origin("", 0, 0, None, None)


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path) -> Iterator[Deployment]:
    """Workers that replay, fast, and make up the rest."""
    made = Deployment(
        servers,
        tmp_path,
        tickers=",".join(TICKERS),
        price_source="replay",
        simulate_missing=True,
        replay_speed=20,
        poll_interval_s=0.1,
        checkpoint_interval_s=0.2,
    )
    yield made
    made.close()


def stored(deployment: Deployment, collection: str) -> set[str]:
    """The ids of what is stored."""
    return {one["_id"] for one in deployment.database[collection].find({}, {"_id": 1})}


def cursor(deployment: Deployment, name: str) -> int:
    """How far a source has fetched, ms."""
    found = deployment.database["source_cursors"].find_one({"_id": name})
    return 0 if found is None else as_ms(found["since"])


def all_there(deployment: Deployment, texts: int) -> bool:
    """Whether every kind has come, of news so many."""
    counts = {
        kind: deployment.database[name].estimated_document_count() for kind, name in KINDS.items()
    }
    return counts["news"] >= texts and all(counts.values())


class Due:
    """What has to be stored, judging by how far the prices are now."""

    def __init__(self, deployment: Deployment) -> None:
        self.far = {ticker: cursor(deployment, f"replay|{ticker}") for ticker in TICKERS}
        self.settings = deployment.settings

    async def records(self) -> dict[str, list[Any]]:
        """The records of each kind."""

        def positions(keys: Sequence[str]) -> Mapping[str, int]:
            return {key: self.far[key] for key in keys}

        sources = simulated_sources(self.settings, positions)
        keys = wanted(self.settings)
        return {kind: await source.fetch(keys[kind], {}) for kind, source in sources.items()}


async def test_every_kind_comes_once_through_kills_and_with_the_prices(
    deployment: Deployment,
) -> None:
    """What is stored is what the prices' progress says, whoever was killed on the way."""
    first = [deployment.start_worker(), deployment.start_worker()]
    eventually(lambda: all_there(deployment, 12), f"all kinds\n{first[0].tail()}")
    first[0].kill()
    assert first[1].stop() == 0
    third = deployment.start_worker()
    seen = len(stored(deployment, "news"))
    eventually(lambda: all_there(deployment, seen + 5), f"more news\n{third.tail()}")

    reached = {
        (kind, ticker): cursor(deployment, f"replay-{kind}|{ticker}")
        for kind in TEXTS
        for ticker in TICKERS
    }
    due = await Due(deployment).records()
    for kind in TEXTS:
        expected = {
            f"{text.ticker}|{text.id}"
            for text in due[kind]
            if text.time <= reached[kind, text.ticker]
        }
        assert expected
        eventually(lambda: expected <= stored(deployment, KINDS[kind]), f"all {kind}")  # noqa: B023
    assert third.stop() == 0

    # Nothing beyond: the texts of the bars up to the forming one, the series up to its day.
    due = await Due(deployment).records()
    for kind in TEXTS:
        ids = {f"{text.ticker}|{text.id}" for text in due[kind]}
        assert stored(deployment, KINDS[kind]) <= ids
    observations = [observation_write(one, NOWHERE).id for one in due["economy"]]
    assert stored(deployment, KINDS["economy"]) <= set(observations)
    for name in KINDS.values():
        assert deployment.database[name].distinct("source") == ["simulated"]
    assert deployment.database["dead_letters"].count_documents({}) == 0
