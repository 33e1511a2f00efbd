"""What all indicators have in common: the bar they read, their values, their state."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from indicators import memory

LARGEST_MAGNITUDE = 1e100
"""Prices and volumes stay below this, so that no product or square of them overflows."""


class Bar(Protocol):
    """What an indicator reads of a bar: prices in the quote currency, volume in shares.

    The numbers are finite and below `LARGEST_MAGNITUDE`. `IndicatorSet` refuses others; an
    indicator used alone relies on its caller for that, because one NaN in a recursive average
    never leaves it.
    """

    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...
    @property
    def volume(self) -> float: ...


class Ohlcv(NamedTuple):
    """The plainest `Bar`: for examples, tests and data that come without a Record.

    >>> Ohlcv(10.0, 12.0, 9.0, 11.0, 500.0)
    Ohlcv(open=10.0, high=12.0, low=9.0, close=11.0, volume=500.0)
    """

    open: float
    high: float
    low: float
    close: float
    volume: float

    @classmethod
    def at(cls, price: float, volume: float = 0.0) -> Self:
        """A bar that opens, stays and closes at one price.

        >>> Ohlcv.at(10.0)
        Ohlcv(open=10.0, high=10.0, low=10.0, close=10.0, volume=0.0)
        """
        return cls(price, price, price, price, volume)


class Indicator(ABC):
    """A quantity that is kept up to date bar by bar, in memory that does not grow.

    A subclass is a dataclass with slots. Its constructor takes the parameters and refuses bad
    ones with a ValueError. Each of its `outputs` is an attribute of that name: None until the
    indicator is warm and wherever the formula has no value, otherwise a finite float.
    """

    __slots__ = ()

    name: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]]

    @abstractmethod
    def update(self, bar: Bar) -> None:
        """Take in the next closed bar, in the order of time."""

    @property
    def values(self) -> dict[str, float | None]:
        """The current value of each output, by name."""
        return {name: getattr(self, name) for name in self.outputs}

    def clone(self) -> Self:
        """An independent copy, on which a bar that is still forming can be tried."""
        return memory.duplicate(self)

    def state(self) -> list[Any]:
        """Everything but the parameters, as a list of finite numbers, None and such lists."""
        return memory.write(self)

    @classmethod
    def from_state(cls, state: Any, **parameters: Any) -> Self:
        """The indicator as it was when `state` was taken.

        Parameters:
            state: what `state()` returned, also after a way through JSON.
            parameters: those of the constructor; they must be the ones the state was made with.

        Raises:
            ValueError: if a parameter is out of bounds or the state has another shape.
        """
        indicator = cls(**parameters)
        memory.read(indicator, state)
        indicator._verify()
        return indicator

    def _verify(self) -> None:  # noqa: B027 - most have no parts that could disagree
        """Refuse a state whose parts, though each is in order, do not go together.

        Raises:
            ValueError: saying which parts differ.
        """


class SingleOutput(Indicator):
    """An indicator with one output, which `value` gives without its name."""

    __slots__ = ()

    @property
    def value(self) -> float | None:
        """The current value of the only output."""
        value: float | None = getattr(self, self.outputs[0])
        return value
