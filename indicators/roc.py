"""Rate of change."""

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import OUTPUT, RING, Ring, ring, verify_rings
from indicators.parameters import check_window


@dataclass(slots=True)
class ROC(SingleOutput):
    """The change of the close over a number of bars, in percent.

    Formula:
        roc = (close[t] - close[t-window]) / close[t-window] * 100

    Parameters:
        window: distance of the two closes, in bars, 1 to 1000.

    Warm-up:
        None before bar `window + 1`, and wherever the earlier close is 0.

    Examples:
        >>> from indicators import ROC, Ohlcv
        >>> roc = ROC(window=2)
        >>> for close in (10.0, 16.0, 15.0, 12.0):
        ...     roc.update(Ohlcv.at(close))
        ...     print(close, roc.value)
        10.0 None
        16.0 None
        15.0 50.0
        12.0 -25.0

    References:
        J. J. Murphy, Technical Analysis of the Financial Markets, 1999, chapter 10.
        Values as `ta` 0.11.0, `ta.momentum.ROCIndicator`.
    """

    name: ClassVar[str] = "roc"
    outputs: ClassVar[tuple[str, ...]] = ("roc",)

    window: int = 12
    _closes: Ring = field(init=False, repr=False, metadata=RING)
    roc: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._closes = ring()

    def _verify(self) -> None:
        verify_rings(self, self.window + 1, self._closes)

    def update(self, bar: Bar) -> None:
        closes = self._closes
        close = bar.close
        if len(closes) > self.window:
            del closes[0]
        closes.append(close)
        if len(closes) <= self.window:
            return
        earlier = closes[0]
        value = (close - earlier) / earlier * 100.0 if earlier else inf
        self.roc = value if -inf < value < inf else None
