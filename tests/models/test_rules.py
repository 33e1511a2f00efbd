"""The rules of single fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from models import rules
from models.rules import check_ticker


def accepts(rule: Any, value: object) -> bool:
    try:
        TypeAdapter(rule).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


TICKERS = ["A", "AAPL", "BRK-B", "BRK.B", "^GSPC", "EURUSD=X", "M&M.NS", "0700.HK", "A" * 32]
NO_TICKERS = ["", " ", "aapl", "AAPL ", "AAPL\n", "-A", ".A", "A B", "A/B", "A|B", "Ä", "A" * 33]


@pytest.mark.parametrize("ticker", TICKERS)
def test_a_ticker(ticker: str) -> None:
    assert accepts(rules.Ticker, ticker)
    assert check_ticker(ticker) == ticker


@pytest.mark.parametrize("ticker", NO_TICKERS)
def test_no_ticker(ticker: str) -> None:
    assert not accepts(rules.Ticker, ticker)
    with pytest.raises(ValueError, match="is no ticker"):
        check_ticker(ticker)


@given(st.text(st.sampled_from("AZ09^.-=&az |\n٣"), max_size=34))
def test_settings_and_messages_agree_on_tickers(ticker: str) -> None:
    try:
        found = check_ticker(ticker) == ticker
    except ValueError:
        found = False
    assert found == accepts(rules.Ticker, ticker)


@pytest.mark.parametrize(
    ("rule", "value", "good"),
    [
        *((rules.Interval, text, True) for text in ("1s", "5m", "1h", "1d", "1wk", "3mo", "999m")),
        *((rules.Interval, text, False) for text in ("", "d", "0d", "1D", "1000m", "1d\n", "1٣d")),
        *((rules.Series, text, True) for text in ("UNRATE", "T10Y2Y", "a.b-c_d", "x" * 64)),
        *((rules.Series, text, False) for text in ("", "A B", "A|B", "x" * 65, "UNRATE\n")),
        *((rules.IndicatorName, text, True) for text in ("rsi", "_x", "RSI14", "x" * 64)),
        *((rules.IndicatorName, text, False) for text in ("", "1x", "a.b", "$x", "ä", "x" * 65)),
        *((rules.Identifier, text, True) for text in ("1", "https://a.example/?b=1", "ä" * 256)),
        *((rules.Identifier, text, False) for text in ("", "a\0b", "x" * 257, 5)),
        (rules.Time, rules.EARLIEST_MS, True),
        (rules.Time, rules.EARLIEST_MS - 1, False),
        (rules.Time, 0, True),
        (rules.Time, 0.0, False),
        (rules.Time, True, False),
        (rules.Price, 0.0, True),
        (rules.Price, 1e15, True),
        (rules.Price, 1.1e15, False),
        (rules.Price, -1e-9, False),
        (rules.Volume, 1e18, True),
        (rules.Volume, -1.0, False),
        (rules.Number, -1e300, True),
        (rules.Number, 1e301, False),
        (rules.Sentiment, -1, True),
        (rules.Sentiment, -1.001, False),
        (rules.IndicatorValues, {"a": None}, True),
        (rules.IndicatorValues, {}, False),
        (rules.IndicatorValues, {f"a{i}": 1.0 for i in range(201)}, False),
    ],
)
def test_a_rule(rule: Any, value: object, good: bool) -> None:
    assert accepts(rule, value) is good


@pytest.mark.parametrize("rule", [rules.Price, rules.Volume, rules.Number, rules.Sentiment])
@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number(rule: Any, value: object) -> None:
    assert not accepts(rule, value)


@given(st.floats(0, 1e15), st.floats(0, 1e18))
def test_windows_of_allowed_values_cannot_overflow(price: float, volume: float) -> None:
    assert (price * volume) ** 2 * 1000 < float("inf")
