"""The spend of a day: one for all workers, and for all restarts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import Settings, read_settings
from errors import StoreUnavailable
from sinks.spend import DailySpend
from sources.spend import Spend, SpendHere
from tests.sinks.stores import MongoStore

TODAY, TOMORROW = "2026-11-25", "2026-11-26"


@pytest.fixture(params=["here", pytest.param("mongo", marks=pytest.mark.integration)])
def spend(request: pytest.FixtureRequest) -> Iterator[Spend]:
    if request.param == "here":
        yield SpendHere()
        return
    request.getfixturevalue("mongo_store")
    made = DailySpend(request.getfixturevalue("settings"), "twitter")
    yield made
    made.close()


def test_a_day_has_its_limit(spend: Spend) -> None:
    assert spend.take(TODAY, 125, 10, 100) == (100, 100)
    assert spend.take(TODAY, 125, 10, 100) == (25, 125)
    assert spend.take(TODAY, 125, 10, 100) == (0, 125)
    spend.close()
    assert spend.take(TOMORROW, 125, 10, 100) == (100, 100)


def test_too_few_are_none(spend: Spend) -> None:
    spend.take(TODAY, 105, 10, 100)
    assert spend.take(TODAY, 105, 10, 100) == (0, 100)


def test_what_is_given_back_can_be_used_on_its_day_alone(spend: Spend) -> None:
    spend.take(TODAY, 100, 10, 100)
    spend.give_back(TODAY, 60)
    assert spend.take(TODAY, 100, 10, 100) == (60, 100)
    spend.take(TOMORROW, 100, 10, 50)
    spend.give_back(TODAY, 60)
    assert spend.take(TOMORROW, 100, 10, 100) == (50, 100)


def test_a_clock_that_is_behind_opens_no_second_day(spend: Spend) -> None:
    spend.take(TOMORROW, 100, 10, 90)
    assert spend.take(TODAY, 100, 10, 100) == (10, 100)


@pytest.mark.integration
def test_all_workers_and_restarts_share_it(settings: Settings, mongo_store: MongoStore) -> None:
    def worker(number: int) -> int:
        one = DailySpend(settings, "twitter")
        try:
            return sum(one.take(TODAY, 1_000, 10, 30)[0] for _ in range(20))
        finally:
            one.close()

    with ThreadPoolExecutor(4) as pool:
        granted = list(pool.map(worker, range(4)))
    assert sum(granted) == 1_000
    assert worker(5) == 0


def test_without_mongodb_it_says_so() -> None:
    away = read_settings(mongodb_uri="mongodb://127.0.0.1:1", mongodb_timeout_s=0.1)
    spend = DailySpend(away, "twitter")
    with pytest.raises(StoreUnavailable):
        spend.take(TODAY, 100, 10, 10)
    with pytest.raises(StoreUnavailable):
        spend.give_back(TODAY, 10)
    spend.close()
