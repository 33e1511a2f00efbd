"""What a trend is computed from: the latest of each input."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from trend.macro import Backdrop

_DAY_MS = 86_400_000
#: A month is taken for 30 days: it only has to be longer than four weeks.
_UNIT_MS = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": _DAY_MS,
    "wk": 7 * _DAY_MS,
    "mo": 30 * _DAY_MS,
}


class LastBar(NamedTuple):
    """The last bar of a ticker at one interval, perhaps still forming.

    ``time`` is its opening time, ms since the epoch; ``close`` is in the quote currency; ``values``
    are the indicators at it, or those of them that are read, by their names, None where there is
    none; ``obv_slope`` is that of the last closed bar, -1 to 1, None until it is warm.
    """

    time: int
    close: float
    values: Mapping[str, float | None]
    obv_slope: float | None


class Opinion(NamedTuple):
    """What texts of one kind say: their mean, -1 to 1, their weight by now, and how many."""

    mean: float
    weight: float
    texts: int


#: Where there is no bar, all that is read of one is missing.
NO_BAR = LastBar(0, 0.0, {}, None)


class Inputs(NamedTuple):
    """All inputs of one ticker at one moment; what is missing is not there, or :data:`NO_BAR`.

    ``opinions`` are by ``news``, ``twitter`` and ``reddit``; the ``backdrop`` is the same for all
    tickers.
    """

    bar: LastBar
    opinions: Mapping[str, Opinion]
    backdrop: Backdrop


@functools.cache
def interval_ms(interval: str) -> int:
    """Return the length of an interval, in ms.

    Raises:
        ValueError: it is none.

    >>> interval_ms("5m"), interval_ms("1d")
    (300000, 86400000)
    """
    match = re.fullmatch(r"([1-9]\d{0,2})(s|m|h|d|wk|mo)", interval)
    if match is None:
        raise ValueError(f"{interval!r} is no interval: write 1m, 1h, 1d, 1wk or the like")
    return int(match[1]) * _UNIT_MS[match[2]]


def leading(bars: Mapping[str, LastBar]) -> LastBar:
    """Return the bar that counts, of one for each interval: the newest, of several the shortest.

    >>> daily = LastBar(0, 10.0, {}, None)
    >>> leading({"1d": daily, "1h": LastBar(0, 11.0, {}, None)}).close
    11.0
    """
    if not bars:
        return NO_BAR
    if len(bars) == 1:
        return next(iter(bars.values()))
    return bars[max(bars, key=lambda interval: (bars[interval].time, -interval_ms(interval)))]
