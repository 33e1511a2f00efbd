"""The highest high and the lowest low of the last bars."""

from dataclasses import dataclass, field

from indicators.base import Indicator
from indicators.memory import NUMBER, RING, Ring, ring, verify_rings
from indicators.parameters import check_window


@dataclass(slots=True)
class HighLowWindow(Indicator):
    """What the indicators share that place the close in the range of the last bars.

    A window is searched only when the extreme itself falls out of it, which is rare; otherwise
    one comparison keeps it.

    Parameters:
        window: how far back the range reaches, in bars, 1 to 1000.
    """

    window: int = 14
    _highs: Ring = field(init=False, repr=False, metadata=RING)
    _lows: Ring = field(init=False, repr=False, metadata=RING)
    _highest: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)
    _lowest: float = field(default=0.0, init=False, repr=False, metadata=NUMBER)

    def __post_init__(self) -> None:
        check_window(self.name, "window", self.window)
        self._highs = ring()
        self._lows = ring()

    def _verify(self) -> None:
        verify_rings(self, self.window, self._highs, self._lows)

    def _slide(self, high: float, low: float) -> bool:
        """Move the window on by a bar; whether it is full."""
        highs = self._highs
        lows = self._lows
        if len(highs) == self.window:
            leaving_high = highs[0]
            leaving_low = lows[0]
            del highs[0], lows[0]
            highs.append(high)
            lows.append(low)
            if high >= self._highest:
                self._highest = high
            elif leaving_high == self._highest:
                self._highest = max(highs)
            if low <= self._lowest:
                self._lowest = low
            elif leaving_low == self._lowest:
                self._lowest = min(lows)
            return True
        highs.append(high)
        lows.append(low)
        self._highest = max(highs)
        self._lowest = min(lows)
        return len(highs) == self.window
