"""The bars: valid, the same each time, and turned into the documents that the program makes."""

from __future__ import annotations

from itertools import islice

import orjson

from benchmarks import workload
from benchmarks.documents import document, ohlcv, snapshot
from benchmarks.live import LiveIndicators
from indicators import DEFAULT_SPEC, IndicatorSet, parse
from models import BAR, INDICATOR_SNAPSHOT, OURSELVES
from sinks import Origin
from sinks.documents import bar_write


def test_bars_are_valid_messages() -> None:
    for bar in islice(workload.bars(7), 50):
        key, value = workload.message(bar)
        assert BAR.encode(BAR.decode(key, value)) == orjson.dumps(
            {name: bar[name] for name in BAR.fields}
        )


def test_tickers_take_turns() -> None:
    names = [bar["ticker"] for bar in islice(workload.bars(3), 7)]
    assert names == ["T00000", "T00001", "T00002"] * 2 + ["T00000"]


def test_a_ticker_is_the_same_whoever_is_beside_it() -> None:
    alone = list(islice(workload.bars(1), 20))
    among = [bar for bar in islice(workload.bars(5), 100) if bar["ticker"] == "T00000"]
    assert alone == among
    assert [ohlcv(bar) for bar in alone] == workload.history(0, 20)


def test_later_bars_continue_the_walk() -> None:
    assert (
        list(islice(workload.bars(3, first_index=4), 6)) == list(islice(workload.bars(3), 18))[12:]
    )


def test_records_are_the_same_bars_by_ticker() -> None:
    found = workload.records(3, 9)
    assert {name: len(bars) for name, bars in found.items()} == dict.fromkeys(found, 3)
    assert [BAR.encode(bar) for bar in found["T00001"]] == [
        BAR.encode(BAR.parse(bar))
        for bar in islice(workload.bars(3), 9)
        if bar["ticker"] == "T00001"
    ]


def test_documents_and_snapshots_are_those_of_the_program() -> None:
    """Contestants write what the program writes, to the field and to the type."""
    indicators = IndicatorSet(parse(DEFAULT_SPEC))
    for bar in islice(workload.bars(1), 60):
        indicators.update(ohlcv(bar))
        values = indicators.values()
        write = bar_write(BAR.parse(bar), Origin("t", 0, 0, None, None), values)
        assert list(document(bar, values).items()) == [("_id", write.id), *write.document.items()]
        message = orjson.dumps(snapshot(bar, values))
        record = INDICATOR_SNAPSHOT.decode(bar["ticker"].encode(), message)
        assert (record.values, record.source) == (values, OURSELVES)


def test_live_indicators_go_on_from_their_state() -> None:
    first, second = LiveIndicators(), LiveIndicators()
    bars = [ohlcv(bar) for bar in islice(workload.bars(1), 60)]
    for bar in bars[:40]:
        first.of("A", None).update(bar)
    state = first.of("A", None).state()
    assert "A" in first
    assert "A" not in second
    for bar in bars[40:]:
        first.of("A", None).update(bar)
        second.of("A", state).update(bar)
    assert first.of("A", None).values() == second.of("A", None).values()
