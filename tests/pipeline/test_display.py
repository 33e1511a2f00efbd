"""What is shown, as text."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from pipeline.display import (
    View,
    bollinger_position,
    load_progress,
    newest,
    plain_lines,
    screen,
)
from pipeline.load import Gap, load
from pipeline.watch import Watch
from sources import recorded
from tests.pipeline.readings import AAPL, HEADLINE, WORKER, reading

VIEW = View(
    title="AAPL, source replay",
    elapsed_s=65,
    remaining_s=55,
    reading=reading(produced=12_345, stored=12_000, lag=345),
    rates={"prices": 1234.5},
    age_s=0.1,
    problem=None,
    workers=(WORKER,),
)


def text_of(view: View, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(screen(view))
    return captured.get()


@pytest.mark.parametrize(
    "part",
    [
        *("12,345", "12,000", "1,234.5", "345"),
        *("AAPL", "2012-03-01", "544.47", "+0.37%", "88.4", "+2.500", "45%", "up 63"),
        *("latest headlines", "2012-03-01 09:30", "+0.57", "Apple wins large contract in Europe"),
        *("worker 0: running, pid 4711, http://127.0.0.1:6066, restarts 2", "dead letters"),
        *("1:05", "0:55 to go", "Ctrl-C"),
    ],
)
def test_the_screen_shows(part: str) -> None:
    assert part in text_of(VIEW)


def test_kinds_that_never_came_are_left_out() -> None:
    assert "twitter" not in text_of(VIEW)
    assert "indicators" in text_of(VIEW)


def test_a_narrow_screen_is_no_error() -> None:
    assert "AAPL" in text_of(VIEW, width=40)


def test_before_the_first_numbers() -> None:
    view = replace(VIEW, reading=None, workers=())
    assert "AAPL" in text_of(view)
    assert plain_lines(view) == []


def test_old_numbers_say_so() -> None:
    view = replace(VIEW, age_s=9.0, problem="no Kafka broker at k:1: no answer")
    assert "9 s ago: no Kafka broker at k:1" in text_of(view)
    assert "9 s ago: no Kafka broker at k:1" in plain_lines(view)[0]


def test_plain_lines_have_no_control_characters() -> None:
    first, second, third = plain_lines(VIEW)
    assert first.startswith("1:05 prices: produced 12345, stored 12000, 1234.5/s, lag 345")
    assert second == "  AAPL 2012-03-01 544.47 (+0.37%) RSI 88.4 up 63"
    assert third == "  AAPL +0.57 Apple wins large contract in Europe"
    assert (first + second + third).isprintable()


HOSTILE = replace(HEADLINE, title="\x1b[2J[red]Gone[/red]\r\n" + "very long " * 40)


def test_a_headline_is_one_line_and_obeys_nothing() -> None:
    numbers = VIEW.reading
    assert numbers is not None
    view = replace(VIEW, reading=replace(numbers, headlines={"AAPL": HOSTILE}))
    for width in (60, 120):
        (shown,) = [line for line in text_of(view, width).splitlines() if "Gone" in line]
        assert "[2J[red]Gone[/red] very" in shown
        assert "\x1b" not in shown
        assert "…" in shown
        assert len(shown) <= width
    last = plain_lines(view)[-1]
    assert last.isprintable()
    assert last.endswith("...")
    assert len(last) < 80


def test_of_many_headlines_the_newest_are_shown() -> None:
    many = [
        replace(HEADLINE, ticker=f"T{n}", time=HEADLINE.time + timedelta(hours=n % 7))
        for n in range(14)
    ]
    shown = [one.ticker for one in newest(many)]
    assert shown == ["T4", "T5", "T6", "T11", "T12", "T13"]
    numbers = VIEW.reading
    assert numbers is not None
    headlines = {one.ticker: one for one in many}
    view = replace(VIEW, reading=replace(numbers, headlines=headlines))
    assert text_of(view).count("Apple wins") == plain_lines(view)[-1].count("Apple wins") == 6


def test_a_headline_that_nobody_judged() -> None:
    numbers = VIEW.reading
    assert numbers is not None
    headlines = {"AAPL": replace(HEADLINE, sentiment=None)}
    view = replace(VIEW, reading=replace(numbers, headlines=headlines))
    assert plain_lines(view)[-1] == "  AAPL - Apple wins large contract in Europe"
    assert "Apple wins" in text_of(view)


def test_before_the_first_headline() -> None:
    numbers = VIEW.reading
    assert numbers is not None
    view = replace(VIEW, reading=replace(numbers, headlines={}))
    assert "headline" not in text_of(view)
    assert len(plain_lines(view)) == 2


@pytest.mark.parametrize(
    ("lower", "upper", "shown"),
    [(540.0, 550.0, "45%"), (None, 550.0, "-"), (550.0, 550.0, "-"), (545.0, 546.0, "-53%")],
)
def test_position_in_the_bollinger_band(
    lower: float | None, upper: float | None, shown: str
) -> None:
    values = {"bollinger_lower": lower, "bollinger_upper": upper}
    assert bollinger_position(replace(AAPL, indicators=values)) == shown


class AcknowledgingProducer:
    """Takes records and says that they arrived."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def produce_history(self, bars: Any) -> int:
        self.calls.append(len(bars))
        return len(bars)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_load_reports_each_ticker(terminal: bool) -> None:
    bars = recorded.bars("FB")
    gaps = {
        "FB": Gap(bars[:150], 150, late=False),
        "HALF": Gap(bars[:50], 150, late=True),
        "DONE": Gap((), 150, late=False),
    }
    console = Console(file=io.StringIO(), width=100, force_terminal=terminal)
    producer: Any = AcknowledgingProducer()
    with console.capture() as captured, load_progress(console, gaps) as report:
        assert load(producer, gaps, report, Event()) == 200
    shown = captured.get()
    assert "HALF: 100 of 150 bars already stored" in shown
    assert "DONE: 150 of 150 bars already stored" in shown
    if terminal:
        assert "150/150" in shown
    else:
        assert "FB: 150 bars of history produced" in shown
        assert "\x1b" not in shown


def test_a_load_stops_between_two_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.load.BARS_AT_ONCE", 500)
    bars = recorded.bars("AAPL")[:1200]
    stop = Event()
    producer: Any = AcknowledgingProducer()

    def report(ticker: str, done: int) -> None:
        if done:
            stop.set()

    assert load(producer, {"AAPL": Gap(bars, 1200, late=False)}, report, stop) == 500
    assert producer.calls == [500]


class Numbers:
    """Gauges whose numbers were thought up."""

    def __init__(self, *numbers: Any) -> None:
        self.numbers = list(numbers)

    def read(self) -> Any:
        return self.numbers.pop(0)


def test_rates_are_of_what_was_processed() -> None:
    gauges: Any = Numbers(reading(1000, 1000, lag=400, at=10.0))
    watch = Watch(gauges)
    watch.start()
    watch.stop()
    assert watch.rates() == {}
    watch._take(reading(1400, 1400, lag=0, at=12.0))
    assert watch.rates()["prices"] == 400.0
