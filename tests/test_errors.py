"""The errors: one tree, and messages that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import errors
from errors import (
    BrokerUnavailable,
    ConfigurationError,
    FinancialTrendsError,
    InvalidRecord,
    StoreUnavailable,
    TopicMismatch,
    shorten,
)
from sources.answers import AnswerTooLarge
from sources.base import UnknownKeys
from sources.reddit_http import TokenRefused
from sources.twitter import SpentForToday

_LINE = re.compile(r"^ {4}(?P<indent>(?:[│ ]   )*(?:[├└]── )?)(?P<name>[A-Z]\w+)", re.MULTILINE)


def drawn() -> Iterator[tuple[str, str | None]]:
    """Each class of the tree in the docstring, and the one it hangs on."""
    above: list[str] = []
    for line in _LINE.finditer(errors.__doc__ or ""):
        depth = len(line["indent"]) // 4
        del above[depth:]
        yield line["name"], above[-1] if above else None
        above.append(line["name"])


def defined(root: type[Exception]) -> Iterator[tuple[str, str | None]]:
    """Each error of the program, and its base."""
    yield root.__name__, None if root is FinancialTrendsError else root.__bases__[0].__name__
    for child in root.__subclasses__():
        if not child.__module__.startswith("tests."):
            yield from defined(child)


def test_the_tree_is_the_one_that_is_drawn() -> None:
    beside = {UnknownKeys, AnswerTooLarge, TokenRefused, SpentForToday}
    assert beside == set(errors.SourceUnavailable.__subclasses__())
    assert dict(drawn()) == dict(defined(FinancialTrendsError))


def test_every_error_of_the_module_is_one_of_ours() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    ours = [kind for kind in classes if issubclass(kind, BaseException)]
    assert ours
    assert all(issubclass(kind, FinancialTrendsError) for kind in ours)


def test_a_topic_mismatch_names_topic_counts_and_remedy() -> None:
    error = TopicMismatch("stock-prices", 3, 8)
    assert isinstance(error, ConfigurationError)
    assert (error.topic, error.found, error.wanted) == ("stock-prices", 3, 8)
    assert str(error) == (
        "topic 'stock-prices' has 3 partitions but TOPIC_PARTITIONS is 8: "
        "set TOPIC_PARTITIONS=3, or delete the topic and start again"
    )


@pytest.mark.parametrize(
    ("kind", "variable"),
    [(BrokerUnavailable, "KAFKA_BOOTSTRAP_SERVERS"), (StoreUnavailable, "MONGODB_URI")],
)
def test_an_unavailable_server_has_address_reason_and_remedy(
    kind: type[BrokerUnavailable] | type[StoreUnavailable], variable: str
) -> None:
    error = kind("db.example:1", "connection refused")
    assert error.address == "db.example:1"
    for part in ("db.example:1", "connection refused", "python -m embedded up", variable):
        assert part in str(error)


def test_an_invalid_record_names_field_value_and_reason() -> None:
    error = InvalidRecord("high", "12", "must be a number")
    assert (error.field, error.value, error.reason, error.row) == (
        "high",
        "'12'",
        "must be a number",
        None,
    )
    assert str(error) == "high='12': must be a number"


def test_a_row_is_added_without_quoting_the_value_again() -> None:
    error = InvalidRecord("high", "12", "must be a number")
    placed = error.at_row(4)
    assert str(placed) == "row 4: high='12': must be a number"
    assert (placed.field, placed.value, placed.reason, placed.row) == (
        "high",
        "'12'",
        "must be a number",
        4,
    )
    assert str(placed.at_row(0)) == "row 0: high='12': must be a number"
    assert error.row is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        (True, "True"),
        (float("nan"), "nan"),
        ("5", "'5'"),
        (b"\x00", r"b'\x00'"),
        ("two\nlines", r"'two\nlines'"),
        ("x" * 78, repr("x" * 78)),
        ("x" * 79, "'" + "x" * 78 + "…"),
    ],
)
def test_values_are_shown_in_short(value: object, shown: str) -> None:
    assert shorten(value) == shown
    assert len(shorten(value)) <= 80


def test_a_value_of_many_lines_is_shown_on_one() -> None:
    class Frame:
        def __repr__(self) -> str:
            return "   open\n0   1.0"

    assert shorten(Frame()) == "open 0 1.0"


def test_a_long_value_does_not_make_a_long_message() -> None:
    error = InvalidRecord("text", "x" * 1_000_000, "is too long").at_row(1)
    assert len(str(error)) < 120
