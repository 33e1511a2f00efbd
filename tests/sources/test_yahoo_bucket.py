"""Requests a minute, and pauses that a provider asks for."""

from __future__ import annotations

import pytest

from sources.token_bucket import LONGEST_COOLDOWN_S, TokenBucket, process_bucket
from tests.sources.conftest import ManualClock


def test_fills_at_its_rate_and_no_higher(clock: ManualClock) -> None:
    bucket = TokenBucket(60, clock=clock)
    assert bucket.available() == 60
    bucket.spend(61)
    assert bucket.available() == 0
    assert bucket.wait() == pytest.approx(2.0)
    clock.pass_(2)
    assert bucket.available() == 1
    assert bucket.wait() == 0
    clock.pass_(3_600)
    assert bucket.available() == 60


def test_refusals_in_a_row_double_the_pause(clock: ManualClock) -> None:
    bucket = TokenBucket(60, clock=clock, jitter=lambda: 0.0)
    assert [bucket.refused() for _ in range(3)] == [60, 120, 240]
    assert bucket.available() == 0
    assert bucket.wait() == bucket.blocked() == 240
    for _ in range(20):
        assert bucket.refused() <= LONGEST_COOLDOWN_S
    bucket.answered()
    assert bucket.refused() == 60


def test_a_pause_is_as_long_as_asked_for_and_a_little_more(clock: ManualClock) -> None:
    bucket = TokenBucket(60, clock=clock, jitter=lambda: 1.0)
    assert bucket.refused(20) == 30
    clock.pass_(30)
    assert bucket.blocked() == 0
    assert bucket.available() == 60


@pytest.mark.parametrize("rate", [0, -1.0, float("nan")])
def test_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="per_minute"):
        TokenBucket(rate)


def test_a_process_has_one_for_a_provider() -> None:
    assert process_bucket("a", 60) is process_bucket("a", 60)
    assert process_bucket("a", 60) is not process_bucket("b", 60)
