"""Bollinger bands."""

from dataclasses import dataclass, field
from math import sqrt
from sys import float_info
from typing import ClassVar

from indicators.base import Bar, Indicator
from indicators.memory import OUTPUT, RING, Ring, ring, verify_rings
from indicators.parameters import check_factor, check_window


@dataclass(slots=True)
class BollingerBands(Indicator):
    """The simple moving average, and bands a number of standard deviations away from it.

    Formula:
        middle = mean of the last `window` closes
        upper, lower = middle +/- deviations * sqrt(mean of (close - middle)^2)

        The standard deviation is that of a population (divided by `window`). It is computed in
        two passes over the window: the mean, then the Euclidean distance of the closes from it.
        Nothing is carried from bar to bar, so nothing drifts and an outlier leaves no trace.

    Parameters:
        window: number of closes, in bars, 1 to 1000.
        deviations: half the width of the bands, in standard deviations, above 0 and at most 10.

    Warm-up:
        None before bar `window`. In a flat window all three are equal.

    Examples:
        >>> from indicators import BollingerBands, Ohlcv
        >>> bands = BollingerBands(window=2, deviations=2)
        >>> for close in (10.0, 12.0, 12.0):
        ...     bands.update(Ohlcv.at(close))
        ...     print(close, bands.bollinger_lower, bands.bollinger_middle, bands.bollinger_upper)
        10.0 None None None
        12.0 9.0 11.0 13.0
        12.0 12.0 12.0 12.0

    References:
        J. Bollinger, Bollinger on Bollinger Bands, 2001, chapter 7.
        Values as `ta` 0.11.0, `ta.volatility.BollingerBands`, and more accurate after outliers.
    """

    name: ClassVar[str] = "bollinger"
    outputs: ClassVar[tuple[str, ...]] = (
        "bollinger_upper",
        "bollinger_middle",
        "bollinger_lower",
    )

    window: int = 20
    deviations: float = 2
    _scale: float = field(init=False, repr=False)
    _rounding: float = field(init=False, repr=False)
    _closes: Ring = field(init=False, repr=False, metadata=RING)
    bollinger_upper: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)
    bollinger_middle: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)
    bollinger_lower: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        check_factor(self.name, "deviations", self.deviations, high=10)
        self._scale = self.deviations / sqrt(self.window)
        # How far the rounded mean of equal numbers can be from them, over the whole window.
        self._rounding = self.window**1.5 * float_info.epsilon
        self._closes = ring()

    def _verify(self) -> None:
        verify_rings(self, self.window, self._closes)

    def update(self, bar: Bar) -> None:
        closes = self._closes
        window = self.window
        if len(closes) == window:
            del closes[0]
        closes.append(bar.close)
        if len(closes) < window:
            return
        middle = sum(closes) / window
        squares = 0.0
        for close in closes:
            difference = close - middle
            squares += difference * difference
        distance = sqrt(squares)
        if distance > self._rounding * abs(middle):
            width = distance * self._scale
        else:
            middle = bar.close
            width = 0.0
        self.bollinger_middle = middle
        self.bollinger_upper = middle + width
        self.bollinger_lower = middle - width
