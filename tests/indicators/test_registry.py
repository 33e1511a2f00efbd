"""The setting that chooses indicators: what it means, and what is said when it is wrong."""

import re

import pytest

from indicators import DEFAULT_SPEC, INDICATORS, parse

OUTPUTS = [
    *("sma", "ema", "rsi", "macd", "macd_signal", "macd_hist"),
    *("bollinger_upper", "bollinger_middle", "bollinger_lower", "atr"),
    *("stochastic_k", "stochastic_d", "obv", "vwap", "adx", "plus_di", "minus_di"),
    *("cci", "williams_r", "mfi", "roc"),
]


def test_default() -> None:
    """The default asks for all 14, with the parameters that their classes have by default."""
    specification = parse(DEFAULT_SPEC)
    assert [entry.name for entry in specification] == list(INDICATORS)
    assert [entry.build() for entry in specification] == [kind() for kind in INDICATORS.values()]
    assert list(specification.outputs) == OUTPUTS
    assert len(specification) == 14


def test_default_reads_back() -> None:
    """Written out, a specification is a setting that means the same."""
    assert str(parse(DEFAULT_SPEC)) == DEFAULT_SPEC
    assert parse(str(parse("roc 3, sma 7"))) == parse("roc 3, sma 7")


@pytest.mark.parametrize(
    ("setting", "meaning"),
    [
        ("rsi", "rsi 14"),
        ("obv", "obv"),
        ("  SMA   50 ", "sma 50"),
        ("macd 5 / 35 / 5", "macd 5/35/5"),
        ("bollinger 20/2.0", "bollinger 20/2"),
        ("bollinger 20/2.5", "bollinger 20/2.5"),
        ("sma\t9,\n obv", "sma 9, obv"),
        ("roc 1,ema 9", "ema 9, roc 1"),
        (", ".join(INDICATORS), DEFAULT_SPEC),
    ],
)
def test_meaning(setting: str, meaning: str) -> None:
    """Spaces, case and order do not matter, and a bare name takes the defaults."""
    assert str(parse(setting)) == meaning


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sma 20, foo 3", "indicator 'foo 3': 'foo' is not known; known are sma, ema, rsi,"),
        ("", "indicator '': there is no name; known are sma"),
        ("sma 20,, rsi 14", "indicator '': there is no name"),
        ("sma20", "indicator 'sma20': 'sma20' is not known"),
        ("sma 20, ema 9, sma 50", "indicator 'sma 50': 'sma' is asked for twice; keep one"),
        ("macd 12/26", "indicator 'macd 12/26': 2 parameters, but macd takes 3; write it as"),
        ("macd 12/26", "'macd 12/26/9'"),
        ("obv 3", "indicator 'obv 3': 1 parameters, but obv takes 0; write it as 'obv'"),
        ("rsi x", "indicator 'rsi x': 'x' is not a number; write periods as 12/26/9"),
        ("macd 12//9", "indicator 'macd 12//9': '' is not a number"),
        ("rsi nan", "indicator 'rsi nan': rsi: window must be a whole number of bars"),
        ("rsi inf", "indicator 'rsi inf': rsi: window must be a whole number of bars"),
        ("rsi 2.5", "from 1 to 1000, not 2.5"),
        ("rsi 0", "indicator 'rsi 0': rsi: window must be a whole number of bars from 1 to 1000"),
        ("sma 1001", "not 1001"),
        ("macd 26/12/9", "macd: fast must be a whole number of bars from 1 to 11, not 26"),
        ("bollinger 20/0", "bollinger: deviations must be a number above 0 and at most 10, not 0"),
        ("stochastic 14/0", "stochastic: smooth must be a whole number"),
    ],
)
def test_mistakes(setting: str, message: str) -> None:
    """The message names the entry, the value and the remedy."""
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(setting)


def test_fingerprint_is_stable() -> None:
    """Stored states depend on it: a change makes every deployment start cold.

    If a formula or the layout of a state has changed, that is right: count the version up, and
    put the new value here.
    """
    assert parse(DEFAULT_SPEC).fingerprint == "d668745857f5"


def test_fingerprint_identifies() -> None:
    """Equal for equal meaning only."""
    assert parse("sma, obv").fingerprint == parse("OBV, sma 20").fingerprint
    settings = (DEFAULT_SPEC, "sma", "ema", "sma 21", "sma, ema", "macd 3/4/5", "macd 3/5/4")
    assert len({parse(setting).fingerprint for setting in settings}) == len(settings)
