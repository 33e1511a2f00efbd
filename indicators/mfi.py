"""Money flow index."""

from dataclasses import dataclass, field
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import NUMBER, OUTPUT, RING, Ring, ring, verify_rings
from indicators.parameters import check_window


@dataclass(slots=True)
class MFI(SingleOutput):
    """How much of the money traded in the last bars came at rising prices, from 0 to 100.

    Formula:
        typical = (high + low + close) / 3,  flow = typical * volume
        P = sum of flow over the bars of the window whose typical price rose, N where it fell
        mfi = 100 - 100 / (1 + P / N);  100 where only N is 0

    Parameters:
        window: number of bars, 1 to 1000.

    Warm-up:
        None before bar `window` (the first bar counts, with no flow), and wherever no money
        flowed in the window.

    Examples:
        >>> from indicators import MFI, Ohlcv
        >>> mfi = MFI(window=2)
        >>> for price, volume in ((10.0, 9.0), (12.0, 5.0), (10.0, 2.0), (10.0, 7.0), (10.0, 1.0)):
        ...     mfi.update(Ohlcv.at(price, volume))
        ...     print(price, mfi.value)
        10.0 None
        12.0 100.0
        10.0 75.0
        10.0 0.0
        10.0 None

    References:
        G. Quong, A. Soudack, Volume-Weighted RSI: Money Flow,
        Technical Analysis of Stocks & Commodities 7(3), 1989.
        Values as `ta` 0.11.0, `ta.volume.MFIIndicator`.
    """

    name: ClassVar[str] = "mfi"
    outputs: ClassVar[tuple[str, ...]] = ("mfi",)

    window: int = 14
    _gains: Ring = field(init=False, repr=False, metadata=RING)
    _losses: Ring = field(init=False, repr=False, metadata=RING)
    _typical: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    mfi: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._gains = ring()
        self._losses = ring()

    def _verify(self) -> None:
        verify_rings(self, self.window, self._gains, self._losses)

    def update(self, bar: Bar) -> None:
        gains = self._gains
        losses = self._losses
        typical = (bar.high + bar.low + bar.close) / 3.0
        previous = self._typical if gains else typical
        self._typical = typical
        if len(gains) == self.window:
            del gains[0], losses[0]
        gains.append(typical * bar.volume if typical > previous else 0.0)
        losses.append(typical * bar.volume if typical < previous else 0.0)
        if len(gains) < self.window:
            return
        gained = sum(gains)
        lost = sum(losses)
        if lost:
            self.mfi = 100.0 - 100.0 / (1.0 + gained / lost)
        else:
            self.mfi = 100.0 if gained else None
