"""Commodity channel index."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import OUTPUT, RING, Ring, ring, verify_rings
from indicators.parameters import check_window

# Relative to the mean: a deviation below this is what rounding leaves of equal prices.
ROUNDING = 1e-14


@dataclass(slots=True)
class CCI(SingleOutput):
    """How far the typical price stands from its mean, in units of its usual deviation.

    Formula:
        typical = (high + low + close) / 3
        deviation = mean of |typical - mean| over `window` bars
        cci = (typical - mean) / (0.015 * deviation)

        The deviations above the mean sum to as much as those below it, so one half is enough.

    Parameters:
        window: number of bars, 1 to 1000.

    Warm-up:
        None before bar `window`, and wherever the window is flat. (`ta` shows 0 or NaN there,
        as the last bit of the mean happens to fall.)

    Examples:
        >>> from indicators import CCI, Ohlcv
        >>> cci = CCI(window=2)
        >>> for price in (10.0, 12.0, 12.0, 11.0):
        ...     cci.update(Ohlcv.at(price))
        ...     print(price, cci.value)
        10.0 None
        12.0 66.66666666666667
        12.0 None
        11.0 -66.66666666666667

    References:
        D. R. Lambert, Commodity Channel Index: Tools for Trading Cyclic Trends,
        Commodities (now Futures), October 1980.
        Values as `ta` 0.11.0, `ta.trend.CCIIndicator`.
    """

    name: ClassVar[str] = "cci"
    outputs: ClassVar[tuple[str, ...]] = ("cci",)

    window: int = 20
    _typicals: Ring = field(init=False, repr=False, metadata=RING)
    cci: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._typicals = ring()

    def _verify(self) -> None:
        verify_rings(self, self.window, self._typicals)

    def update(self, bar: Bar) -> None:
        typicals = self._typicals
        typical = (bar.high + bar.low + bar.close) / 3.0
        window = self.window
        if len(typicals) == window:
            del typicals[0]
        typicals.append(typical)
        if len(typicals) < window:
            return
        mean = sum(typicals) / window
        deviation = 2.0 * sum([price - mean for price in typicals if price > mean]) / window
        if deviation > ROUNDING * abs(mean):
            self.cci = (typical - mean) / (0.015 * deviation)
        else:
            self.cci = None
