"""Which indicators exist, and the setting that says which of them to keep.

A setting is a list of entries, ``name period/period``, separated by commas:

>>> specification = parse("macd 12/26/9, sma 50, obv")
>>> print(specification)
sma 50, macd 12/26/9, obv
>>> specification.outputs
('sma', 'macd', 'macd_signal', 'macd_hist', 'obv')
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from typing import Any

from indicators.adx import ADX
from indicators.atr import ATR
from indicators.base import Indicator
from indicators.bollinger import BollingerBands
from indicators.cci import CCI
from indicators.ema import EMA
from indicators.macd import MACD
from indicators.mfi import MFI
from indicators.obv import OBV
from indicators.roc import ROC
from indicators.rsi import RSI
from indicators.sma import SMA
from indicators.stochastic import Stochastic
from indicators.vwap import VWAP
from indicators.williams_r import WilliamsR

INDICATORS: dict[str, type[Indicator]] = {
    kind.name: kind
    for kind in (
        SMA,
        EMA,
        RSI,
        MACD,
        BollingerBands,
        ATR,
        Stochastic,
        OBV,
        VWAP,
        ADX,
        CCI,
        WilliamsR,
        MFI,
        ROC,
    )
}
"""Every indicator by its name, in the order in which their values are given."""

DEFAULT_SPEC = (
    "sma 20, ema 20, rsi 14, macd 12/26/9, bollinger 20/2, atr 14, stochastic 14/3, obv, "
    "vwap 14, adx 14, cci 20, williams_r 14, mfi 14, roc 12"
)

# Goes up whenever a formula or the layout of a state changes: older states are then not used.
_STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """One indicator and its parameters: an entry of the setting.

    >>> entry = IndicatorSpec("bollinger", {"window": 20, "deviations": 2.5})
    >>> print(entry)
    bollinger 20/2.5
    >>> entry.build()
    BollingerBands(window=20, deviations=2.5)
    """

    name: str
    parameters: dict[str, float]

    def build(self) -> Indicator:
        """A fresh indicator.

        Raises:
            ValueError: if a parameter is out of bounds.
        """
        return INDICATORS[self.name](**self.parameters)

    def __str__(self) -> str:
        return f"{self.name} {'/'.join(map(str, self.parameters.values()))}".rstrip()


@dataclass(frozen=True, slots=True)
class Specification:
    """What a setting asks for: entries in the order of `INDICATORS`, however it was written."""

    entries: tuple[IndicatorSpec, ...]
    fingerprint: str = field(init=False)
    """12 hexadecimal digits: equal for equal names and parameters, and only for them. A state
    stored under another fingerprint does not fit and must not be used."""

    def __post_init__(self) -> None:
        text = f"{_STATE_VERSION}: {self}"
        digest = blake2b(text.encode(), digest_size=6).hexdigest()
        object.__setattr__(self, "fingerprint", digest)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of all values, in the order in which they are given."""
        return tuple(name for one in self.entries for name in INDICATORS[one.name].outputs)

    def __iter__(self) -> Iterator[IndicatorSpec]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        return ", ".join(map(str, self.entries))


def parse(setting: str) -> Specification:
    """What a setting such as `DEFAULT_SPEC` asks for.

    A name without periods takes the indicator's defaults. Neither case nor order matters.

    Raises:
        ValueError: naming the entry, what is wrong with it and what would be right.
    """
    found: dict[str, IndicatorSpec] = {}
    for entry in setting.split(","):
        one = _parse_entry(entry.strip())
        if one.name in found:
            raise ValueError(
                f"indicator {entry.strip()!r}: {one.name!r} is asked for twice; keep one of the two"
            )
        found[one.name] = one
    return Specification(tuple(found[name] for name in INDICATORS if name in found))


def _parse_entry(entry: str) -> IndicatorSpec:
    name, periods = [*entry.lower().split(maxsplit=1), "", ""][:2]
    kind = INDICATORS.get(name)
    if kind is None:
        wrong = f"{name!r} is not known" if name else "there is no name"
        raise ValueError(f"indicator {entry!r}: {wrong}; known are {', '.join(INDICATORS)}")
    defaults = _defaults(kind)
    tokens = [token.strip() for token in periods.split("/")] if periods else []
    if tokens and len(tokens) != len(defaults):
        raise ValueError(
            f"indicator {entry!r}: {len(tokens)} parameters, but {name} takes {len(defaults)}; "
            f"write it as {str(IndicatorSpec(name, defaults))!r}"
        )
    try:
        parameters = dict(zip(defaults, map(_number, tokens), strict=True)) if tokens else defaults
        one = IndicatorSpec(name, parameters)
        one.build()
    except ValueError as error:
        raise ValueError(f"indicator {entry!r}: {error}") from None
    return one


def _defaults(kind: type[Any]) -> dict[str, Any]:
    return {one.name: one.default for one in fields(kind) if one.init}


def _number(token: str) -> float:
    """A number, as an int where it is one: 2 and 2.0 are the same parameter."""
    try:
        number = float(token)
    except ValueError:
        raise ValueError(f"{token!r} is not a number; write periods as 12/26/9") from None
    return int(number) if number.is_integer() else number
