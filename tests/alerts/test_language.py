"""The language of conditions: what it takes, what it says of the rest, and what conditions mean."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.closures import compiled
from alerts.language import Misread, Parsed, Silence, duration_ms, duration_text, parse
from alerts.names import known_names
from tests.alerts.rules import OUTPUTS

KNOWN = known_names(OUTPUTS)
NUMBERS = [name for name, known in KNOWN.items() if known.stream == "bar"]

#: A condition as text, and what it means: a function of the values and those of the bar before.
Meaning = Callable[[dict[str, Any], dict[str, Any] | None], Any]
Made = tuple[str, Meaning]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "min": min,
    "max": max,
}


def _name(name: str) -> Made:
    return name, lambda now, before: now[name]


def _number(number: int) -> Made:
    return str(number), lambda now, before: float(number)


def _two(sign: str, left: Made, right: Made) -> Made:
    def meaning(now: dict[str, Any], before: dict[str, Any] | None) -> Any:
        one, other = left[1](now, before), right[1](now, before)
        return None if None in (one, other) else OPERATORS[sign](one, other)

    if sign.isalpha():
        return f"{sign}({left[0]}, {right[0]})", meaning
    return f"({left[0]}){sign}({right[0]})", meaning


def _abs(part: Made) -> Made:
    def meaning(now: dict[str, Any], before: dict[str, Any] | None) -> Any:
        value = part[1](now, before)
        return None if value is None else abs(value)

    return f"abs({part[0]})", meaning


def _logic(word: str, left: Made, right: Made) -> Made:
    decides = word == "or"

    def meaning(now: dict[str, Any], before: dict[str, Any] | None) -> Any:
        both = left[1](now, before), right[1](now, before)
        if decides in both:
            return decides
        return None if None in both else not decides

    return f"({left[0]}) {word} ({right[0]})", meaning


def _not(part: Made) -> Made:
    def meaning(now: dict[str, Any], before: dict[str, Any] | None) -> Any:
        value = part[1](now, before)
        return None if value is None else not value

    return f"NOT ({part[0]})", meaning


def _crossing(way: str, left: Made, right: Made) -> Made:
    def meaning(now: dict[str, Any], before: dict[str, Any] | None) -> Any:
        one, other = left[1](now, before), right[1](now, before)
        if None in (one, other):
            return None
        if before is None:
            return False
        was, other_was = left[1](before, None), right[1](before, None)
        above = was <= other_was and one > other
        below = was >= other_was and one < other
        return {"above": above, "below": below, "": above or below}[way]

    return f"({left[0]}) crosses {way} ({right[0]})", meaning


numbers = st.recursive(
    st.sampled_from(NUMBERS).map(_name) | st.integers(0, 200).map(_number),
    lambda parts: (
        st.builds(_two, st.sampled_from(["+", "-", "*", "min", "max"]), parts, parts)
        | parts.map(_abs)
    ),
    max_leaves=5,
)
comparisons = st.builds(
    _two, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers, numbers
) | st.builds(_crossing, st.sampled_from(["above", "below", ""]), numbers, numbers)
conditions = st.recursive(
    comparisons,
    lambda parts: st.builds(_logic, st.sampled_from(["and", "or"]), parts, parts) | parts.map(_not),
    max_leaves=5,
)
whole = st.integers(-100, 100).map(float)
values = st.fixed_dictionaries(dict.fromkeys(NUMBERS, whole))


@given(conditions, values, values)
def test_a_condition_means_what_it_says(
    made: Made, before: dict[str, Any], now: dict[str, Any]
) -> None:
    """Compiled and looked at with two bars, as a second program reads it."""
    text, meaning = made
    try:
        parsed = parse(text, KNOWN)
    except Misread as error:
        assert "reads nothing" in str(error)
        return
    assert isinstance(parsed, Parsed)
    holds, places = compiled(parsed.tree)
    memory: list[Any] = [None] * places
    assert holds(before, memory) == meaning(before, None)
    assert holds(now, memory) == meaning(now, before)


@given(conditions, values, st.sets(st.sampled_from(NUMBERS)))
def test_what_is_not_known_decides_nothing(
    made: Made, now: dict[str, Any], missing: set[str]
) -> None:
    text, meaning = made
    partly = now | dict.fromkeys(missing)
    try:
        parsed = parse(text, KNOWN)
    except Misread:
        return
    assert isinstance(parsed, Parsed)
    holds, places = compiled(parsed.tree)
    assert holds(partly, [None] * places) == meaning(partly, None)


@given(st.text(max_size=60) | st.text("rsi<>=()+-*/., 0123456789and not crosses", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        found = parse(text, KNOWN)
    except Misread as error:
        assert 1 <= error.column <= len(text) + 1
        assert str(error)
    else:
        assert isinstance(found, Parsed | Silence)


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("rsi < 30", "bar"),
        ("RSI<30 AND close Crosses Above sma", "bar"),
        ("abs(roc) > 5", "bar"),
        ("close / open - 1 >= 0.05 or volume > 1e7", "bar"),
        ("news.sentiment < -0.5", "news"),
        ("reddit.count > 20 and not reddit.latest > 0", "reddit"),
        ("trend changes to up", "trend"),
        ("trend changes and trend.strength > 60", "trend"),
        ("trend is not sideways", "trend"),
    ],
)
def test_the_stream_that_a_condition_reads(text: str, stream: str) -> None:
    found = parse(text, KNOWN)
    assert isinstance(found, Parsed)
    assert found.stream == stream


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("silence of yahoo > 10m", Silence("yahoo", 600_000)),
        ('SILENCE OF "My feed" > 90s', Silence("My feed", 90_000)),
        ("silence of rss > 2d", Silence("rss", 172_800_000)),
    ],
)
def test_silence(text: str, expected: Silence) -> None:
    assert parse(text, KNOWN) == expected


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, ["the end", "a name"]),
        ("rsi <", 6, ["the end", "a number"]),
        ("rsi < 30 <", 10, ["'<'", "and", "the end"]),
        ("close # 3", 7, ["'#'"]),
        ("(rsi < 30", 10, ["the end", ")"]),
        ("rsl < 30", 1, ["'rsl'", "did you mean rsi?"]),
        ("close > 1 and zzzz > 2", 15, ["'zzzz'", "there are open, high"]),
        ("abz(rsi) > 2", 1, ["did you mean abs?"]),
        ("abs(rsi, sma) > 2", 1, ["takes 1 values, not 2"]),
        ("rsi", 1, ["no condition"]),
        ("1 < 2", 1, ["reads nothing"]),
        ("close > 1 + (rsi < 3)", 13, ["is a condition", "number"]),
        ("not rsi", 5, ["is a number", "condition"]),
        ("trend > 3", 1, ["is a direction"]),
        ("trend changes to 3", 18, ["is a number"]),
        ("trend is rsi", 10, ["is a number"]),
        ("rsi < 30 and news.count > 3", 14, ["news messages", "two rules"]),
        ("silence of yahoo > 10", 20, ["10m"]),
        ("silence of yahoo > 0m", 20, ["longer than 0"]),
        ("silence of yahoo < 10m", 18, ["'<'", ">"]),
        ("rsi < 1e999", 7, ["too large"]),
        ("rsi < " + "(" * 60 + "1" + ")" * 60, 56, ["deeper than"]),
        ("rsi < 1" + " " * 1_000, 1, ["1007 characters"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, column: int, words: list[str]) -> None:
    with pytest.raises(Misread) as caught:
        parse(text, KNOWN)
    assert caught.value.column == column
    for word in words:
        assert word in str(caught.value)


@given(st.integers(1, 999_999), st.sampled_from("smhd"))
def test_times_are_written_as_they_are_read(number: int, unit: str) -> None:
    ms = duration_ms(f"{number}{unit}")
    assert duration_ms(duration_text(ms)) == ms


def test_a_division_by_zero_has_no_value() -> None:
    parsed = parse("close / open > 1", KNOWN)
    assert isinstance(parsed, Parsed)
    holds, _ = compiled(parsed.tree)
    assert holds({"close": 2.0, "open": 0.0}, []) is None
    assert holds({"close": 2.0, "open": 1.0}, []) is True
