"""Volume-weighted average price."""

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar

from indicators.base import Bar, SingleOutput
from indicators.memory import OUTPUT, RING, Ring, ring, verify_rings
from indicators.parameters import check_window


@dataclass(slots=True)
class VWAP(SingleOutput):
    """The mean price of the shares traded in the last bars, in the quote currency.

    Formula:
        typical = (high + low + close) / 3
        vwap = sum of typical * volume / sum of volume, over `window` bars

        The window rolls; it is not reset when a session begins. Both sums are made anew at each
        bar, so that a window without volume sums to exactly 0.

    Parameters:
        window: number of bars, 1 to 1000.

    Warm-up:
        None before bar `window`, and wherever nothing was traded in the window.

    Examples:
        >>> from indicators import VWAP, Ohlcv
        >>> vwap = VWAP(window=2)
        >>> for price, volume in ((10.0, 100.0), (13.0, 200.0), (14.0, 0.0), (14.0, 0.0)):
        ...     vwap.update(Ohlcv.at(price, volume))
        ...     print(price, vwap.value)
        10.0 None
        13.0 12.0
        14.0 13.0
        14.0 None

    References:
        S. A. Berkowitz, D. E. Logue, E. A. Noser, The Total Cost of Transactions on the NYSE,
        Journal of Finance 43(1), 1988.
        Values as `ta` 0.11.0, `ta.volume.VolumeWeightedAveragePrice`.
    """

    name: ClassVar[str] = "vwap"
    outputs: ClassVar[tuple[str, ...]] = ("vwap",)

    window: int = 14
    _turnovers: Ring = field(init=False, repr=False, metadata=RING)
    _volumes: Ring = field(init=False, repr=False, metadata=RING)
    vwap: float | None = field(default=None, init=False, repr=False, metadata=OUTPUT)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._turnovers = ring()
        self._volumes = ring()

    def _verify(self) -> None:
        verify_rings(self, self.window, self._turnovers, self._volumes)

    def update(self, bar: Bar) -> None:
        volume = bar.volume
        turnovers = self._turnovers
        volumes = self._volumes
        if len(volumes) == self.window:
            del turnovers[0], volumes[0]
        turnovers.append((bar.high + bar.low + bar.close) / 3.0 * volume)
        volumes.append(volume)
        if len(volumes) < self.window:
            return
        traded = sum(volumes)
        value = sum(turnovers) / traded if traded else inf
        self.vwap = value if -inf < value < inf else None
