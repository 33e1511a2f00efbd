"""The indicators of one ticker, kept together."""

import json
from typing import Any

import pytest

from indicators import DEFAULT_SPEC, INDICATORS, IndicatorSet, Ohlcv, parse
from tests.indicators.bars import walk

SPECIFICATION = parse(DEFAULT_SPEC)
BARS = walk(120)


def fed(bars: list[Ohlcv]) -> IndicatorSet:
    indicators = IndicatorSet(SPECIFICATION)
    for bar in bars:
        indicators.update(bar)
    return indicators


def test_values_are_those_of_each() -> None:
    """The set adds nothing of its own, and keeps the order of the registry."""
    alone = [kind() for kind in INDICATORS.values()]
    together = IndicatorSet(SPECIFICATION)
    for bar in BARS:
        together.update(bar)
        expected: dict[str, float | None] = {}
        for one in alone:
            one.update(bar)
            expected |= one.values
        assert together.values() == expected
        assert tuple(together.values()) == SPECIFICATION.outputs


def test_parameters_reach_the_indicators() -> None:
    """Not the defaults, but what was asked for."""
    indicators = IndicatorSet(parse("sma 2"))
    for price in (10.0, 20.0, 40.0):
        indicators.update(Ohlcv.at(price))
    assert indicators.values() == {"sma": 30.0}


def test_state_at_every_prefix() -> None:
    """Through JSON and on, bit for bit."""
    original = IndicatorSet(SPECIFICATION)
    restored: list[IndicatorSet] = []
    for bar in BARS[:60]:
        text = json.dumps(original.state(), allow_nan=False)
        restored.append(IndicatorSet.from_state(SPECIFICATION, json.loads(text)))
        assert restored[-1].values() == original.values()
        original.update(bar)
        for one in restored:
            one.update(bar)
            assert one.state() == original.state()


def test_state_keeps_other_parameters() -> None:
    """A restored set has the periods of its specification."""
    specification = parse("ema 3, bollinger 5/2.5")
    original = IndicatorSet(specification)
    for bar in BARS[:10]:
        original.update(bar)
    restored = IndicatorSet.from_state(specification, original.state())
    original.update(BARS[10])
    restored.update(BARS[10])
    assert restored.values() == original.values()


def test_clone_is_independent() -> None:
    """A bar that is still forming leaves the set as it was."""
    indicators = fed(BARS[:80])
    before = indicators.state()
    forming = indicators.clone()
    forming.update(BARS[80])
    assert indicators.state() == before
    indicators.update(BARS[80])
    assert forming.values() == indicators.values()
    assert forming.specification == indicators.specification


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), 1e100, -1e300])
@pytest.mark.parametrize("name", ["high", "low", "close", "volume"])
def test_bar_out_of_bounds(name: str, bad: float) -> None:
    """Refused before any indicator has seen it: one NaN would stay in the averages for ever."""
    indicators = fed(BARS[:40])
    before = indicators.state()
    with pytest.raises(ValueError, match=f"must be finite and below 1e\\+100.*{name}"):
        indicators.update(BARS[40]._replace(**{name: bad}))
    assert indicators.state() == before


@pytest.mark.parametrize("state", [None, {}, [], [[]], "x", [[]] * 15])
def test_state_of_another_shape(state: Any) -> None:
    """Named with what would fit."""
    with pytest.raises(ValueError, match="is a list of 14 items"):
        IndicatorSet.from_state(SPECIFICATION, state)


def test_state_of_another_specification() -> None:
    """Of as many, but other, indicators: the item that does not fit is named."""
    state = IndicatorSet(parse("sma, obv")).state()
    with pytest.raises(ValueError, match="MACD"):
        IndicatorSet.from_state(parse("macd, obv"), state)


def test_repr() -> None:
    """Shows what the set was made from."""
    assert repr(IndicatorSet(parse("rsi, obv"))) == "IndicatorSet('rsi 14, obv')"
