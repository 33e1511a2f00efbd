"""Exponential moving average."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import COUNT, NUMBER, OUTPUT
from indicators.parameters import check_window


@dataclass(slots=True)
class EMA(SingleOutput):
    """The mean of all closes so far, each weighing less than the one after it.

    Formula:
        ema[0] = close[0]
        ema[t] = ema[t-1] + alpha * (close[t] - ema[t-1]),  alpha = 2 / (window + 1)

    Parameters:
        window: the span of the weights, in bars, 1 to 1000.

    Warm-up:
        None before bar `window`, although the recursion starts at the first close (and not, as
        elsewhere, at a simple average of the first `window` closes).

    Examples:
        >>> from indicators import EMA, Ohlcv
        >>> ema = EMA(window=3)
        >>> for close in (10.0, 12.0, 14.0, 10.0):
        ...     ema.update(Ohlcv.at(close))
        ...     print(close, ema.value)
        10.0 None
        12.0 None
        14.0 12.5
        10.0 11.25

    References:
        S. W. Roberts, Control Chart Tests Based on Geometric Moving Averages,
        Technometrics 1(3), 1959.
        Values as `ta` 0.11.0, `ta.trend.EMAIndicator`.
    """

    name: ClassVar[str] = "ema"
    outputs: ClassVar[tuple[str, ...]] = ("ema",)

    window: int = 20
    _alpha: float = field(init=False, repr=False)
    _count: int = field(default=0, init=False, repr=False, metadata=COUNT)
    _average: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    ema: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._alpha = 2.0 / (self.window + 1)

    def update(self, bar: Bar) -> None:
        count = self._count
        average = self._average
        if count == 0:
            average = bar.close
        else:
            # In this form a constant price leaves the average exactly where it is.
            average += self._alpha * (bar.close - average)
        self._average = average
        window = self.window
        if count < window:
            count += 1
            self._count = count
        if count >= window:
            self.ema = average
