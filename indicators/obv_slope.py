"""The slope of the on-balance volume."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import COUNT, NUMBER, OUTPUT
from indicators.parameters import check_window


@dataclass(slots=True)
class ObvSlope(SingleOutput):
    """How much of the volume went with a rising price, and how much with a falling one, -1 to 1.

    Formula:
        change = volume if the close rose, -volume if it fell, 0 if it stayed
        slope = mean(change) / mean(volume), both exponential: m = m' + (x - m') * 2 / (window + 1),
        started at 0

        That is the recent slope of the on-balance volume, in units of the volume traded; 0 while
        nothing was traded. A close that stays counts for neither side (`OBV` adds it, as `ta`
        does), so a mirrored price has the mirrored slope.

    Parameters:
        window: the span of the means, in bars, 1 to 1000.

    Warm-up:
        None before bar `window + 1`: the first bar has no change.

    Examples:
        >>> from indicators import Ohlcv
        >>> slope = ObvSlope(window=3)
        >>> for close, volume in ((10.0, 9.0), (11.0, 100.0), (12.0, 50.0), (11.5, 25.0)):
        ...     slope.update(Ohlcv.at(close, volume))
        ...     print(close, slope.value)
        10.0 None
        11.0 None
        12.0 None
        11.5 0.3333333333333333

    References:
        J. E. Granville, Granville's New Key to Stock Market Profits, 1963; the normalisation is
        ours.
    """

    name: ClassVar[str] = "obv_slope"
    outputs: ClassVar[tuple[str, ...]] = ("obv_slope",)

    window: int = 14
    _alpha: float = field(init=False, repr=False)
    _count: int = field(default=0, init=False, repr=False, metadata=COUNT)
    _close: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _change: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _volume: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    obv_slope: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._alpha = 2.0 / (self.window + 1)

    def update(self, bar: Bar) -> None:
        close = bar.close
        before = self._close
        self._close = close
        count = self._count
        if count <= self.window:
            self._count = count = count + 1
            if count == 1:
                return
        alpha = self._alpha
        volume = bar.volume
        signed = volume if close > before else -volume if close < before else 0.0
        change = self._change
        self._change = change = change + alpha * (signed - change)
        total = self._volume
        self._volume = total = total + alpha * (volume - total)
        if count > self.window:
            # Rounding could take it a hair beyond 1.
            slope = change / total if total > 0.0 else 0.0
            self.obv_slope = 1.0 if slope > 1.0 else -1.0 if slope < -1.0 else slope
