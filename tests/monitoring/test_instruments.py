"""What sources say about their age, by their meters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitoring.instruments import SourceMeter
from tests.eventually import eventually


@pytest.fixture
def meter() -> Iterator[SourceMeter]:
    made = SourceMeter("a-source", 60.0)
    yield made
    SourceMeter.all.remove(made)


def test_a_source_without_keys_has_no_age(meter: SourceMeter) -> None:
    assert meter.age_s() is None
    meter.owns(True)
    assert meter.age_s() is not None
    meter.owns(False)
    assert meter.age_s() is None


def test_the_age_grows_until_a_poll_succeeds(meter: SourceMeter) -> None:
    meter.owns(True)
    eventually(lambda: (meter.age_s() or 0) > 0.05, "an older source")
    meter.owns(True)
    meter.failed()
    older = meter.age_s()
    assert older is not None
    assert older > 0.05
    meter.succeeded()
    younger = meter.age_s()
    assert younger is not None
    assert younger < older
