"""All five kinds in real workers, without a network: made up in step with the prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from embedded.locate import Servers
from sinks.documents import as_ms
from sources.economic_cycle import SERIES
from sources.market_path import RecordedPath
from sources.simulation import simulated_sources, wanted
from tests.deployment import Deployment
from tests.eventually import eventually

pytestmark = pytest.mark.integration

TICKERS = ("AAPL", "IBM", "MSFT")
KINDS = {
    "news": "news",
    "twitter": "twitter_sentiment",
    "reddit": "reddit_sentiment",
    "economy": "economic_indicators",
}


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


async def test_every_kind_comes_once_through_kills_and_with_the_prices(
    deployment: Deployment,
) -> None:
    """What is stored is what the prices' progress says, whoever was killed on the way."""
    first = [deployment.start_worker(), deployment.start_worker()]
    eventually(lambda: all_there(deployment, 12), f"all kinds\n{first[0].tail()}")
    first[0].kill()
    before = cursor(deployment, "replay|AAPL")
    eventually(lambda: cursor(deployment, "replay|AAPL") > before, "prices go on")
    assert first[1].stop() == 0

    third = deployment.start_worker()
    seen = len(stored(deployment, "news"))
    eventually(lambda: all_there(deployment, seen + 5), f"more news\n{third.tail()}")
    assert third.stop() == 0
    deployment.start_worker(PRICE_SOURCE="none", SIMULATE_MISSING="false")
    deployment.drained()

    settings, far = deployment.settings, {t: cursor(deployment, f"replay|{t}") for t in TICKERS}

    def positions(keys: Sequence[str]) -> Mapping[str, int]:
        return {key: far[key] for key in keys}

    path = RecordedPath()
    for kind, source in simulated_sources(settings, positions).items():
        records: list[Any] = await source.fetch(wanted(settings)[kind], {})
        due = {
            f"{record.ticker}|{record.id}": record.time for record in records if kind != "economy"
        }
        found = stored(deployment, KINDS[kind])
        if kind == "economy":
            assert {key.partition("|")[0] for key in found} <= set(SERIES)
            assert len(found) <= len(records)
            continue
        assert found <= set(due)
        # All but what the last poll did not get to: the texts after the cursors.
        for ticker in TICKERS:
            reached = cursor(deployment, f"replay-{kind}|{ticker}")
            expected = {
                key for key, time in due.items() if key.startswith(f"{ticker}|") and time <= reached
            }
            assert expected <= found
            assert reached <= far[ticker] + 5 * path.bar_ms
    for document in deployment.database["news"].find():
        assert document["source"] == "simulated"
        assert -1 <= document["sentiment"] <= 1
    assert deployment.database["dead_letters"].count_documents({}) == 0
