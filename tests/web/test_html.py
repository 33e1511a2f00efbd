"""Rows and messages as people read them."""

from __future__ import annotations

import re

import pytest

from web.html import shown


def words(value: object, name: str = "") -> str:
    """The text of what is shown."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", shown(value, name))).strip()


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (1_704_067_200_000, "time", "2024-01-01 00:00:00 UTC"),
        (1_704_067_200_000, "offset", "1704067200000"),
        (10**18, "time", "1000000000000000000"),
        (59_521_500.0, "obv", "59,521,500"),
        (0.00001234, "close", "1.234e-05"),
        (148.46812, "sma", "148.468"),
        (None, "adjusted_close", "–"),
        (True, "closed", "yes"),
        ([0, 3, 2], "texts_by_hour", "0 3 2"),
        ([], "texts_by_hour", "–"),
        ({"rsi": 30.0, "<b>": "<i>"}, "", "rsi 30 &lt;b&gt; &lt;i&gt;"),
    ],
)
def test_values_are_readable_and_escaped(value: object, name: str, text: str) -> None:
    assert words(value, name) == text
