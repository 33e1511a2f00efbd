"""Live indicators by ticker, over whatever keeps their state: a help for contestants.

Without it a contestant would rebuild fourteen objects from JSON for every bar, which costs more
than everything else it does. It is never emptied, which a program that has rebalances would have
to do; here nothing is taken away from a contestant.
"""

from __future__ import annotations

from typing import Any

from indicators import DEFAULT_SPEC, IndicatorSet, parse


class LiveIndicators:
    """The indicators of each ticker; their state is loaded once and returned after each bar."""

    def __init__(self) -> None:
        self._specification = parse(DEFAULT_SPEC)
        self._live: dict[str, IndicatorSet] = {}

    def of(self, ticker: str, state: Any) -> IndicatorSet:
        """The indicators of ``ticker``; made from ``state`` where they are not live yet.

        Args:
            ticker: whose.
            state: what :meth:`IndicatorSet.state` returned, or None where nothing is kept.
        """
        found = self._live.get(ticker)
        if found is None:
            if state is None:
                found = IndicatorSet(self._specification)
            else:
                found = IndicatorSet.from_state(self._specification, state)
            self._live[ticker] = found
        return found

    def __contains__(self, ticker: str) -> bool:
        return ticker in self._live
