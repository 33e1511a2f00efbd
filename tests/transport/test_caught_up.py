"""When a consumer has worked through all that there is of a partition."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from transport.consumer import BatchingConsumer
from transport.offsets import Offsets

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
