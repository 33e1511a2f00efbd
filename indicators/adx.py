"""Average directional index."""

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from indicators.base import Bar, Indicator
from indicators.memory import COUNT, NUMBER, OUTPUT
from indicators.parameters import check_window


@dataclass(slots=True)
class ADX(Indicator):
    """How strongly the price trends (adx), and how much upwards and downwards, 0 to 100.

    Formula:
        up = high[t] - high[t-1],  down = low[t-1] - low[t]
        +DM = up if up > down and up > 0, else 0;  -DM = down if down > up and down > 0, else 0
        TR = max(high, close[t-1]) - min(low, close[t-1])
        S = sum of the first `window` values, then S - S / window + value; of TR, +DM and -DM
        plus_di = 100 * S(+DM) / S(TR);  minus_di = 100 * S(-DM) / S(TR);  0 where S(TR) is 0
        DX = 100 * |plus_di - minus_di| / (plus_di + minus_di);  0 where that divides by 0
        adx = mean of the first `window` DX, then (adx * (window - 1) + DX) / window

    Parameters:
        window: Wilder's smoothing, in bars, 1 to 1000.

    Warm-up:
        The directional indicators are None before bar `window + 2`, the adx before bar
        `2 * window` (where `ta` shows 0). The recursion forgets slowly: to rebuild it from
        history, replay at least 500 bars.

    Examples:
        >>> from indicators import ADX, Ohlcv
        >>> adx = ADX(window=2)
        >>> for high, low, close in ((12, 10, 11), (13, 11, 12), (14, 12, 13), (14, 10, 11)):
        ...     adx.update(Ohlcv(close, high, low, close, 0.0))
        ...     print(close, adx.adx, adx.plus_di, adx.minus_di)
        11 None None None
        12 None None None
        13 None None None
        11 66.66666666666666 16.666666666666664 33.33333333333333

    References:
        J. W. Wilder, New Concepts in Technical Trading Systems, 1978, section IV.
        Values as `ta` 0.11.0, `ta.trend.ADXIndicator`.
    """

    name: ClassVar[str] = "adx"
    outputs: ClassVar[tuple[str, ...]] = ("adx", "plus_di", "minus_di")

    window: int = 14
    _count: int = field(default=0, init=False, repr=False, metadata=COUNT)
    _high: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _low: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _close: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _range: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _plus: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _minus: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _dx_sum: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    adx: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)
    plus_di: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)
    minus_di: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)

    def update(self, bar: Bar) -> None:
        high = bar.high
        low = bar.low
        close = self._close
        self._close = bar.close
        up = high - self._high
        self._high = high
        down = self._low - low
        self._low = low
        window = self.window
        count = self._count
        # `count` is that of changes: the first bar has none.
        if count <= 2 * window:
            self._count = count + 1
            if count == 0:
                return
        true_range = (high if high > close else close) - (low if low < close else close)
        ranges = self._range
        plus = self._plus
        minus = self._minus
        if count > window:
            ranges -= ranges / window
            plus -= plus / window
            minus -= minus / window
        self._range = ranges = ranges + true_range
        if up > down and up > 0.0:
            plus += up
        elif down > up and down > 0.0:
            minus += down
        self._plus = plus
        self._minus = minus
        if count < window:
            return
        if ranges:
            plus = 100.0 * (plus / ranges)
            minus = 100.0 * (minus / ranges)
        else:
            plus = minus = 0.0
        total = plus + minus
        # Infinite only if closes lie outside their bars: it must not get into the average.
        directional = 100.0 * (abs(plus - minus) / total) if 0.0 < total < inf else 0.0
        self._smooth(directional)
        if count > window:
            self.plus_di = plus if plus < inf else None
            self.minus_di = minus if minus < inf else None

    def _smooth(self, directional: float) -> None:
        """Take one DX into the adx."""
        window = self.window
        average = self.adx
        if average is not None:
            self.adx = (average * (window - 1) + directional) / window
            return
        self._dx_sum += directional
        if self._count >= 2 * window:
            self.adx = self._dx_sum / window
