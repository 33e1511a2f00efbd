"""docs/trend.md: its example is computed, its tables are those of the program."""

from __future__ import annotations

import ast
import math
from typing import Any

import orjson
import pytest

from config import Settings
from tests.test_docs import blocks, names, rows, section
from trend import (
    COMPONENTS,
    DEFAULT_WEIGHTS,
    SIDEWAYS_BELOW,
    Backdrop,
    Change,
    Evaluation,
    Inputs,
    LastBar,
    Opinion,
    evaluate,
    parse_weights,
)
from trend.macro import READINGS
from trend.scores import scores

PAGE = "docs/trend.md"
WEIGHTS = parse_weights(DEFAULT_WEIGHTS)


def example() -> tuple[Inputs, dict[str, Any]]:
    """The inputs on the page, and what it says they give."""
    given, gives = (orjson.loads(block) for block in blocks(PAGE, "json"))
    bar = given["bar"]
    inputs = Inputs(
        LastBar(0, bar["close"], bar["values"], bar["obv_slope"]),
        {kind: Opinion(**one) for kind, one in given["opinions"].items()},
        Backdrop({series: Change(**one) for series, one in given["changes"].items()}),
    )
    return inputs, gives


def calculated(text: str) -> float:
    """What an expression of the page comes to."""
    known = {"tanh": math.tanh, "sqrt": math.sqrt, "min": min}
    tree = ast.parse(text, mode="eval")
    assert {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)} <= known.keys()
    value: float = eval(compile(tree, PAGE, "eval"), {"__builtins__": {}}, known)  # noqa: S307
    return value


def test_the_example_gives_what_the_page_says() -> None:
    inputs, gives = example()
    assert evaluate(inputs, WEIGHTS) == Evaluation(**gives)


def test_the_example_is_worked_out_on_the_page() -> None:
    inputs, gives = example()
    table = rows(section(PAGE, "An example"))
    assert [names(row[0])[0] for row in table] == list(gives["components"])
    found = scores(inputs)
    for cell, how, score, share, weight in table:
        name = names(cell)[0]
        assert calculated(names(how)[0]) == pytest.approx(found[name].value)
        assert float(score) == gives["components"][name]
        assert calculated(share) == pytest.approx(found[name].share)
        assert float(weight) == gives["weights"][name]


def test_weights_are_the_defaults() -> None:
    table = [row for row in rows(section(PAGE, "Components")) if names(row[0])[0] in COMPONENTS]
    assert {names(row[0])[0]: float(row[1]) for row in table} == pytest.approx(WEIGHTS)
    assert Settings.model_fields["trend_weights"].default == DEFAULT_WEIGHTS


def test_series_are_read_as_the_page_says() -> None:
    listed = {
        names(row[0])[0]: (
            {"good": 1, "bad": -1}[row[4]],
            {"%": True, "points": False}[row[1]],
            float(row[2]),
            float(row[3]),
        )
        for row in rows(section(PAGE, "Components"))
        if names(row[0])[0] in READINGS
    }
    assert listed == {series: tuple(reading) for series, reading in READINGS.items()}


def test_parts_are_those_of_a_trend() -> None:
    listed = {names(row[0])[0] for row in rows(section(PAGE, "The trend")[:2_000])}
    assert {*Evaluation._fields, "time", "version"} <= listed
    assert f"below {SIDEWAYS_BELOW}" in section(PAGE, "The trend")
