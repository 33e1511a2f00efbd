"""What counts as adjusted; how it is mended is shown with real workers in test_yahoo_worker."""

from __future__ import annotations

import pytest

from sources.adjustments import changes
from tests.deployment import bar

BEFORE = bar("A", 60_000, 100.0, adjusted_close=98.0)
STORED = {
    60_000: {
        name: getattr(BEFORE, name)
        for name in ("open", "high", "low", "close", "volume", "adjusted_close")
    }
}


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, False),
        # Rounding, and a volume that was revised.
        ({"adjusted_close": 98.0000001}, False),
        ({"volume": 2_000.0}, False),
        ({"adjusted_close": 97.9}, True),
        ({"adjusted_close": None}, True),
        ({"low": 49.5}, True),
    ],
)
def test_more_than_rounding_is_a_change(fields: dict[str, float | None], changed: bool) -> None:
    now = BEFORE.derive(**fields)
    assert changes(STORED, [now]) == ({60_000: now} if changed else {})


def test_with_one_changed_all_that_differ_are_stored_again() -> None:
    stored = STORED | {120_000: STORED[60_000], 180_000: STORED[60_000]}
    fresh = [
        BEFORE.derive(low=49.5),
        BEFORE.derive(time=120_000, volume=2_000.0),
        BEFORE.derive(time=180_000),
        # Not stored.
        BEFORE.derive(time=240_000, low=49.5),
    ]
    assert sorted(changes(stored, fresh)) == [60_000, 120_000]
