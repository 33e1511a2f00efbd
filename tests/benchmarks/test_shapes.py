"""Other shapes of load: valid messages of the sizes that are said, worked through and judged."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
import pytest
from rich.console import Console

from benchmarks import bursts, race, roster, shapes, stories, workload
from benchmarks.arena import Arena, arena
from benchmarks.documents import ohlcv
from benchmarks.forms import FORMS, LARGE, SMALL, USUAL, Form, short_name
from benchmarks.oracle import agree, reference
from errors import InvalidRecord
from indicators import DEFAULT_SPEC, IndicatorSet, parse
from models import BAR, NEWS_ITEM
from models.quick import QuickBar, decode_bar
from models.rules import DAY_MS, is_ticker

OURS = next(one for one in roster.CONTESTANTS if one.name == roster.OURS)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_taken_the_quick_way(form: Form) -> None:
    latest = time.time() * 1000 + DAY_MS
    for bar in islice(workload.bars(7, form=form), 700):
        key, value = workload.message(bar, form)
        quick = decode_bar(key, value, latest)
        assert isinstance(quick, QuickBar)
        record = BAR.decode(key, value)
        assert {name: getattr(quick, name) for name in BAR.fields} == record.asdict()
        assert {name: getattr(quick, name) for name in bar} == bar


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_later_bar_of_every_form_can_be_made_again(form: Form) -> None:
    assert next(form.walk(40, 9)) == list(islice(form.walk(40, 0), 10))[9]


def test_a_small_bar_has_no_field_that_it_does_not_need() -> None:
    bar = next(SMALL.walk(0, 0))
    for name in bar:
        without = {other: value for other, value in bar.items() if other != name}
        with pytest.raises(InvalidRecord, match="missing"):
            BAR.decode(b"0", orjson.dumps(without))
    # One digit for each number and one letter for the ticker: nothing can be shorter.
    shortest = bar | dict.fromkeys(("time", "open", "high", "low", "close", "volume"), 0)
    value = orjson.dumps(shortest)
    assert BAR.decode(b"0", value).ticker == "0"
    assert len(value) == 111


def test_short_names_are_tickers_each_once() -> None:
    names = [short_name(number) for number in range(2_000)]
    assert len(set(names)) == len(names)
    assert all(map(is_ticker, names))
    assert (names[0], names[35], names[36], names[71]) == ("0", "Z", "10", "1Z")


def test_values_at_small_bars_are_those_of_ta() -> None:
    """Whole numbers repeat themselves: where a window is all alike, both have to say the same."""
    specification = parse(DEFAULT_SPEC)
    for ticker in range(5):
        bars = [ohlcv(bar) for bar in islice(SMALL.walk(ticker, 0), 400)]
        assert all(bar.high > bar.low for bar in bars)
        columns = reference(bars, specification)
        ours = IndicatorSet(specification)
        for index, bar in enumerate(bars):
            ours.update(bar)
            for name, value in ours.values().items():
                assert agree(name, value, columns[name][index], 100.0), (ticker, index, name)


def test_sizes_are_what_is_said() -> None:
    found = {
        name: shapes.message_bytes(shape, 1_000)
        for name, shape in shapes.SHAPES.items()
        if shape.tickers == 200
    }
    assert found["small"] < 125 < found["usual"] < 260
    assert 9_900 < found["large"] < 10_100


def test_large_messages_differ_from_each_other() -> None:
    some = islice(LARGE.walk(0, 0), 16)
    assert len({LARGE.value(bar)[-9_000:] for bar in some}) == 16


def test_stories_are_valid_and_the_same_each_time() -> None:
    some = list(stories.stories(20))
    for one in some:
        value = NEWS_ITEM.encode(one)
        assert abs(len(value) - stories.STORY_BYTES) < 300
        assert NEWS_ITEM.decode(NEWS_ITEM.encode_key(one), value).sentiment is None
    assert [one.summary for one in stories.stories(20)] == [one.summary for one in some]
    assert len({one.id for one in some}) == 20


def test_sizes_of_a_quick_run_are_smaller() -> None:
    quick, whole = shapes.sizes(quick=True), shapes.sizes(quick=False)
    assert quick["bars"].keys() == whole["bars"].keys() == shapes.SHAPES.keys()
    assert all(quick["bars"][name] < whole["bars"][name] for name in shapes.SHAPES)


def whole() -> dict[str, Any]:
    """The results of a whole run."""
    one = {"bars": 10, "seconds": 1.0, "cpu_s": 1.0, "rss_mb": 9.0, "problems": []}
    both = {roster.OURS: one | {"bars_per_s": 40.0}, roster.QUIX: one | {"bars_per_s": 10.0}}
    spread = {"median": 1.0, "max": 2.0}
    burst = {"bars": 5, "readable_s": spread, "committed_s": spread, "problems": []}
    found = {
        "rates": {
            name: {"message_bytes": 200, "ratio": 4.0, "contestants": both}
            for name in shapes.SHAPES
        },
        "stories": {"stories": 5, "seconds": 2.0, "message_bytes": 10_000, "problems": []},
        "beside_stories": {
            "bars_per_s_with": 1.0,
            "bars_per_s_without": 2.0,
            "stories_per_s": 3.0,
        },
        "bursts": dict.fromkeys(shapes.BURSTS, burst),
    }
    # Each part is to be its own.
    return dict(orjson.loads(orjson.dumps(found)))


def test_every_shape_and_row_is_shown() -> None:
    output = io.StringIO()
    shapes.show(Console(file=output, width=200), whole())
    text = output.getvalue()
    for shape in shapes.SHAPES.values():
        assert shape.title in text
    assert "Quix Streams, as for latency" in text
    assert "stories of 10,000 bytes: 2/s alone" in text


def test_problems_are_told_with_their_shape() -> None:
    found = whole()
    assert shapes.problems(found) == []
    found["rates"]["small"]["contestants"][roster.QUIX] |= {"problems": ["9 for 10"]}
    found["bursts"]["quixstreams_eager"] |= {"problems": ["8 for 10"]}
    found["stories"]["problems"] = ["7 for 10"]
    assert shapes.problems(found) == [
        "small, quixstreams: 9 for 10",
        "stories: 7 for 10",
        "bursts, quixstreams_eager: 8 for 10",
    ]


@pytest.fixture(scope="module")
def place() -> Iterator[Arena]:
    """Servers of their own, as topics are made anew."""
    with arena() as found:
        yield found


@pytest.mark.long
@pytest.mark.integration
@pytest.mark.timeout(600)
class TestOurContestant:
    """From start to verdict, on every shape; too few bars to say how fast."""

    @pytest.mark.parametrize("form", [SMALL, LARGE, USUAL], ids=lambda form: form.name)
    def test_every_form_is_worked_through(self, place: Arena, form: Form) -> None:
        place.refill(20, 2_000, form)
        result = race.run(place, OURS, tickers=20, bars=2_000, form=form)
        assert result.problems == []
        assert result.bars == 2_000

    def test_bursts_are_timed(self, place: Arena) -> None:
        found = bursts.measure(place, OURS, bursts=2, bars=1_000)
        assert found["problems"] == []
        assert 0 <= found["readable_s"]["median"] <= found["committed_s"]["max"]

    def test_stories_are_judged_and_counted(self, place: Arena) -> None:
        found = stories.alone(place, 100)
        assert found["problems"] == []
        assert found["seconds"] > 0

    def test_bars_beside_stories_are_timed(self, place: Arena) -> None:
        found = stories.beside(place, 2_000, 500)
        assert found["bars_per_s_with"] > 0
        assert 0 <= found["stories_left"] <= 500
