"""Four providers flood a worker for some seconds: bounded memory, nothing lost, others served."""

from __future__ import annotations

import pytest

from benchmarks import flood
from benchmarks.arena import arena

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(900)]


def test_a_flood_stays_within_its_bounds() -> None:
    with arena() as place:
        found = flood.flood(place, 10.0)
    assert flood.wrong(found) == [], found
    # How much comes in so few seconds is the machine's to say; that it came is not.
    assert min(found[f"sent_{name}"] for name in flood.STORED) > 0, found
