"""Bars to test with: recorded ones, and random walks with everything a market does."""

import random
from functools import cache

from hypothesis import strategies as st

from indicators import Ohlcv

TICKERS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


@cache
def recorded(ticker: str) -> tuple[Ohlcv, ...]:
    """The daily bars of a ticker as bokeh_sampledata has them."""
    from bokeh_sampledata import stocks

    columns = getattr(stocks, ticker)
    rows = zip(*(columns[name] for name in Ohlcv._fields), strict=True)
    return tuple(Ohlcv(*map(float, row)) for row in rows)


def walk(length: int, seed: int = 7) -> list[Ohlcv]:
    """A random walk around 100 with flat stretches, gaps and bars without volume."""
    rng = random.Random(seed)
    price = 100.0
    bars: list[Ohlcv] = []
    while len(bars) < length:
        kind = rng.random()
        if kind < 0.02:
            bars += [Ohlcv.at(price, rng.choice((0.0, 500.0))) for _ in range(30)]
            continue
        opened = price * (1.1 if kind < 0.04 else 0.9 if kind < 0.06 else 1.0)
        price = round(opened * (1.0 + rng.gauss(0.0, 0.01)), 2)
        high = max(opened, price) + abs(rng.gauss(0.0, 0.3))
        low = min(opened, price) - abs(rng.gauss(0.0, 0.3))
        volume = 0.0 if rng.random() < 0.05 else float(rng.randrange(1_000, 1_000_000))
        bars.append(Ohlcv(opened, high, low, price, volume))
    return bars[:length]


# Prices are whole numbers of ticks, so that equal prices and equal ranges really occur.
_MOVES = st.one_of(st.just(0), st.integers(-200, 200), st.integers(-3000, 3000))
_VOLUMES = st.one_of(st.just(0), st.integers(100, 1_000_000))
_STEP = st.tuples(_MOVES, st.integers(0, 100), st.integers(0, 100), _VOLUMES, st.integers(1, 4))
_QUIET_STEP = st.tuples(st.just(0), st.just(0), st.just(0), _VOLUMES, st.integers(10, 30))


@st.composite
def walks(
    draw: st.DrawFn, scales: tuple[float, ...] = (1e-8, 1e-4, 0.01, 1.0, 1e5), jumps: bool = False
) -> list[Ohlcv]:
    """Random walks of 5,000 ticks and more, from prices of 5e-5 to 1e9.

    With `jumps` single bars are up to a million times higher or lower than their neighbours.
    """
    tick = draw(st.sampled_from(scales))
    steps = draw(st.lists(st.one_of(_STEP, _STEP, _QUIET_STEP), min_size=20, max_size=60))
    factors = [1.0]
    if jumps:
        exponents = st.one_of(st.just(0), st.just(0), st.integers(-6, 6))
        factors = draw(st.lists(exponents.map(lambda e: 10.0**e), min_size=1, max_size=40))
    price = 10_000
    bars: list[Ohlcv] = []
    for move, above, below, volume, repeat in steps:
        opened = price
        price = max(5_000, price + move)
        scale = tick * factors[len(bars) % len(factors)]
        bar = Ohlcv(
            opened * scale,
            (max(opened, price) + above) * scale,
            (min(opened, price) - below) * scale,
            price * scale,
            float(volume),
        )
        bars += [bar] * repeat
    return bars
