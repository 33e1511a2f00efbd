"""What the user sees while it runs: a display that refreshes in place, or plain lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from pipeline.load import Gap, Report
from pipeline.status import Headline, Reading, TickerStatus
from pipeline.workers import WorkerStatus

#: Kinds that are shown even while nothing of them ever came.
ALWAYS = ("prices", "indicators")
#: Numbers older than this are marked, in seconds.
STALE_S = 3.0
REFRESH_PER_S = 2.0
#: Seconds between two plain lines.
PLAIN_EVERY_S = 5.0
#: Headlines shown at most, the newest; and characters of each in a plain line.
MOST_HEADLINES = 6
PLAIN_TITLE = 60


@dataclass(frozen=True, slots=True)
class View:
    """One moment of the pipeline, ready to be shown.

    Attributes:
        title: what runs: the tickers and the source.
        elapsed_s: since the workers were started, in seconds.
        remaining_s: until the end that was asked for; None if none was.
        reading: the numbers; None while there are none.
        rates: messages processed per second, by kind.
        age_s: how old the numbers are, in seconds.
        problem: why there are no newer numbers, if so.
        workers: the worker processes.
        note: what goes on, if it is not the usual.
    """

    title: str
    elapsed_s: float
    remaining_s: float | None
    reading: Reading | None
    rates: Mapping[str, float]
    age_s: float
    problem: str | None
    workers: tuple[WorkerStatus, ...]
    note: str = ""


def screen(view: View) -> RenderableType:
    """Return the display of a terminal."""
    parts: list[RenderableType] = [Text(f"Financial Trends: {view.title}", style="bold")]
    if view.reading is not None:
        parts.append(kinds_table(view.reading, view.rates))
        if view.reading.tickers:
            parts.append(tickers_table(view.reading.tickers.values()))
        if view.reading.headlines:
            parts.append(headlines_table(newest(view.reading.headlines.values())))
    if view.problem is not None and view.age_s > STALE_S:
        parts.append(Text(f"numbers of {view.age_s:.0f} s ago: {view.problem}", style="yellow"))
    parts.extend(Text(worker_line(worker)) for worker in view.workers)
    if view.note:
        parts.append(Text(view.note, style="bold"))
    parts.append(Text(f"{_times(view)}; Ctrl-C to stop", style="dim"))
    return Group(*parts)


def kinds_table(reading: Reading, rates: Mapping[str, float]) -> Table:
    """Return the table with a row per kind of data."""
    table = Table(title="messages and documents", title_justify="left", title_style="italic")
    table.add_column("data")
    for name in ("produced", "stored", "per second", "lag"):
        table.add_column(name, justify="right")
    for kind, status in reading.data.items():
        if kind in ALWAYS or status.produced or status.stored:
            table.add_row(
                kind,
                f"{status.produced:,}",
                "-" if status.stored is None else f"{status.stored:,}",
                f"{rates.get(kind, 0.0):,.1f}",
                Text(f"{status.lag:,}", style="yellow" if status.lag else ""),
            )
    if reading.dead_letters:
        table.add_row("dead letters", "", f"{reading.dead_letters:,}", "", "", style="red")
    return table


def tickers_table(tickers: Iterable[TickerStatus]) -> Table:
    """Return the table with the last bar of each ticker, its main indicators and its trend."""
    table = Table(title="last stored bars", title_justify="left", title_style="italic")
    table.add_column("ticker")
    table.add_column("bar of")
    for name in ("close", "change", "RSI", "MACD hist", "EMA", "ATR", "Bollinger"):
        table.add_column(name, justify="right")
    table.add_column("trend")
    for one in tickers:
        values = one.indicators
        table.add_row(
            one.ticker,
            bar_time(one.time) + ("" if one.closed else " (forming)"),
            f"{one.close:,.2f}",
            _signed(one.change, "+.2%"),
            _number(values.get("rsi"), ".1f"),
            _number(values.get("macd_hist"), "+.3f"),
            _number(values.get("ema"), ",.2f"),
            _number(values.get("atr"), ",.2f"),
            bollinger_position(one),
            _trend(one.trend),
        )
    return table


def headlines_table(headlines: Iterable[Headline]) -> Table:
    """Return the table with the latest headline of each ticker, a line each, cut to the width."""
    table = Table(title="latest headlines", title_justify="left", title_style="italic")
    table.add_column("ticker")
    table.add_column("of")
    table.add_column("sentiment", justify="right")
    table.add_column("headline", no_wrap=True, overflow="ellipsis")
    for one in headlines:
        table.add_row(
            one.ticker,
            f"{one.time:%Y-%m-%d %H:%M}",
            _signed(one.sentiment, "+.2f"),
            Text(printable(one.title)),
        )
    return table


def newest(headlines: Iterable[Headline]) -> list[Headline]:
    """Return the newest that there is room for, in the order given."""
    every = list(headlines)
    kept = sorted(every, key=lambda one: one.time, reverse=True)[:MOST_HEADLINES]
    return [one for one in every if one in kept]


def printable(text: str) -> str:
    """Return an outside text on one line, without characters that a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def bollinger_position(one: TickerStatus) -> str:
    """Return where the close stands in the band: 0 % at its lower edge, 100 % at its upper."""
    lower, upper = one.indicators.get("bollinger_lower"), one.indicators.get("bollinger_upper")
    if lower is None or upper is None or upper <= lower:
        return "-"
    return f"{(one.close - lower) / (upper - lower):.0%}"


