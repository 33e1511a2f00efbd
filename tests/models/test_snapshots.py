"""Snapshots: the very bytes of the codec."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from models import INDICATOR_SNAPSHOT, OURSELVES
from models.quick import QuickBar
from models.snapshots import is_own_snapshot, snapshots

NAMES = ("sma", "macd_hist", "rsi")
values = st.one_of(st.just(math.nan), st.floats(-1e300, 1e300))


@given(
    st.sampled_from(["AAPL", "^GSPC", "EURUSD=X"]),
    st.sampled_from(["1d", "5m"]),
    st.integers(-(10**12), 10**14),
    st.booleans(),
    st.lists(values, min_size=3, max_size=3),
)
def test_the_bytes_are_the_codec_s(
    ticker: str, interval: str, time: int, closed: bool, row: list[float]
) -> None:
    bar = QuickBar(ticker, interval, time, 1.0, 2.0, 1.0, 2.0, 5.0, "yahoo", 2, None, closed)
    expected = {
        "ticker": ticker,
        "interval": interval,
        "time": time,
        "values": {
            name: None if math.isnan(value) else value
            for name, value in zip(NAMES, row, strict=True)
        },
        "source": OURSELVES,
        "closed": closed,
    }
    found = snapshots(NAMES)(bar, row)
    assert found == INDICATOR_SNAPSHOT.dump(expected)
    assert is_own_snapshot(ticker.encode(), found)
    others = INDICATOR_SNAPSHOT.dump(expected | {"source": "financial-trendz"})
    assert not is_own_snapshot(ticker.encode(), others)


def test_the_codec_reads_them() -> None:
    bar = QuickBar("AAPL", "1d", 5, 1.0, 2.0, 1.0, 2.0, 5.0, "yahoo", 2)
    record = INDICATOR_SNAPSHOT.decode(b"AAPL", snapshots(NAMES)(bar, [1.5, math.nan, 0.0]))
    assert record.values == {"sma": 1.5, "macd_hist": None, "rsi": 0.0}
