"""The rolling highest high and lowest low, against a search of the whole window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import Ohlcv, WilliamsR

# Few values, so that extremes are often equal and often leave the window.
PRICES = st.lists(st.tuples(st.integers(5, 9), st.integers(1, 5)), min_size=1, max_size=60)


@given(prices=PRICES, window=st.integers(1, 6))
def test_extremes(prices: list[tuple[int, int]], window: int) -> None:
    """Whatever leaves and enters, the range is that of the last bars."""
    williams_r = WilliamsR(window)
    for end, (high, low) in enumerate(prices, start=1):
        williams_r.update(Ohlcv(low, high, low, low, 0.0))
        if end < window:
            assert williams_r.value is None
            continue
        recent = prices[end - window : end]
        highest = max(one[0] for one in recent)
        span = highest - min(one[1] for one in recent)
        expected = None if span == 0 else -100.0 * (highest - low) / span
        assert williams_r.value == expected


def test_windows_out_of_step() -> None:
    """A state whose highs and lows are not equally many is not taken."""
    state = WilliamsR(3).state()
    with pytest.raises(ValueError, match="hold 2 and 0 bars"):
        WilliamsR.from_state([[1.0, 2.0], *state[1:]], window=3)
