"""On-balance volume."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import NUMBER, OUTPUT


@dataclass(slots=True)
class OBV(SingleOutput):
    """The volume traded so far, counted against the price where the close fell, in shares.

    Formula:
        obv[0] = volume
        obv[t] = obv[t-1] - volume if close[t] < close[t-1], else obv[t-1] + volume

        An unchanged close adds, as in `ta`; most others leave the total alone.

    Parameters:
        None. The level depends on where the history began; only its changes carry meaning.

    Warm-up:
        None before the first bar only.

    Examples:
        >>> from indicators import OBV, Ohlcv
        >>> obv = OBV()
        >>> for close, volume in ((10.0, 100.0), (11.0, 50.0), (10.5, 30.0), (10.5, 20.0)):
        ...     obv.update(Ohlcv.at(close, volume))
        ...     print(close, obv.value)
        10.0 100.0
        11.0 150.0
        10.5 120.0
        10.5 140.0

    References:
        J. E. Granville, Granville's New Key to Stock Market Profits, 1963.
        Values as `ta` 0.11.0, `ta.volume.OnBalanceVolumeIndicator`.
    """

    name: ClassVar[str] = "obv"
    outputs: ClassVar[tuple[str, ...]] = ("obv",)

    _close: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    obv: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def update(self, bar: Bar) -> None:
        close = bar.close
        total = self.obv
        if total is None:
            self.obv = bar.volume
        elif close < self._close:
            self.obv = total - bar.volume
        else:
            self.obv = total + bar.volume
        self._close = close
