"""A few spoilt answers for every source, as the fuzzer makes them."""

from __future__ import annotations

from pathlib import Path

from fuzz.answers import answers
from tests.sources.live import MAKERS


async def test_sources_refuse_what_they_cannot_use(tmp_path: Path) -> None:
    answered = await answers(8, 23, tmp_path)
    assert answered.findings == []
    assert {outcome.partition(":")[0] for outcome in answered.outcomes} == MAKERS.keys()
    assert sum(answered.outcomes.values()) == 8 * len(MAKERS)
