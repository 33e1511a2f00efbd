"""All the indicators of one ticker, kept together."""

from typing import Any, Self

from indicators.base import LARGEST_MAGNITUDE, Bar, Indicator
from indicators.registry import INDICATORS, Specification
from indicators.unrolled import unrolled


class IndicatorSet:
    """The indicators that a specification asks for, fed with the same bars.

    Examples:
        >>> from indicators import IndicatorSet, Ohlcv, parse
        >>> indicators = IndicatorSet(parse("sma 2, obv"))
        >>> for close, volume in ((10.0, 100.0), (12.0, 50.0)):
        ...     indicators.update(Ohlcv.at(close, volume))
        ...     print(indicators.values())
        {'sma': None, 'obv': 100.0}
        {'sma': 11.0, 'obv': 150.0}

        A bar that is still forming is tried on a copy:

        >>> forming = indicators.clone()
        >>> forming.update(Ohlcv.at(14.0, 10.0))
        >>> forming.values()
        {'sma': 13.0, 'obv': 160.0}
        >>> indicators.values()
        {'sma': 11.0, 'obv': 150.0}
    """

    __slots__ = ("_indicators", "_unrolled", "specification")

    def __init__(self, specification: Specification) -> None:
        self._bind(specification, [entry.build() for entry in specification])

    def _bind(self, specification: Specification, indicators: list[Indicator]) -> None:
        self.specification = specification
        self._indicators = indicators
        self._unrolled = unrolled(tuple(map(type, indicators)))

    def update(self, bar: Bar) -> None:
        """Take in the next closed bar, in the order of time.

        Raises:
            ValueError: if a number of the bar is not finite or not below `LARGEST_MAGNITUDE`;
                the indicators are then as they were before.
        """
        # One comparison with NaN is false, so NaN is refused too.
        limit = LARGEST_MAGNITUDE
        if not (
            -limit < bar.high < limit
            and -limit < bar.low < limit
            and -limit < bar.close < limit
            and -limit < bar.volume < limit
        ):
            raise ValueError(
                f"a bar's prices and volume must be finite and below {limit:g}, not "
                f"high {bar.high}, low {bar.low}, close {bar.close}, volume {bar.volume}"
            )
        self._unrolled.update(self._indicators, bar)

    def values(self) -> dict[str, float | None]:
        """The current value of every output, in the order of the registry.

        None while an indicator is not warm and where it has no value; otherwise finite.
        """
        return self._unrolled.values(self._indicators)

    def clone(self) -> Self:
        """An independent copy, on which a bar that is still forming can be tried."""
        twin = object.__new__(type(self))
        twin._bind(self.specification, [indicator.clone() for indicator in self._indicators])
        return twin

    def state(self) -> list[list[Any]]:
        """The state of each indicator, in the order of the specification, as plain JSON.

        Store it together with `specification.fingerprint`.
        """
        return [indicator.state() for indicator in self._indicators]

    @classmethod
    def from_state(cls, specification: Specification, state: Any) -> Self:
        """The set as it was when `state` was taken.

        Parameters:
            specification: one whose fingerprint is that of the set which wrote the state.
            state: what `state()` returned, also after a way through JSON.

        Raises:
            ValueError: if the state has not the shape that the specification asks for.
        """
        if not isinstance(state, list) or len(state) != len(specification):
            raise ValueError(
                f"the state of {str(specification)!r} is a list of {len(specification)} items, "
                f"not {state!r:.60}"
            )
        restored = object.__new__(cls)
        restored._bind(
            specification,
            [
                INDICATORS[entry.name].from_state(one, **entry.parameters)
                for entry, one in zip(specification, state, strict=True)
            ],
        )
        return restored

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.specification)!r})"
