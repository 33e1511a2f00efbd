"""Stochastic oscillator."""

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from indicators.base import Bar
from indicators.memory import OUTPUT, RING, Ring, ring, verify_rings
from indicators.parameters import check_window
from indicators.windows import HighLowWindow


@dataclass(slots=True)
class Stochastic(HighLowWindow):
    """Where the close stands in the range of the last bars, in percent, and its average.

    Formula:
        k = 100 * (close - lowest low) / (highest high - lowest low), over `window` bars
        d = mean of the last `smooth` values of k

    Parameters:
        window: how far back the range reaches, in bars, 1 to 1000.
        smooth: number of values of k averaged, in bars, 1 to 1000.

    Warm-up:
        k is None before bar `window`, d before bar `window + smooth - 1`. Where the range is
        zero k has no value, and d has none until `smooth` values in a row follow.

    Examples:
        >>> from indicators import Stochastic, Ohlcv
        >>> stochastic = Stochastic(window=2, smooth=2)
        >>> for high, low, close in ((12, 10, 11), (14, 11, 13), (15, 13, 15), (15, 15, 15)):
        ...     stochastic.update(Ohlcv(close, high, low, close, 0.0))
        ...     print(close, stochastic.stochastic_k, stochastic.stochastic_d)
        11 None None
        13 75.0 None
        15 100.0 87.5
        15 100.0 100.0

    References:
        G. C. Lane, Lane's Stochastics, Technical Analysis of Stocks & Commodities 2(3), 1984.
        Values as `ta` 0.11.0, `ta.momentum.StochasticOscillator`.
    """

    name: ClassVar[str] = "stochastic"
    outputs: ClassVar[tuple[str, ...]] = ("stochastic_k", "stochastic_d")

    smooth: int = 3
    _ks: Ring = field(init=False, repr=False, metadata=RING)
    stochastic_k: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)
    stochastic_d: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        HighLowWindow.__post_init__(self)
        check_window(self.name, "smooth", self.smooth)
        self._ks = ring()

    def _verify(self) -> None:
        HighLowWindow._verify(self)
        verify_rings(self, self.smooth, self._ks)

    def update(self, bar: Bar) -> None:
        if not self._slide(bar.high, bar.low):
            return
        ks = self._ks
        lowest = self._lowest
        span = self._highest - lowest
        k = 100.0 * (bar.close - lowest) / span if span else inf
        if -inf < k < inf:
            self.stochastic_k = k
            smooth = self.smooth
            if len(ks) == smooth:
                del ks[0]
            ks.append(k)
            self.stochastic_d = sum(ks) / smooth if len(ks) == smooth else None
        else:
            del ks[:]
            self.stochastic_k = self.stochastic_d = None
