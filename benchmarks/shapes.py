"""Other shapes than those of `make bench`: few and many tickers, small and large messages, bursts.

python -m benchmarks.shapes --quick
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import bursts, machine, race, results, roster, stories, workload
from benchmarks.arena import Arena, arena
from benchmarks.errors import ContestantFailed
from benchmarks.forms import LARGE, SMALL, USUAL, Form
from benchmarks.opening import opened
from benchmarks.roster import CONTESTANTS

_NAMED = {one.name: one for one in CONTESTANTS}
#: Who works through every shape: both with equal output.
_BOTH = (roster.OURS, roster.QUIX)


@dataclass(frozen=True, slots=True)
class Shape:
    """Bars that differ from the usual ones in one respect.

    Attributes:
        title: in the table.
        tickers: of how many tickers.
        bars: how many.
        quick_bars: how many in a quick run.
        form: how they look.
    """

    title: str
    tickers: int
    bars: int
    quick_bars: int
    form: Form = USUAL


SHAPES = {
    "usual": Shape("as in `make bench`", 200, 200_000, 40_000),
    "one_ticker": Shape("1 ticker", 1, 200_000, 40_000),
    "many_tickers": Shape("50,000 tickers", 50_000, 200_000, 100_000),
    "small": Shape("smallest messages", 200, 200_000, 40_000, SMALL),
    "large": Shape("10 kB messages", 200, 20_000, 5_000, LARGE),
}

#: The rows of the table of bursts: who, and whether as for latency.
BURSTS = {
    roster.OURS: (roster.OURS, False),
    roster.QUIX: (roster.QUIX, False),
    "quixstreams_eager": (roster.QUIX, True),
}
_BURST_TITLES = {
    roster.OURS: "this program",
    roster.QUIX: "Quix Streams, a checkpoint a second",
    "quixstreams_eager": "Quix Streams, as for latency",
}


def sizes(quick: bool) -> dict[str, Any]:
    """How much is sent."""
    return {
        "bars": {name: one.quick_bars if quick else one.bars for name, one in SHAPES.items()},
        "stories": 300 if quick else 1_000,
        "beside": {"bars": 40_000, "stories": 2_000}
        if quick
        else {"bars": 100_000, "stories": 4_000},
        "bursts": {"bursts": 2 if quick else 5, "bars": 20_000},
    }


def message_bytes(shape: Shape, bars: int) -> float:
    """Bytes of the value of a message, on average over the first of them."""
    looked = min(bars, 10_000)
    some = islice(workload.bars(shape.tickers, form=shape.form), looked)
    return sum(len(shape.form.value(bar)) for bar in some) / looked


def main() -> None:
    """Measure, print, keep beside the results of the other benchmarks."""
    quick, console = opened(__doc__, "fewer bars", "bench-shapes")
    how_much = sizes(quick)
    about = {"commit": machine.commit(), "machine": machine.machine(), "sizes": how_much}
    partial = results.Partial(
        {"commit": about["commit"], "sizes": how_much}, results.FOLDER / "partial-shapes.jsonl"
    )
    try:
        with arena() as place:
            found = Run(place, partial, how_much, console).measure()
    except ContestantFailed as error:
        sys.exit(f"error: {error}\nwhat is finished is kept: the next run goes on from there")
    partial.forget()
    results.write(results.read() | {"shapes": about | found})
    show(console, found)
    console.print(f"kept in {results.LATEST}")
    wrong = problems(found)
    for text in wrong:
        console.print(f"WRONG: {text}", highlight=False)
    sys.exit(1 if wrong else 0)


class Run:
    """One run of all shapes."""

    def __init__(
        self, place: Arena, partial: results.Partial, how_much: dict[str, Any], console: Console
    ) -> None:
        self._place = place
        self._partial = partial
        self._sizes = how_much
        self._console = console

    def measure(self) -> dict[str, Any]:
        """Return what is published: by shape, of stories and of bursts."""
        return {
            "rates": {name: self._rates(name, shape) for name, shape in SHAPES.items()},
            "stories": self._once(
                "stories", lambda: stories.alone(self._place, self._sizes["stories"])
            ),
            "beside_stories": self._once("beside stories", self._beside),
            "bursts": {
                row: self._once(f"bursts, {row}", functools.partial(self._bursts, *who))
                for row, who in BURSTS.items()
            },
        }

    def _rates(self, name: str, shape: Shape) -> dict[str, Any]:
        bars = self._sizes["bars"][name]
        both: dict[str, Any] = {}
        full = False
        for who in _BOTH:

            def one(who: str = who) -> dict[str, Any]:
                nonlocal full
                if not full:
                    self._place.refill(shape.tickers, bars, shape.form)
                    full = True
                result = race.run(
                    self._place, _NAMED[who], tickers=shape.tickers, bars=bars, form=shape.form
                )
                return result.asdict() | {"bars_per_s": result.bars / result.seconds}

            both[who] = self._once(f"{name}, {who}", one)
        ours, theirs = (both[who]["bars_per_s"] for who in _BOTH)
        return {
            "tickers": shape.tickers,
            "bars": bars,
            "message_bytes": round(message_bytes(shape, bars)),
            "contestants": both,
            "ratio": round(ours / theirs, 3),
        }

    def _beside(self) -> dict[str, Any]:
        size = self._sizes["beside"]
        return stories.beside(self._place, size["bars"], size["stories"])

    def _bursts(self, who: str, eager: bool) -> dict[str, Any]:
        return bursts.measure(self._place, _NAMED[who], **self._sizes["bursts"], eager=eager)

    def _once(self, part: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        found = self._partial.once(part, measure)
        told = {name: one for name, one in found.items() if name not in ("settings", "contestant")}
        self._console.print(f"{part}: {told}", highlight=False)
        return found


def problems(found: Mapping[str, Any]) -> list[str]:
    """What is wrong with what was stored, in words."""
    parts = {
        f"{name}, {who}": one
        for name, rate in found["rates"].items()
        for who, one in rate["contestants"].items()
    }
    parts |= {"stories": found["stories"]}
    parts |= {f"bursts, {row}": one for row, one in found["bursts"].items()}
    return [f"{name}: {text}" for name, one in parts.items() for text in one["problems"]]


def show(console: Console, found: Mapping[str, Any]) -> None:
    """Print the tables."""
    table = Table(title="equal output")
    headings = (
        "bytes",
        "this program, bars/s",
        "Quix Streams",
        "ours is x",
        "us",
        "us",
        "MB",
        "MB",
    )
    table.add_column("shape", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    for name, one in found["rates"].items():
        both = [one["contestants"][who] for who in _BOTH]
        table.add_row(
            SHAPES[name].title,
            f"{one['message_bytes']:,}",
            *(f"{each['bars_per_s']:,.0f}" for each in both),
            f"{one['ratio']:.1f}",
            *(f"{1e6 * each['cpu_s'] / each['bars']:,.1f}" for each in both),
            *(f"{each['rss_mb']:,.0f}" for each in both),
        )
    table.caption = "us of processor time a bar and MB of memory at the end, ours and theirs"
    console.print(table)
    alone, beside = found["stories"], found["beside_stories"]
    rate = alone["stories"] / alone["seconds"]
    console.print(
        f"stories of {alone['message_bytes']:,} bytes: {rate:,.0f}/s alone; "
        f"{beside['stories_per_s']:,.0f}/s beside {beside['bars_per_s_with']:,.0f} bars/s, "
        f"which are {beside['bars_per_s_without']:,.0f} without stories (as shipped)",
        highlight=False,
    )
    table = Table(
        title=f"bursts of {found['bursts'][roster.OURS]['bars']:,} bars, s from the last "
        "acknowledgement until all are"
    )
    table.add_column("contestant", no_wrap=True)
    for heading in ("readable, median", "largest", "committed, median", "largest"):
        table.add_column(heading, justify="right")
    for row, one in found["bursts"].items():
        cells = [
            one[what][which]
            for what in ("readable_s", "committed_s")
            for which in ("median", "max")
        ]
        table.add_row(_BURST_TITLES[row], *(f"{cell:.2f}" for cell in cells))
    console.print(table)


if __name__ == "__main__":
    main()
