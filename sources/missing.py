"""Which ranges of a ticker's history are missing, judged from the bars that are stored."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sources import market_hours
from sources.market_hours import DAY_MS

#: Most ranges that one ticker is asked for; neighbours are asked for together beyond that.
MOST_RANGES = 10
#: Where no calendar tells, a longer pause than this between two stored bars is a hole, ms.
LONGEST_PAUSE_MS = 5 * DAY_MS


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing of one ticker's history.

    Attributes:
        ranges: from the first missing bar of each range to its last one, both included, ms, in
            order and apart.
        bars: about how many bars that is.
    """

    ranges: Sequence[tuple[int, int]]
    bars: int


def missing(
    ticker: str,
    interval: str,
    stored: Collection[int],
    *,
    start: int,
    end: int,
    beginning: int | None = None,
) -> Missing:
    """Return what is missing between ``start`` and ``end``.

    Args:
        ticker: Yahoo's.
        interval: length of a bar, one of :data:`sources.market_hours.INTERVALS`.
        stored: the times of the closed bars that are stored, ms.
        start: the earliest bar wanted, ms.
        end: now, ms; bars that are not over do not count.
        beginning: the first bar that the provider has, where it is known, ms.

    Not cheap: years of a calendar cost a tenth of a second each.
    """
    if beginning is not None:
        start = max(start, beginning)
    expected = market_hours.bar_times(ticker, interval, start, end)
    if expected is None:
        return _by_pauses(interval, stored, start, end)
    have = set(stored)
    runs: list[tuple[int, int]] = []
    bars, before_was_missing = 0, False
    for time in expected:
        if time in have:
            before_was_missing = False
            continue
        if before_was_missing:
            runs[-1] = (runs[-1][0], time)
        else:
            runs.append((time, time))
        bars += 1
        before_was_missing = True
    return Missing(_few(runs, expected), bars)


def _by_pauses(interval: str, stored: Collection[int], start: int, end: int) -> Missing:
    length = market_hours.WITHIN_DAY_MS.get(interval, DAY_MS)
    times = sorted(time for time in stored if start <= time <= end)
    edges = [start, *times, end]
    ranges = []
    for before, after in pairwise(edges):
        # At the end every bar that is over counts; elsewhere there are weekends and holidays.
        longest = length if after == end else LONGEST_PAUSE_MS
        first = before if before == start and before not in stored else before + length
        if after - before > longest and first <= after - length:
            ranges.append((first, after - length))
    bars = sum((last - first) // length + 1 for first, last in ranges)
    return Missing(_few(ranges, None), bars)


def _few(ranges: list[tuple[int, int]], expected: Sequence[int] | None) -> list[tuple[int, int]]:
    """Join what is nearest until there are few enough."""
    apart = [_between(before[1], after[0], expected) for before, after in pairwise(ranges)]
    # Kept are the widest gaps.
    widest = sorted(range(len(apart)), key=lambda i: apart[i])[-(MOST_RANGES - 1) :]
    joined: list[tuple[int, int]] = []
    begin = 0
    for i in [*sorted(widest), len(ranges) - 1]:
        if ranges:
            joined.append((ranges[begin][0], ranges[i][1]))
            begin = i + 1
    return joined


def _between(first: int, second: int, expected: Sequence[int] | None) -> int:
    if expected is None:
        return second - first
    return bisect_left(expected, second) - bisect_left(expected, first)
