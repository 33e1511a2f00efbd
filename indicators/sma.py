"""Simple moving average."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import OUTPUT, RING, Ring, ring, verify_rings
from indicators.parameters import check_window


@dataclass(slots=True)
class SMA(SingleOutput):
    """The unweighted mean of the last closes.

    Formula:
        sma = (close[t] + close[t-1] + ... + close[t-window+1]) / window

        The window is summed anew at each bar: for the windows in use this costs no more than
        keeping a running sum, and an outlier leaves nothing behind when it drops out.

    Parameters:
        window: number of closes averaged, in bars, 1 to 1000.

    Warm-up:
        None before bar `window`.

    Examples:
        >>> from indicators import SMA, Ohlcv
        >>> sma = SMA(window=3)
        >>> for close in (10.0, 11.0, 12.0, 16.0):
        ...     sma.update(Ohlcv.at(close))
        ...     print(close, sma.value)
        10.0 None
        11.0 None
        12.0 11.0
        16.0 13.0

    References:
        J. J. Murphy, Technical Analysis of the Financial Markets, 1999, chapter 9.
        Values as `ta` 0.11.0, `ta.trend.SMAIndicator`.
    """

    name: ClassVar[str] = "sma"
    outputs: ClassVar[tuple[str, ...]] = ("sma",)

    window: int = 20
    _closes: Ring = field(init=False, repr=False, metadata=RING)
    sma: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._closes = ring()

    def _verify(self) -> None:
        verify_rings(self, self.window, self._closes)

    def update(self, bar: Bar) -> None:
        closes = self._closes
        window = self.window
        if len(closes) == window:
            del closes[0]
        closes.append(bar.close)
        if len(closes) == window:
            self.sma = sum(closes) / window
