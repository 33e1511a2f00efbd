"""The parts of the formula: weights, scores, words, which bar counts."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import trend
from tests.trend.inputs import FULL, mirrored
from trend import (
    COMPONENTS,
    DEFAULT_WEIGHTS,
    NO_BAR,
    Backdrop,
    Change,
    LastBar,
    Opinion,
    evaluate,
    interval_ms,
    leading,
    parse_weights,
)
from trend.macro import READINGS
from trend.scores import MISSING, momentum, price, rsi_score, sentiment, volume

WEIGHTS = parse_weights(DEFAULT_WEIGHTS)


@pytest.mark.parametrize("name", [one.name for one in pkgutil.iter_modules(trend.__path__)])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"trend.{name}")).failed == 0


def test_weights_add_up_to_one_in_the_order_of_the_components() -> None:
    for setting in (DEFAULT_WEIGHTS, "MACRO 2,price 2", "news 1e-3"):
        weights = parse_weights(setting)
        assert tuple(weights) == COMPONENTS
        assert sum(weights.values()) == pytest.approx(1.0)
    assert parse_weights("macro 2, price 2") == parse_weights("price 0.5, macro 0.5")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("price 0.5, prize 0.5", "weight 'prize 0.5': 'prize' is not known; known are price,"),
        ("price 0.5,", "weight '': there is no name"),
        ("price", "weight 'price': '' is no number from 0 to 1,000,000; write 'price 0.2'"),
        ("price x", "'x' is no number"),
        ("price -1", "'-1' is no number from 0"),
        ("price nan", "'nan' is no number"),
        ("price inf", "'inf' is no number"),
        ("price 1, price 2", "'price' is given twice"),
        ("price 0, news 0", "all are 0"),
    ],
)
def test_bad_weights_are_refused_in_words(setting: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_weights(setting)


def test_the_newest_bar_counts_and_of_equally_new_ones_the_shortest() -> None:
    bars = {"1d": LastBar(5, 1.0, {}, None), "1h": LastBar(7, 2.0, {}, None)}
    assert leading(bars).close == 2.0
    bars["1d"] = bars["1d"]._replace(time=8)
    assert leading(bars).close == 1.0
    bars = {name: LastBar(8, 1.0, {"n": n}, None) for n, name in enumerate(("1h", "90m", "1m"))}
    assert leading(bars).values == {"n": 2}
    assert leading({}) is NO_BAR


@pytest.mark.parametrize("interval", ["", "0m", "5", "m", "1y", "1000d"])
def test_what_is_no_interval(interval: str) -> None:
    with pytest.raises(ValueError, match="is no interval"):
        interval_ms(interval)


def test_longer_intervals_are_longer() -> None:
    lengths = [interval_ms(one) for one in ("1s", "90s", "5m", "1h", "1d", "1wk", "4wk", "1mo")]
    assert lengths == sorted(set(lengths))


def test_rsi_says_less_and_less_beyond_its_bounds() -> None:
    said = [rsi_score(float(rsi)) for rsi in range(0, 101, 10)]
    assert said == pytest.approx([0, -1 / 3, -2 / 3, -1, -0.5, 0, 0.5, 1, 2 / 3, 1 / 3, 0])


def test_a_price_without_range_has_no_trend() -> None:
    assert price({"macd": 0.0, "atr": 0.0, "adx": 0.0}) == MISSING
    assert momentum(LastBar(0, 1.0, {"macd_hist": 0.0, "atr": 0.0, "roc": 0.0}, None)) == MISSING


def test_shares_say_how_much_is_there() -> None:
    bar = LastBar(0, 1.0, {"rsi": 60.0, "mfi": None, "adx": None}, 0.5)
    found = momentum(bar), volume(bar), price({"macd": 1.0, "atr": 1.0})
    assert [one.share for one in found] == [1 / 3, 1 / 2, 1 / 2]
    assert volume(bar._replace(obv_slope=None)) == MISSING
    known = Backdrop(
        {"UNRATE": Change(4.0, 4.2), "GDP": Change(5.0, 0.0), "MINE": Change(2.0, 1.0)}
    )
    # GDP has no percentage to tell, MINE no say.
    assert known.share == 1 / 7
    assert known.score == known.scores["UNRATE"] > 0


def test_old_texts_fade_into_missing_ones() -> None:
    shares = [sentiment(Opinion(0.5, weight, 1)) for weight in (10.0, 1.0, 0.1)]
    assert [round(one.share, 2) for one in shares] == [0.91, 0.5, 0.09]
    assert sentiment(Opinion(0.5, 0.0, 1)).share == 0.0


def test_what_each_series_says() -> None:
    usual = {"GDP": Change(101.2, 100.0), "CPIAUCSL": Change(100.2, 100.0)}
    assert Backdrop(usual).scores == pytest.approx({"GDP": 0.0, "CPIAUCSL": 0.0}, abs=1e-9)
    more = Backdrop({series: Change(110.0, 100.0) for series in READINGS})
    good = {series for series, score in more.scores.items() if score > 0}
    assert good == {"GDP", "T10Y2Y"}


def test_reasons_are_the_weightiest_in_words() -> None:
    found = FULL._replace(
        bar=FULL.bar._replace(values={**FULL.bar.values, "rsi": 71.2}),
        backdrop=Backdrop({"UNRATE": Change(4.5, 4.0), "VIXCLS": Change(30.0, 20.0)}),
    )
    assert evaluate(found, WEIGHTS).reasons == [
        "the fast average is 0.8 ATR above the slow one, and ADX 30 says a trend",
        "momentum is upward: RSI 71 says overbought, the MACD histogram is above zero, ROC +4.0%",
        "news sounds good: +0.40, 5 items in 24 h",
    ]
    assert evaluate(found, parse_weights("macro 2, reddit 1, twitter 2, volume 1")).reasons == [
        "the macro backdrop is adverse: VIXCLS +50.00%, UNRATE +0.50",
        "volume is with the buyers: OBV rises, MFI is 60",
        "tweets sound good: +0.10, 40 posts in 24 h",
    ]


def test_reasons_of_the_other_side() -> None:
    weights = parse_weights("price 3, momentum 2, reddit 1")
    values = {**FULL.bar.values, "rsi": 75.0, "adx": 12.0}
    found = mirrored(FULL._replace(bar=FULL.bar._replace(values=values)))
    assert evaluate(found, weights).reasons == [
        "momentum is downward: RSI 25 says oversold, the MACD histogram is below zero, ROC -3.7%",
        "the fast average is 0.8 ATR below the slow one, and ADX 12 says no clear trend",
        "Reddit sounds bad: -0.20, 1 post in 24 h",
    ]
    assert evaluate(found, parse_weights("volume 1")).reasons == [
        "volume is with the sellers: OBV falls, MFI is 40"
    ]
