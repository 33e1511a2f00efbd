"""When a consumer has worked through all that there is of a partition."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.types import TP

from transport.consumer import BatchingConsumer
from transport.offsets import Offsets
from transport.thread import BatchingConsumerThread

PLACE = TP("stock-prices", 3)


@pytest.mark.parametrize(
    ("end", "delivered", "outstanding", "expected"),
    [
        (None, {}, 0, False),
        (0, {}, 0, True),
        (7, {PLACE: 7}, 0, True),
        (7, {PLACE: 6}, 0, False),
        (7, {PLACE: 7}, 1, False),
        (7, {}, 0, False),
    ],
)
def test_caught_up(
    end: int | None, delivered: dict[TP, int], outstanding: int, expected: bool
) -> None:
    offsets = Offsets()
    for tp, position in delivered.items():
        offsets.seek(tp, position, committed=True)
    offsets.outstanding[PLACE.topic] = outstanding
    consumer: Any = SimpleNamespace(
        highwater=lambda tp: end if tp == PLACE else None, offsets=offsets
    )
    assert BatchingConsumer.caught_up(consumer, PLACE) is expected


async def test_the_end_of_a_partition_that_has_gone_is_unknown() -> None:
    """It may go at any moment, as it does so in another thread."""
    subscription = SubscriptionState()
    thread = BatchingConsumerThread.__new__(BatchingConsumerThread)
    thread._consumer = None
    assert thread.highwater(PLACE) is None
    thread._consumer = SimpleNamespace(_subscription=subscription)
    assert thread.highwater(PLACE) is None
    subscription.subscribe({PLACE.topic})
    assert thread.highwater(PLACE) is None
    subscription.assign_from_subscribed({PLACE})
    assert thread.highwater(PLACE) is None
    subscription.subscription.assignment.state_value(PLACE).highwater = 7
    assert thread.highwater(PLACE) == 7
    subscription.assign_from_subscribed(set())
    assert thread.highwater(PLACE) is None
