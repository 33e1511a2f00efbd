"""The chart: well-formed, to scale, and what it says is escaped."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from benchmarks.chart import chart

_SVG = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[ET.Element]:
    """The rectangles behind the first one, which is the background."""
    return ET.fromstring(text).findall(f"{_SVG}rect")[1:]  # noqa: S314 - our own


def test_lengths_are_to_scale() -> None:
    first, second = bars(chart("rates", "", {"a": 1000.0, "b": 250.0}, frozenset({"a"})))
    assert float(first.attrib["width"]) == pytest.approx(
        4 * float(second.attrib["width"]), rel=0.01
    )
    assert first.attrib["fill"] != second.attrib["fill"]


def test_rows_do_not_overlap_and_stay_inside() -> None:
    text = chart("rates", "", {str(number): 10.0 * number for number in range(1, 9)}, frozenset())
    height = float(ET.fromstring(text).attrib["viewBox"].split()[3])  # noqa: S314 - our own
    tops = [float(one.attrib["y"]) for one in bars(text)]
    ends = [float(one.attrib["y"]) + float(one.attrib["height"]) for one in bars(text)]
    assert all(end < top for end, top in zip(ends, tops[1:], strict=False))
    assert ends[-1] < height


def test_text_is_escaped() -> None:
    text = chart("a & b", "x < y", {"<c>": 1.0}, frozenset())
    found = [one.text for one in ET.fromstring(text).findall(f"{_SVG}text")]  # noqa: S314
    assert found == ["a & b", "x < y", "<c>", "1"]


@pytest.mark.parametrize("rates", [{}, {"a": 0.0}])
def test_nothing_to_draw_is_refused(rates: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        chart("rates", "", rates, frozenset())
