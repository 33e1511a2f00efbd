"""Relative strength index."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import COUNT, NUMBER, OUTPUT
from indicators.parameters import check_window


@dataclass(slots=True)
class RSI(SingleOutput):
    """How much of the recent movement of the close was upwards, from 0 to 100.

    Formula:
        gain = max(close[t] - close[t-1], 0),  loss = max(close[t-1] - close[t], 0)
        U[t] = U[t-1] + (gain - U[t-1]) / window,  D likewise of losses,  U[0] = D[0] = 0
        rsi = 100 - 100 / (1 + U / D), and 100 where D is 0

    Parameters:
        window: Wilder's smoothing, in bars, 1 to 1000.

    Warm-up:
        None before bar `window`; the first bar counts, as one without change. A price that has
        never fallen, hence also one that never moved, stands at 100.

    Examples:
        >>> from indicators import RSI, Ohlcv
        >>> rsi = RSI(window=2)
        >>> for close in (10.0, 12.0, 11.0, 11.0):
        ...     rsi.update(Ohlcv.at(close))
        ...     print(close, rsi.value)
        10.0 None
        12.0 100.0
        11.0 50.0
        11.0 50.0

    References:
        J. W. Wilder, New Concepts in Technical Trading Systems, 1978, section VI.
        Values as `ta` 0.11.0, `ta.momentum.RSIIndicator`.
    """

    name: ClassVar[str] = "rsi"
    outputs: ClassVar[tuple[str, ...]] = ("rsi",)

    window: int = 14
    _alpha: float = field(init=False, repr=False)
    _count: int = field(default=0, init=False, repr=False, metadata=COUNT)
    _close: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _up: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _down: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    rsi: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._alpha = 1.0 / self.window

    def update(self, bar: Bar) -> None:
        close = bar.close
        count = self._count
        change = close - self._close if count else 0.0
        self._close = close
        alpha = self._alpha
        up = self._up
        down = self._down
        if change > 0.0:
            self._up = up = up + (change - up) * alpha
            self._down = down = down - down * alpha
        else:
            self._up = up = up - up * alpha
            self._down = down = down - (change + down) * alpha
        window = self.window
        if count < window:
            count += 1
            self._count = count
        if count >= window:
            self.rsi = 100.0 if down == 0.0 else 100.0 - 100.0 / (1.0 + up / down)
