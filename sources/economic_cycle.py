"""A made-up economy: seven series that rise and fall together, at levels one might see.

A business cycle, slow waves under a seed, moves them all: in good times output and yields are high,
unemployment and fear are low. Prices and output grow besides.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

#: (amplitude, period in years) of the cycle.
_CYCLE = ((0.7, 8.3), (0.3, 3.1))
#: The same of what moves one series alone, from month to month.
_WIGGLE = ((0.5, 0.71), (0.35, 0.19), (0.25, 0.047))
_YEAR_DAYS = 365.25
_FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Series:
    """One series as FRED describes it, and how it behaves.

    Attributes:
        start: the value at the start of 2000, in its units.
        growth: of the logarithm, per year.
        cyclical: what the cycle at its height adds, in the units, or to the logarithm if
            `relative`.
        behind: how long the cycle takes to show, in years.
        wiggly: what the series' own waves add, as `cyclical`.
        least: the value never falls below.
        noise: standard deviation of what is added in each period, in its units.
        decimals: places after the point.
        lag_days: from the end of a period to its first publication.
        revised: share of first values that are revised, and `revision` by how much (standard
            deviation, in its units).
    """

    title: str
    units: str
    frequency: Literal["Quarterly", "Monthly", "Daily"]
    start: float
    noise: float
    decimals: int
    growth: float = 0.0
    cyclical: float = 0.0
    behind: float = 0.0
    wiggly: float = 0.0
    relative: bool = False
    least: float = -math.inf
    lag_days: int = 0
    revised: float = 0.0
    revision: float = 0.0

    def period(self, day: date) -> date:
        """Return the first day of the period that ``day`` is in; of a weekend, the Friday."""
        if self.frequency == "Daily":
            return day - timedelta(days=max(0, day.weekday() - 4))
        month = (day.month - 1) // 3 * 3 + 1 if self.frequency == "Quarterly" else day.month
        return date(day.year, month, 1)

    def after(self, period: date) -> date:
        """Return the next period."""
        if self.frequency == "Daily":
            return period + timedelta(days=3 if period.weekday() == 4 else 1)
        months = period.month + (3 if self.frequency == "Quarterly" else 1)
        return date(period.year + (months - 1) // 12, (months - 1) % 12 + 1, 1)

    def before(self, period: date) -> date:
        """Return the period before."""
        return self.period(period - timedelta(days=1))

    def published(self, period: date) -> date:
        """Return the weekday on which the first value of a period is published."""
        day = self.after(period) + timedelta(days=self.lag_days)
        return day + timedelta(days=7 - day.weekday() if day.weekday() > 4 else 0)


#: The series that FRED_SERIES names by default.
SERIES = {
    "GDP": Series(
        title="Gross Domestic Product",
        units="Billions of Dollars",
        frequency="Quarterly",
        start=10_000.0,
        growth=0.043,
        cyclical=0.02,
        relative=True,
        noise=25.0,
        decimals=1,
        lag_days=29,
        revised=0.9,
        revision=30.0,
    ),
    "CPIAUCSL": Series(
        title="Consumer Price Index for All Urban Consumers: All Items in U.S. City Average",
        units="Index 1982-1984=100",
        frequency="Monthly",
        start=169.0,
        growth=0.024,
        cyclical=0.006,
        behind=0.8,
        relative=True,
        noise=0.15,
        decimals=3,
        lag_days=12,
        revised=0.08,
        revision=0.1,
    ),
    "UNRATE": Series(
        title="Unemployment Rate",
        units="Percent",
        frequency="Monthly",
        start=6.0,
        cyclical=-1.7,
        behind=0.5,
        noise=0.08,
        decimals=1,
        lag_days=4,
        revised=0.15,
        revision=0.12,
    ),
    "FEDFUNDS": Series(
        title="Federal Funds Effective Rate",
        units="Percent",
        frequency="Monthly",
        start=2.6,
        cyclical=2.4,
        behind=0.7,
        least=0.08,
        noise=0.01,
        decimals=2,
        lag_days=1,
    ),
    "DGS10": Series(
        title="Market Yield on U.S. Treasury Securities at 10-Year Constant Maturity",
        units="Percent",
        frequency="Daily",
        start=3.6,
        cyclical=0.8,
        behind=0.2,
        wiggly=0.35,
        noise=0.03,
        decimals=2,
    ),
    "T10Y2Y": Series(
        title="10-Year Treasury Constant Maturity Minus 2-Year Treasury Constant Maturity",
        units="Percent",
        frequency="Daily",
        start=1.1,
        cyclical=-1.1,
        behind=0.6,
        wiggly=0.15,
        noise=0.02,
        decimals=2,
    ),
    "VIXCLS": Series(
        title="CBOE Volatility Index: VIX",
        units="Index",
        frequency="Daily",
        start=18.5,
        cyclical=-0.35,
        wiggly=0.3,
        relative=True,
        least=9.0,
        noise=0.6,
        decimals=2,
    ),
}


class Economy:
    """The values of the series under one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._cycle = _waves(_CYCLE, self._draws("cycle"))
        self._wiggles = {name: _waves(_WIGGLE, self._draws(name)) for name in SERIES}

    def value(self, name: str, period: date) -> float:
        """Return the final value of a period: its revision, where there is one."""
        series = SERIES[name]
        years = (period - _FIRST_DAY).days / _YEAR_DAYS
        swing = series.cyclical * self._cycle(years - series.behind)
        swing += series.wiggly * self._wiggles[name](years)
        level = series.start * math.exp(series.growth * years)
        level = level * math.exp(swing) if series.relative else level + swing
        level += self._draws(name, period).gauss(0, series.noise)
        return round(max(series.least, level), series.decimals)

    def first(self, name: str, period: date) -> float:
        """Return the value that was published first."""
        series = SERIES[name]
        if not series.revised:
            return self.value(name, period)
        rng = self._draws(name, period, "first")
        wrong = rng.gauss(0, series.revision) if rng.random() < series.revised else 0.0
        return round(self.value(name, period) + wrong, series.decimals)

    def _draws(self, *what: object) -> random.Random:
        # A text as the seed is hashed the same way in every process; hash() is not.
        return random.Random("|".join(map(str, (self._seed, "economy", *what))))  # noqa: S311


def _waves(waves: tuple[tuple[float, float], ...], rng: random.Random) -> Callable[[float], float]:
    """Return a sum of waves over years, each with a phase of its own."""
    phases = [rng.uniform(0, math.tau) for _ in waves]

    def at(years: float) -> float:
        return sum(
            amplitude * math.sin(math.tau * years / period + phase)
            for (amplitude, period), phase in zip(waves, phases, strict=True)
        )

    return at
