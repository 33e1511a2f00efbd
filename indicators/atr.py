"""Average true range."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import COUNT, NUMBER, OUTPUT
from indicators.parameters import check_window


@dataclass(slots=True)
class ATR(SingleOutput):
    """How far the price usually travels in one bar, gaps included, in the quote currency.

    Formula:
        TR[0] = high - low
        TR[t] = max(high, close[t-1]) - min(low, close[t-1])
        atr = mean of TR[0] .. TR[window-1] at first
        atr[t] = (atr[t-1] * (window - 1) + TR[t]) / window from then on

    Parameters:
        window: Wilder's smoothing, in bars, 1 to 1000.

    Warm-up:
        None before bar `window` (where `ta` shows 0).

    Examples:
        >>> from indicators import ATR, Ohlcv
        >>> atr = ATR(window=2)
        >>> for high, low, close in ((12, 10, 11), (13, 12, 12), (20, 18, 19), (19, 18, 18)):
        ...     atr.update(Ohlcv(close, high, low, close, 0.0))
        ...     print(close, atr.value)
        11 None
        12 2.0
        19 5.0
        18 3.0

    References:
        J. W. Wilder, New Concepts in Technical Trading Systems, 1978, section III.
        Values as `ta` 0.11.0, `ta.volatility.AverageTrueRange`.
    """

    name: ClassVar[str] = "atr"
    outputs: ClassVar[tuple[str, ...]] = ("atr",)

    window: int = 14
    _count: int = field(default=0, init=False, repr=False, metadata=COUNT)
    _close: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _sum: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    atr: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)

    def update(self, bar: Bar) -> None:
        high = bar.high
        low = bar.low
        previous = self._close
        self._close = bar.close
        count = self._count
        if count:
            # A bar that jumped away from the last close has travelled from there.
            if previous > high:
                high = previous
            elif previous < low:
                low = previous
        window = self.window
        average = self.atr
        if average is not None:
            self.atr = (average * (window - 1) + (high - low)) / window
            return
        self._count = count = count + 1
        self._sum += high - low
        if count >= window:
            self.atr = self._sum / window