def worker_line(worker: WorkerStatus) -> str:
    """Return one line about a worker process."""
    process = "" if worker.pid is None else f", pid {worker.pid}, {worker.web}"
    restarts = f", restarts {worker.restarts}" if worker.restarts else ""
    state = "waiting to start again" if worker.state == "waiting" else worker.state
    return f"worker {worker.index}: {state}{process}{restarts}"


def plain_lines(view: View) -> list[str]:
    """Return what a pipe gets: one line of numbers, one of tickers, one of headlines."""
    if view.reading is None:
        return []
    numbers = []
    for kind, status in view.reading.data.items():
        if kind in ALWAYS or status.produced or status.stored:
            stored = "?" if status.stored is None else status.stored
            numbers.append(
                f"{kind}: produced {status.produced}, stored {stored}, "
                f"{view.rates.get(kind, 0.0):.1f}/s, lag {status.lag}"
            )
    if view.reading.dead_letters:
        numbers.append(f"dead letters: {view.reading.dead_letters}")
    if view.problem is not None and view.age_s > STALE_S:
        numbers.append(f"numbers of {view.age_s:.0f} s ago: {view.problem}")
    lines = [f"{duration(view.elapsed_s)} {' | '.join(numbers)}"]
    if view.reading.tickers:
        lines.append("  " + " | ".join(map(_short, view.reading.tickers.values())))
    if view.reading.headlines:
        lines.append("  " + " | ".join(map(_news, newest(view.reading.headlines.values()))))
    return lines


def duration(seconds: float) -> str:
    """Return a duration as people write it.

    >>> duration(5), duration(65), duration(3723)
    ('0:05', '1:05', '1:02:03')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bar_time(time: datetime) -> str:
    """Return the date of a daily bar, date and time (UTC) of any other."""
    midnight = (time.hour, time.minute, time.second) == (0, 0, 0)
    return f"{time:%Y-%m-%d}" if midnight else f"{time:%Y-%m-%d %H:%M:%S}"


@contextmanager
def live(console: Console, view: Callable[[], View]) -> Iterator[None]:
    """Show ``view`` in place, twice a second, until the context ends; it stays on the screen."""
    with Live(
        get_renderable=lambda: screen(view()),
        console=console,
        refresh_per_second=REFRESH_PER_S,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield


@contextmanager
def load_progress(console: Console, gaps: Mapping[str, Gap]) -> Iterator[Report]:
    """Show how the initial load goes: a bar per ticker, or a line per ticker once it is done."""
    for ticker, gap in gaps.items():
        stored = gap.total - len(gap.missing)
        if stored:
            console.print(f"{ticker}: {stored} of {gap.total} bars already stored", highlight=False)
    missing = {ticker: len(gap.missing) for ticker, gap in gaps.items() if gap.missing}
    if not console.is_terminal:

        def say(ticker: str, done: int) -> None:
            if done == missing[ticker]:
                console.print(f"{ticker}: {done} bars of history produced", highlight=False)

        yield say
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        tasks = {
            ticker: progress.add_task(f"{ticker:<8}", total=total, start=False)
            for ticker, total in missing.items()
        }

        def advance(ticker: str, done: int) -> None:
            if done == 0:
                progress.start_task(tasks[ticker])
            progress.update(tasks[ticker], completed=done)

        yield advance


class _Rate(ProgressColumn):
    """Bars per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} bars/s")


def _times(view: View) -> str:
    if view.remaining_s is None:
        return f"running for {duration(view.elapsed_s)}"
    return f"running for {duration(view.elapsed_s)}, {duration(view.remaining_s)} to go"


def _short(one: TickerStatus) -> str:
    change = "" if one.change is None else f" ({one.change:+.2%})"
    rsi = one.indicators.get("rsi")
    return (
        f"{one.ticker} {bar_time(one.time)} {one.close:.2f}{change}"
        + ("" if rsi is None else f" RSI {rsi:.1f}")
        + ("" if one.trend is None else f" {one.trend}")
    )


def _news(one: Headline) -> str:
    title = printable(one.title)
    if len(title) > PLAIN_TITLE:
        title = f"{title[: PLAIN_TITLE - 3].rstrip()}..."
    return f"{one.ticker} {_number(one.sentiment, '+.2f')} {title}"


def _trend(trend: str | None) -> Text:
    if trend is None:
        return Text("-")
    colours = {"up": "green", "down": "red"}
    return Text(trend, style=colours.get(trend.partition(" ")[0], ""))


def _signed(value: float | None, form: str) -> Text:
    if value is None:
        return Text("-")
    return Text(format(value, form), style="green" if value > 0 else "red" if value < 0 else "")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
