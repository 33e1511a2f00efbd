"""A fetch makes batches of bounded size, whatever its records hold."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.batch import MOST_BYTES, pieces

HALF = MOST_BYTES // 2


def sizes(*given: int) -> list[Any]:
    return [SimpleNamespace(serialized_value_size=size) for size in given]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([10] * 1_000, [1_000]),
        ([HALF, HALF], [2]),
        ([HALF, HALF, 1], [2, 1]),
        ([1, MOST_BYTES, 1], [1, 1, 1]),
        ([3 * MOST_BYTES], [1]),
        ([-1, 3 * MOST_BYTES, -1, 5], [1, 1, 2]),
    ],
)
def test_pieces(given: list[int], expected: list[int]) -> None:
    assert [len(piece) for piece in pieces(sizes(*given))] == expected


@given(st.lists(st.integers(-1, MOST_BYTES), min_size=1, max_size=30))
def test_nothing_is_lost_and_no_piece_is_empty_or_too_large(given: list[int]) -> None:
    records = sizes(*given)
    found = list(pieces(records))
    assert [one for piece in found for one in piece] == records
    for piece in found:
        assert piece
        total = sum(one.serialized_value_size for one in piece)
        assert len(piece) == 1 or total <= MOST_BYTES
