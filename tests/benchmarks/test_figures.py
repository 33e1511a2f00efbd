"""The statistics: exact on numbers that one can check by hand."""

from __future__ import annotations

import pytest

from benchmarks.figures import medians, percentile, ratios


@pytest.mark.parametrize(
    ("share", "expected"), [(0.01, 1.0), (0.5, 50.0), (0.501, 51.0), (0.99, 99.0), (1.0, 100.0)]
)
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    """Of 1 to 100, in any order."""
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, share) == expected


def test_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_percentile_refuses_what_has_none(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


def test_medians_are_over_the_rounds_that_have_the_name() -> None:
    rounds = [{"a": 1.0}, {"a": 9.0, "b": 4.0}, {"a": 2.0, "b": 6.0}]
    assert medians(rounds) == {"a": 2.0, "b": 5.0}


def test_ratios_are_taken_within_each_round() -> None:
    """A slow second round changes neither of its ratios; a ratio of medians would be 1.5."""
    rounds = [
        {"ours": 40.0, "other": 10.0},
        {"ours": 4.0, "other": 1.0},
        {"ours": 15.0, "other": 12.0},
    ]
    assert ratios(rounds, "ours") == {"other": 4.0}


def test_a_round_without_ours_has_no_ratios() -> None:
    assert ratios([{"other": 1.0}, {"ours": 2.0, "other": 1.0}], "ours") == {"other": 2.0}
