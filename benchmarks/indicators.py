"""How long the indicators take for a bar, beside other libraries and recomputing them with `ta`.

python -m benchmarks.indicators --bars 20000
"""

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from ta import momentum, trend, volatility, volume

from benchmarks.rivals import rivals
from indicators import DEFAULT_SPEC, INDICATORS, IndicatorSet, parse

REPEATS = 3
HISTORY = 200
"""Bars that `ta` is given for each new one: enough for its recursions to be nearly right."""


@dataclass(slots=True)
class TimedBar:
    """A bar with plain attributes, as a Record has them."""

    open: float
    high: float
    low: float
    close: float
    volume: float


def random_walk(length: int) -> list[TimedBar]:
    """Bars of a seeded random walk around 100."""
    rng = random.Random(1)
    bars = []
    close = 100.0
    for _ in range(length):
        opened = close
        close *= 1.0 + rng.gauss(0.0, 0.01)
        high = max(opened, close) * (1.0 + abs(rng.gauss(0.0, 0.004)))
        low = min(opened, close) * (1.0 - abs(rng.gauss(0.0, 0.004)))
        bars.append(TimedBar(opened, high, low, close, float(rng.randrange(1_000, 100_000))))
    return bars


def microseconds(action: Callable[[], object], calls: int) -> float:
    """Time of one of the `calls` that an action makes, in us: the best of a few runs."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return min(times) / calls * 1e6


def feed(update: Callable[[TimedBar], None], bars: Sequence[TimedBar]) -> None:
    """Every bar to one indicator."""
    for bar in bars:
        update(bar)


def feed_and_read(indicators: IndicatorSet, bars: Sequence[TimedBar]) -> None:
    """Every bar to the set, and its values after each, as the program does it."""
    for bar in bars:
        indicators.update(bar)
        indicators.values()


def repeat(action: Callable[[], object], times: int) -> None:
    """An action again and again; what it returns is dropped at once."""
    for _ in range(times):
        action()


def with_ta(bars: Sequence[TimedBar]) -> dict[str, Callable[[], object]]:
    """What `ta` must compute to have the value of the last bar, by the name of the indicator."""
    frame = pd.DataFrame(bars)
    o: dict[str, Any] = {name: frame[name] for name in ("high", "low", "close", "volume")}
    high, low, close, traded = o["high"], o["low"], o["close"], o["volume"]

    def macd() -> None:
        one = trend.MACD(close)
        one.macd(), one.macd_signal(), one.macd_diff()

    def bollinger() -> None:
        one = volatility.BollingerBands(close)
        one.bollinger_hband(), one.bollinger_mavg(), one.bollinger_lband()

    def stochastic() -> None:
        one = momentum.StochasticOscillator(high, low, close)
        one.stoch(), one.stoch_signal()

    def adx() -> None:
        one = trend.ADXIndicator(high, low, close)
        one.adx(), one.adx_pos(), one.adx_neg()

    return {
        "sma": lambda: trend.SMAIndicator(close, 20).sma_indicator(),
        "ema": lambda: trend.EMAIndicator(close, 20).ema_indicator(),
        "rsi": lambda: momentum.RSIIndicator(close).rsi(),
        "macd": macd,
        "bollinger": bollinger,
        "atr": lambda: volatility.AverageTrueRange(high, low, close).average_true_range(),
        "stochastic": stochastic,
        "obv": lambda: volume.OnBalanceVolumeIndicator(close, traded).on_balance_volume(),
        "vwap": lambda: volume.VolumeWeightedAveragePrice(
            high, low, close, traded
        ).volume_weighted_average_price(),
        "adx": adx,
        "cci": lambda: trend.CCIIndicator(high, low, close).cci(),
        "williams_r": lambda: momentum.WilliamsRIndicator(high, low, close).williams_r(),
        "mfi": lambda: volume.MFIIndicator(high, low, close, traded).money_flow_index(),
        "roc": lambda: momentum.ROCIndicator(close).roc(),
    }


def measure(count: int) -> tuple[Table, list[str]]:
    """The table of times, over `count` bars, and the libraries that are not installed."""
    bars = random_walk(count)
    beside, missing = rivals(bars)
    table = Table(title=f"us per bar, best of {REPEATS} runs over {count:,} bars")
    table.add_column("indicator")
    headings = ["this program", *(one.name for one in beside), f"ta over {HISTORY} bars"]
    for heading in headings:
        table.add_column(heading, justify="right")

    sums = [0.0] * len(headings)
    lacking = [0] * len(headings)
    with np.errstate(all="ignore"):
        for name, recompute in with_ta(random_walk(HISTORY)).items():
            make = INDICATORS[name]
            own = microseconds(lambda make=make: feed(make().update, bars), count)  # type: ignore[misc]
            times: list[float | None] = [own]
            for one in beside:
                rival = one.feeds.get(name)
                times.append(None if rival is None else microseconds(rival, count))
            times.append(microseconds(recompute, 1))
            table.add_row(name, *map(_cell, times))
            for column, taken in enumerate(times):
                sums[column] += taken or 0.0
                lacking[column] += taken is None
    table.add_section()
    cells = [
        _cell(total) + (f" ({len(INDICATORS) - without} of them)" if without else "")
        for total, without in zip(sums, lacking, strict=True)
    ]
    table.add_row(f"sum of the {len(INDICATORS)}", *cells)

    indicators = IndicatorSet(parse(DEFAULT_SPEC))
    rows: dict[str, Callable[[], object]] = {
        "IndicatorSet.update": lambda: feed(indicators.update, bars),
        "update and values": lambda: feed_and_read(indicators, bars),
        "clone": lambda: repeat(indicators.clone, count),
        "state": lambda: repeat(indicators.state, count),
    }
    for name, action in rows.items():
        table.add_row(name, _cell(microseconds(action, count)))
    return table, missing


def _cell(taken: float | None) -> str:
    if taken is None:
        return "-"
    return f"{taken:,.0f}" if taken >= 100 else f"{taken:.2f}"


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--bars", type=int, default=20_000, metavar="N", help="how many bars (default %(default)s)"
    )
    arguments = parser.parse_args()
    if arguments.bars <= 2 * HISTORY:
        parser.error(f"argument --bars: must be above {2 * HISTORY}, not {arguments.bars}")
    table, missing = measure(arguments.bars)
    console = Console()
    console.print(table)
    for name in missing:
        console.print(f"{name} is not installed here: `make bench-indicators` installs it")


if __name__ == "__main__":
    main()
