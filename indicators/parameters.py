"""Checks of an indicator's parameters, so that every one is refused in the same words."""

import math

LONGEST_WINDOW = 1000
"""Bars. A longer window would make each stored state larger than a message should be."""


def check_window(
    indicator: str, parameter: str, value: object, low: int = 1, high: int = LONGEST_WINDOW
) -> None:
    """Refuse a number of bars that is no integer or lies outside ``low..high``.

    Raises:
        ValueError: naming the indicator, the parameter, the value and the bounds.
    """
    # `type`, because True is an instance of int and no number of bars.
    if type(value) is not int or not low <= value <= high:
        raise ValueError(
            f"{indicator}: {parameter} must be a whole number of bars "
            f"from {low} to {high}, not {value!r}"
        )


def check_factor(indicator: str, parameter: str, value: object, high: float) -> None:
    """Refuse a factor that is no finite number above 0 and at most ``high``.

    Raises:
        ValueError: naming the indicator, the parameter, the value and the bounds.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not 0 < value <= high
    ):
        raise ValueError(
            f"{indicator}: {parameter} must be a number above 0 and at most {high:g}, not {value!r}"
        )
