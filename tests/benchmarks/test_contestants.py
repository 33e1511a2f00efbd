"""Our contestant from start to verdict, and a verdict that notices what is wrong."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks import race, roster, workload
from benchmarks.arena import Arena
from benchmarks.documents import COLLECTION
from benchmarks.protocol import Task
from benchmarks.rivals import rivals
from benchmarks.speed import order
from benchmarks.verify import problems_of
from config import Settings
from embedded.locate import Servers
from topics import ALL_TOPICS, STOCK_PRICES, TECHNICAL_INDICATORS

TICKERS, BARS = 20, 2_000
OURS = next(one for one in roster.CONTESTANTS if one.name == roster.OURS)


@pytest.mark.long
@pytest.mark.integration
def test_our_contestant_is_timed_and_judged(servers: Servers, tmp_path: Path) -> None:
    """All bars are stored, right and committed, and without a snapshot (PUBLISH_SNAPSHOTS)."""
    partitions = Settings.model_fields["topic_partitions"].default
    with closing(Arena(servers.kafka, servers.mongodb, tmp_path, partitions)) as place:
        place.broker.ensure_topics()
        task = place.task(OURS.name, tickers=TICKERS, bars=BARS)
        place.begin_at_end(task.group, [spec.name for spec in ALL_TOPICS])
        before = place.broker.end_offsets([TECHNICAL_INDICATORS.name])
        workload.produce(place.settings, STOCK_PRICES.name, TICKERS, BARS)

        result = race.watch(place, OURS, task)

        assert result.problems == []
        assert (result.bars, result.contestant) == (BARS, "financial_trends")
        assert result.seconds > 0 < result.rss_mb
        assert place.broker.lag(task.group, [STOCK_PRICES.name]) == {STOCK_PRICES.name: 0}
        assert place.broker.end_offsets([TECHNICAL_INDICATORS.name]) == before

        documents = place.database(task)[COLLECTION]
        warm = {"indicators.ema": {"$ne": None}}
        documents.update_many(warm, {"$mul": {"indicators.ema": 1.0001}})
        (problem,) = problems_of(place.database(task), OURS, task, BARS)
        assert "ema is" in problem
        documents.delete_one({})
        (problem,) = problems_of(place.database(task), OURS, task, BARS)
        assert problem == "1,999 documents for 2,000 bars"
        place.drop(task)


def test_each_round_another_contestant_is_first() -> None:
    orders = [order(number) for number in range(3)]
    assert len({one[0].name for one in orders}) == 3
    assert all(set(one) == set(roster.CONTESTANTS) for one in orders)


def test_names_are_unique() -> None:
    names = [one.name for one in (*roster.CONTESTANTS, roster.LOADER)]
    assert len(set(names)) == len(names)


def test_a_task_reaches_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = dict.fromkeys(
        ("kafka", "mongodb", "database", "group", "topic", "directory"), "x"
    )
    task = Task(**given, out_topic=None, bars=5, tickers=2, timed=3)
    for name, value in task.environment().items():
        monkeypatch.setenv(name, value)
    assert Task.given() == task


def test_libraries_beside_ours_are_used_or_named() -> None:
    """Whatever of them is installed; each call goes through all bars."""
    bars = workload.history(0, 120)
    found, missing = rivals(bars)
    assert len(found) + len(missing) == 3
    for rival in found:
        for feed in rival.feeds.values():
            feed()
