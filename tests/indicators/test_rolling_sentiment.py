"""The rolling sentiment: whatever the order of posts, what the formula says of all of them."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.rolling_sentiment import HOURS, MOST_IDS, RollingSentiment, attention

HOUR_MS = 3_600_000
HALF_LIFE_S = 6 * 3_600.0

#: A post: its time in ms, its sentiment, its weight. Its place in the list is its id.
Post = tuple[int, float, float]

posts = st.lists(
    st.tuples(st.integers(-2 * HOUR_MS, 60 * HOUR_MS), st.floats(-1, 1), st.floats(0.5, 20.0)),
    min_size=1,
    max_size=60,
)


def take(order: list[tuple[str, Post]], half_life_s: float = HALF_LIFE_S) -> RollingSentiment:
    """Take posts in, in this order."""
    rolling = RollingSentiment(half_life_s)
    for id_, (time, sentiment, weight) in order:
        rolling.add(id_, time, sentiment, weight)
    return rolling


def batch(found: list[Post], half_life_s: float = HALF_LIFE_S) -> tuple[float, float, list[int]]:
    """The mean, the weight at the newest post and the counts, computed from all posts at once."""
    newest = max(time for time, _, _ in found)
    first = newest // HOUR_MS - HOURS + 1
    counted = [one for one in found if one[0] // HOUR_MS >= first]
    decays = [2 ** -((newest - time) / 1000 / half_life_s) for time, _, _ in counted]
    weight = math.fsum(d * w for d, (_, _, w) in zip(decays, counted, strict=True))
    value = math.fsum(d * w * s for d, (_, s, w) in zip(decays, counted, strict=True))
    hours = [time // HOUR_MS for time, _, _ in counted]
    return value / weight, weight, [hours.count(first + n) for n in range(HOURS)]


@given(posts, st.randoms(use_true_random=False), st.sampled_from([600.0, HALF_LIFE_S, 1e6]))
def test_exact_under_time_travel(
    found: list[Post], chance: random.Random, half_life_s: float
) -> None:
    """In any order, with repetitions, the result is that of the batch formula."""
    order = [(str(number), post) for number, post in enumerate(found)]
    order += chance.choices(order, k=len(order) // 2)
    chance.shuffle(order)
    rolling = take(order, half_life_s)
    mean, weight, counts = batch(found, half_life_s)
    assert rolling.mean == pytest.approx(mean, abs=1e-9)
    assert rolling.newest == max(time for time, _, _ in found)
    assert rolling.weight_at(rolling.newest) == pytest.approx(weight, rel=1e-9)
    assert rolling.counts() == counts
    assert rolling.count == sum(counts)


@given(posts, st.integers(0, 60))
def test_a_state_goes_on_as_if_nothing_had_been(found: list[Post], cut: int) -> None:
    order = [(str(number), post) for number, post in enumerate(found)]
    through = take(order[:cut])
    restored = RollingSentiment.from_state(
        HALF_LIFE_S, json.loads(json.dumps(through.state(), allow_nan=False))
    )
    assert restored.state() == through.state()
    for rolling in (through, restored):
        for id_, (time, sentiment, weight) in order:  # those before the cut come again
            rolling.add(id_, time, sentiment, weight)
    assert restored.state() == through.state()
    assert restored.mean == through.mean


def test_before_the_first_post() -> None:
    rolling = RollingSentiment(HALF_LIFE_S)
    assert (rolling.mean, rolling.newest, rolling.count) == (None, None, 0)
    assert rolling.counts() == [0] * HOURS
    assert rolling.weight_at(5) == 0.0


def test_weight_halves_with_the_half_life() -> None:
    rolling = take([("a", (HOUR_MS, 0.5, 3.0))])
    for halvings in range(4):
        later = HOUR_MS + halvings * int(HALF_LIFE_S * 1000)
        assert rolling.weight_at(later) == pytest.approx(3.0 / 2**halvings)
    # However old: the mean of what was said stays, only its weight goes.
    assert rolling.weight_at(HOUR_MS * 24 * 365 * 1000) == 0.0
    assert rolling.mean == 0.5


def test_a_post_that_comes_again_counts_once() -> None:
    rolling = take([("a", (0, 1.0, 1.0)), ("b", (1, -1.0, 1.0))])
    before = rolling.state()
    assert not rolling.add("a", 0, 1.0)
    # Edited: another time, another engagement.
    assert not rolling.add("a", 5 * HOUR_MS, -1.0, 9.0)
    assert rolling.state() == before


def test_a_post_older_than_the_day_does_not_count() -> None:
    rolling = take([("new", (24 * HOUR_MS, 0.5, 1.0))])
    assert not rolling.add("old", HOUR_MS - 1, -1.0)
    assert rolling.add("in time", HOUR_MS, -1.0)


def test_what_is_older_than_the_day_is_forgotten() -> None:
    rolling = take([(str(hour), (hour * HOUR_MS, -1.0, 1.0)) for hour in range(24)])
    rolling.add("much later", 100 * HOUR_MS, 1.0)
    assert (rolling.mean, rolling.count) == (1.0, 1)


def test_the_ring_of_ids_is_bounded_by_number() -> None:
    """The oldest hour's first id goes; the mean is that of all posts, remembered or not."""
    rolling = RollingSentiment(HALF_LIFE_S)
    extra = 100
    for number in range(MOST_IDS + extra):
        assert rolling.add(str(number), number * 1000, 0.1)
    ids = "".join(hour[4] for hour in rolling.state()[1])
    assert len(ids) == MOST_IDS * 16
    assert rolling.count == MOST_IDS + extra
    assert not rolling.add(str(extra), extra * 1000, 0.1)
    assert rolling.add(str(extra - 1), (extra - 1) * 1000, 0.1)
    assert len(json.dumps(rolling.state())) < 100_000


def test_the_ring_of_ids_is_bounded_by_time() -> None:
    rolling = RollingSentiment(HALF_LIFE_S)
    for hour in range(100):
        rolling.add(str(hour), hour * HOUR_MS, 0.1)
    assert len(rolling.state()[1]) == HOURS
    assert len(rolling._known) == HOURS


@pytest.mark.parametrize("bad", [0.0, -1.0, 59.9, math.nan, math.inf])
def test_a_half_life_out_of_bounds(bad: float) -> None:
    with pytest.raises(ValueError, match=f"60 or more seconds, not {bad}"):
        RollingSentiment(bad)


@pytest.mark.parametrize(
    "state",
    [None, [], [1], [1, 2], [1, [[1, 2]]], [0, [[0, 1, 1.0, 1.0, 7]]]],
)
def test_a_state_of_another_shape(state: object) -> None:
    with pytest.raises(ValueError):
        RollingSentiment.from_state(HALF_LIFE_S, state)


@given(st.floats(0, 1e18), st.floats(0, 1e18))
def test_attention_grows_slowly(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 1.0 <= attention(low) <= attention(high) <= 19.0
