"""What the initial load finds missing."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.load import find_gaps, read_history
from sinks import MongoSink, Origin
from sinks.documents import bar_write
from sources import recorded
from sources.base import UnknownKeys
from sources.replay import ReplaySource
from tests.deployment import Deployment


async def test_history_is_read_also_where_an_event_loop_runs() -> None:
    await asyncio.sleep(0)
    history = read_history(ReplaySource(1.0), ["FB"])
    assert history["FB"] == sorted(history["FB"], key=lambda bar: bar.time)
    assert 0 < len(history["FB"]) < len(recorded.bars("FB"))


def test_an_unknown_ticker_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownKeys, match=r"TSLA.*AAPL, FB, GOOG, IBM, MSFT"):
        read_history(ReplaySource(1.0), ["AAPL", "TSLA"])


@pytest.mark.integration
def test_only_what_mongodb_does_not_have_is_missing(deployment: Deployment) -> None:
    bars = recorded.bars("FB")[:50]
    origin = Origin("stock-prices", 0, 0, b"FB", b"")
    sink = MongoSink(deployment.settings)
    gaps = find_gaps(deployment.settings, {"FB": bars, "NONE": []})
    assert (gaps["FB"].missing, gaps["FB"].total, gaps["FB"].late) == (bars, 50, False)
    assert gaps["NONE"].total == 0

    # One that is still forming has to come again, closed.
    sink.write([bar_write(bar, origin) for bar in (*bars[:20], bars[20].derive(closed=False))])
    gap = find_gaps(deployment.settings, {"FB": bars})["FB"]
    assert gap.missing == bars[20:]
    assert not gap.late

    sink.write([bar_write(bars[30], origin)])
    gap = find_gaps(deployment.settings, {"FB": bars})["FB"]
    assert gap.missing == [*bars[20:30], *bars[31:]]
    assert gap.late

    sink.write([bar_write(bar, origin) for bar in bars])
    gap = find_gaps(deployment.settings, {"FB": bars})["FB"]
    assert not gap.missing
    assert not gap.late
    sink.close()
