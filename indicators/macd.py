"""Moving average convergence/divergence."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, Indicator
from indicators.memory import COUNT, NUMBER, OUTPUT
from indicators.parameters import LONGEST_WINDOW, check_window


@dataclass(slots=True)
class MACD(Indicator):
    """The distance between a fast and a slow average of the close, and its own average.

    Formula:
        macd = ema(close, fast) - ema(close, slow), both started at the first close
        macd_signal = ema(macd, signal), started at the first macd that is shown
        macd_hist = macd - macd_signal

    Parameters:
        fast: span of the fast average, in bars, 1 to 999 and shorter than `slow`.
        slow: span of the slow average, in bars, 2 to 1000.
        signal: span of the signal's average, in bars, 1 to 1000.

    Warm-up:
        `macd` is None before bar `slow`, the signal and the histogram before bar
        `slow + signal - 1`. All are in the quote currency.

    Examples:
        >>> from indicators import MACD, Ohlcv
        >>> macd = MACD(fast=1, slow=3, signal=2)
        >>> for close in (8.0, 12.0, 14.0, 14.0):
        ...     macd.update(Ohlcv.at(close))
        ...     print(close, macd.macd, macd.macd_signal, macd.macd_hist)
        8.0 None None None
        12.0 None None None
        14.0 2.0 None None
        14.0 1.0 1.3333333333333335 -0.3333333333333335

    References:
        G. Appel, Technical Analysis: Power Tools for Active Investors, 2005, chapter 8.
        Values as `ta` 0.11.0, `ta.trend.MACD`.
    """

    name: ClassVar[str] = "macd"
    outputs: ClassVar[tuple[str, ...]] = ("macd", "macd_signal", "macd_hist")

    fast: int = 12
    slow: int = 26
    signal: int = 9
    _alphas: tuple[float, float, float] = field(init=False, repr=False)
    _warm: int = field(init=False, repr=False)
    _count: int = field(default=0, init=False, repr=False, metadata=COUNT)
    _fast: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _slow: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _signal: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    macd: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)
    macd_signal: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)
    macd_hist: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "slow", self.slow, low=2)
        check_window(self.name, "fast", self.fast, high=min(LONGEST_WINDOW, self.slow - 1))
        check_window(self.name, "signal", self.signal)
        self._alphas = (2.0 / (self.fast + 1), 2.0 / (self.slow + 1), 2.0 / (self.signal + 1))
        self._warm = self.slow + self.signal - 1

    def update(self, bar: Bar) -> None:
        close = bar.close
        count = self._count
        fast_alpha, slow_alpha, signal_alpha = self._alphas
        if count == 0:
            fast = slow = close
        else:
            fast = self._fast
            fast += fast_alpha * (close - fast)
            slow = self._slow
            slow += slow_alpha * (close - slow)
        self._fast = fast
        self._slow = slow
        warm = self._warm
        if count < warm:
            count += 1
            self._count = count
        if count < self.slow:
            return
        self.macd = macd = fast - slow
        signal = self._signal
        signal = macd if count == self.slow else signal + signal_alpha * (macd - signal)
        self._signal = signal
        if count >= warm:
            self.macd_signal = signal
            self.macd_hist = macd - signal
