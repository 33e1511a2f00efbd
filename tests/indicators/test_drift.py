"""A hundred thousand bars later the values are as exact as on the first day."""

import random
from collections import deque
from math import fsum, sqrt

import pytest

from indicators import SMA, BollingerBands, Ohlcv


@pytest.mark.parametrize("price", [1e-5, 100.0, 60_000.0])
def test_bollinger_does_not_drift(price: float) -> None:
    """The bands against two passes with `fsum`, with a bad tick early on.

    A running sum of squares would lose all digits of the standard deviation to that tick.
    """
    rng = random.Random(11)
    bands, sma = BollingerBands(), SMA()
    closes: deque[float] = deque(maxlen=20)
    for index in range(100_000):
        close = price * (1.0 + rng.random() * 1e-3) if index != 1_000 else price * 1e7
        bar = Ohlcv.at(close)
        closes.append(close)
        bands.update(bar)
        sma.update(bar)
        if index % 997 and not 1_000 <= index < 1_030:
            continue
        if len(closes) == 20:
            mean = fsum(closes) / 20
            deviation = sqrt(fsum((x - mean) ** 2 for x in closes) / 20)
            assert bands.bollinger_upper is not None
            assert bands.bollinger_lower is not None
            width = (bands.bollinger_upper - bands.bollinger_lower) / 4
            assert sma.value == pytest.approx(mean, rel=1e-14)
            assert bands.bollinger_middle == pytest.approx(mean, rel=1e-14)
            assert width == pytest.approx(deviation, rel=1e-11)
