"""What holds of every trend: its mirror, its gaps, and that it follows from what is published."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import DEFAULT_SPEC, IndicatorSet, Ohlcv, parse
from indicators.obv_slope import ObvSlope
from tests.trend.inputs import FULL, NOTHING, inputs, mirrored, without
from trend import (
    COMPONENTS,
    DEFAULT_WEIGHTS,
    SIDEWAYS_BELOW,
    Backdrop,
    Evaluation,
    Inputs,
    LastBar,
    combine,
    evaluate,
    parse_weights,
)
from trend.reasons import MOST
from trend.scores import scores

WEIGHTS = parse_weights(DEFAULT_WEIGHTS)
OPPOSITE = {"up": "down", "down": "up", "sideways": "sideways"}


def of_bars(bars: Iterable[Ohlcv], setting: str = DEFAULT_SPEC) -> Evaluation:
    """The trend after these bars, which are all there is."""
    found, slope = IndicatorSet(parse(setting)), ObvSlope()
    close = 0.0
    for bar in bars:
        found.update(bar)
        slope.update(bar)
        close = bar.close
    return evaluate(
        Inputs(LastBar(0, close, found.values(), slope.value), {}, Backdrop({})), WEIGHTS
    )


def line(step: float, count: int = 60) -> list[Ohlcv]:
    """Bars that go the same way at every step."""
    closes = [200.0 + step * index for index in range(count)]
    return [Ohlcv(c - step, c + 0.5, c - 0.5, c, 1000.0) for c in closes]


@pytest.mark.parametrize("step", [0.05, 0.5, 2.0])
def test_bars_that_only_rise_give_up_and_those_that_only_fall_give_down(step: float) -> None:
    rising, falling = of_bars(line(step)), of_bars(line(-step))
    assert (rising.direction, falling.direction) == ("up", "down")
    assert rising.strength > 25
    assert rising.strength == pytest.approx(falling.strength, abs=5)
    assert rising.confidence == falling.confidence == 0.65


@given(st.floats(0.01, 3.0), st.integers(36, 90))
def test_any_steady_rise_is_up(step: float, count: int) -> None:
    assert of_bars(line(step, count)).direction == "up"


def test_flat_bars_go_sideways() -> None:
    flat = of_bars([Ohlcv(100.0, 101.0, 99.0, 100.0 + (n % 2) / 10, 500.0) for n in range(80)])
    assert flat.direction == "sideways"


@given(inputs())
def test_mirrored_inputs_give_the_mirrored_scores(found: Inputs) -> None:
    here, there = scores(found), scores(mirrored(found))
    assert here.keys() == there.keys()
    for name, score in here.items():
        assert there[name].value == pytest.approx(-score.value, abs=1e-6)
        assert there[name].share == score.share


components = st.dictionaries(
    st.sampled_from(COMPONENTS),
    st.tuples(st.integers(-100, 100), st.integers(1, 140)),
)


@given(components)
def test_mirrored_scores_give_the_mirrored_trend(
    found: dict[str, tuple[int, int]],
) -> None:
    weights = {name: weight / 1000 for name, (_, weight) in found.items()}
    there = {name: score / 100 for name, (score, _) in found.items()}
    back = {name: -score for name, score in there.items()}
    direction, strength, confidence = combine(there, weights)
    assert combine(back, weights) == (OPPOSITE[direction], strength, confidence)


@given(inputs())
def test_a_trend_recomputes_from_what_is_published_of_it(found: Inputs) -> None:
    trend = evaluate(found, WEIGHTS)
    published = json.loads(json.dumps(trend._asdict()))
    assert combine(published["components"], published["weights"]) == trend[:3]
    assert list(trend.components) == [name for name in COMPONENTS if name in trend.components]
    assert trend.components.keys() == trend.weights.keys()
    assert all(-1.0 <= score <= 1.0 for score in trend.components.values())
    assert all(0.0 < weight <= WEIGHTS[name] for name, weight in trend.weights.items())
    assert 0 <= trend.strength <= 100
    assert 0.0 <= trend.confidence <= 1.0
    assert (trend.strength < SIDEWAYS_BELOW) == (trend.direction == "sideways")
    assert len(trend.reasons) <= MOST


@given(inputs(everything=True), st.sampled_from(COMPONENTS))
def test_a_missing_input_lowers_the_confidence_and_touches_nothing_of_the_others(
    found: Inputs, missing: str
) -> None:
    """Its weight is shared by the rest, as if it had never been there."""
    whole, part = evaluate(found, WEIGHTS), evaluate(without(found, missing), WEIGHTS)
    others = {name: score for name, score in whole.components.items() if name != missing}
    assert part.components == others
    assert part.weights == {name: whole.weights[name] for name in others}
    if missing in whole.components:
        assert part.confidence < whole.confidence
    assert part[:2] == combine(others, part.weights)[:2]


@given(st.sets(st.sampled_from(COMPONENTS), min_size=1), st.floats(-1, 1))
def test_inputs_that_agree_say_the_same_however_few_they_are(there: set[str], score: float) -> None:
    """Missing ones do not count as zero: strength and direction stand."""
    all_of_them = combine(dict.fromkeys(COMPONENTS, score), WEIGHTS)
    some = combine(dict.fromkeys(there, score), {name: WEIGHTS[name] for name in there})
    assert some[:2] == all_of_them[:2]
    assert some[2] == pytest.approx(sum(WEIGHTS[name] for name in there), abs=1e-3)


@pytest.mark.parametrize("missing", ["macd", "atr", "adx", "rsi", "macd_hist", "roc", "mfi"])
def test_a_missing_indicator_lowers_the_confidence_too(missing: str) -> None:
    values = {name: one for name, one in FULL.bar.values.items() if name != missing}
    part = evaluate(FULL._replace(bar=FULL.bar._replace(values=values)), WEIGHTS)
    assert part.confidence < evaluate(FULL, WEIGHTS).confidence
    assert part.direction == "up"


@pytest.mark.parametrize("setting", ["sma 20", "rsi 14", "macd 12/26/9", "atr 3, roc 5", "mfi 5"])
def test_any_set_of_indicators_works(setting: str) -> None:
    trend = of_bars(line(0.5), setting)
    assert 0.0 < trend.confidence < 0.65
    assert trend.direction in {"up", "sideways"}


def test_nothing_at_all() -> None:
    assert evaluate(NOTHING, WEIGHTS) == Evaluation("sideways", 0, 0.0, {}, {}, [])


def test_a_weight_of_zero_takes_a_component_out() -> None:
    trend = evaluate(FULL, parse_weights("news 1"))
    assert list(trend.components) == ["news"]
    assert trend.confidence == 0.75
