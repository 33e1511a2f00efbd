"""How long a consumer waits for its next checkpoint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from transport import consumer as module
from transport.consumer import IDLE_S, BatchingConsumer

BEGAN = 1_000.0
PLACE = TP("stock-prices", 0)


@pytest.mark.parametrize(
    ("behind", "last_batch", "expected", "still"),
    [
        # Nothing comes: at the interval.
        (False, BEGAN - 60, 1.0, False),
        # A few messages, now and then: the same.
        (False, BEGAN + 0.3, 1.0, False),
        # A backlog comes to its end: at once, as somebody waits for that.
        (True, BEGAN + 0.3, 0.3 + IDLE_S, False),
        # There is work to do all the time: at the longer pause; the backlog goes on.
        (True, BEGAN + 60, 4.0, True),
        (False, BEGAN + 60, 4.0, False),
        # It ends between the two.
        (False, BEGAN + 2.5, 2.5 + IDLE_S, False),
    ],
)
async def test_when_the_next_checkpoint_is_due(
    monkeypatch: pytest.MonkeyPatch, behind: bool, last_batch: float, expected: float, still: bool
) -> None:
    clock = SimpleNamespace(now=BEGAN)

    async def sleep(seconds: float) -> None:
        clock.now += seconds
        consumer._delivered_at = min(last_batch, clock.now)

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    consumer: Any = SimpleNamespace(
        should_stop=False,
        sleep=sleep,
        offsets=[PLACE],
        caught_up=lambda _: True,
        _delivered_at=min(last_batch, BEGAN),
        _behind=behind,
    )
    await BatchingConsumer._pause(consumer, 1.0, 4.0)
    assert clock.now - BEGAN == pytest.approx(expected, abs=2 * IDLE_S)
    assert consumer._behind is still


async def test_what_is_not_worked_through_is_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=BEGAN)
    read = False

    async def sleep(seconds: float) -> None:
        nonlocal read
        clock.now += seconds
        read = clock.now > BEGAN + 1.5

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    consumer: Any = SimpleNamespace(
        should_stop=False,
        sleep=sleep,
        offsets=[PLACE],
        caught_up=lambda _: read,
        _delivered_at=BEGAN - 1,
        _behind=True,
    )
    await BatchingConsumer._pause(consumer, 1.0, 4.0)
    assert clock.now - BEGAN == pytest.approx(1.5, abs=2 * IDLE_S)


async def test_it_rests_also_where_a_checkpoint_took_longer_than_the_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is to be saved and no pause is left: the loop must leave room for others."""
    clock = SimpleNamespace(now=BEGAN)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    consumer: Any = SimpleNamespace(
        should_stop=False,
        sleep=sleep,
        offsets=[PLACE],
        caught_up=lambda _: True,
        _delivered_at=BEGAN - 60,
        _behind=False,
    )
    await BatchingConsumer._pause(consumer, 0.0, 0.5)
    assert slept == [IDLE_S]
