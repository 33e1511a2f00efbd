"""Williams %R."""

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import OUTPUT
from indicators.windows import HighLowWindow


@dataclass(slots=True)
class WilliamsR(HighLowWindow, SingleOutput):
    """How far the close stands below the highest high of the last bars, from -100 to 0.

    Formula:
        williams_r = -100 * (highest high - close) / (highest high - lowest low)

    Parameters:
        window: how far back the range reaches, in bars, 1 to 1000.

    Warm-up:
        None before bar `window`, and wherever the range is zero.

    Examples:
        >>> from indicators import WilliamsR, Ohlcv
        >>> williams_r = WilliamsR(window=2)
        >>> for high, low, close in ((12, 10, 11), (14, 11, 13), (15, 13, 12)):
        ...     williams_r.update(Ohlcv(close, high, low, close, 0.0))
        ...     print(close, williams_r.value)
        11 None
        13 -25.0
        12 -75.0

    References:
        L. R. Williams, How I Made One Million Dollars Last Year Trading Commodities, 1973.
        Values as `ta` 0.11.0, `ta.momentum.WilliamsRIndicator`.
    """

    name: ClassVar[str] = "williams_r"
    outputs: ClassVar[tuple[str, ...]] = ("williams_r",)

    williams_r: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def update(self, bar: Bar) -> None:
        if not self._slide(bar.high, bar.low):
            return
        highest = self._highest
        span = highest - self._lowest
        value = -100.0 * (highest - bar.close) / span if span else inf
        self.williams_r = value if -inf < value < inf else None
