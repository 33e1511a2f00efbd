"""What changes with the number of tickers, bars and workers: rates, memory, the time of a restart.

python -m benchmarks.growth --quick
"""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine, race, results, roster
from benchmarks.arena import Arena, arena
from benchmarks.endurance import drain
from benchmarks.errors import ContestantFailed
from benchmarks.opening import opened
from benchmarks.restart import restart
from benchmarks.workers import together

CURVE = (10, 100, 1_000, 10_000)
#: Beside it, to see who is still how far ahead.
_BESIDE = (200, 10_000)
BARS, QUICK_BARS = 200_000, 40_000
LAG, QUICK_LAG = 1_000_000, 100_000
WORKERS = (1, 2, 4)
TICKERS = 200


def main() -> None:
    """Measure, print, keep beside the results of the other benchmark."""
    quick, console = opened(__doc__, "fewer bars", "bench-growth")
    sizes = {
        "bars": QUICK_BARS if quick else BARS,
        "lag": QUICK_LAG if quick else LAG,
        "curve": list(CURVE),
    }
    about = {"commit": machine.commit(), "machine": machine.machine(), "sizes": sizes}
    partial = results.Partial(
        {"commit": about["commit"], "sizes": sizes}, results.FOLDER / "partial-growth.jsonl"
    )
    try:
        with arena() as place:
            found = _measure(place, partial, sizes, console)
    except ContestantFailed as error:
        sys.exit(f"error: {error}\nwhat is finished is kept: the next run goes on from there")
    partial.forget()
    results.write(results.read() | {"growth": about | found})
    _show(console, found)
    console.print(f"kept in {results.LATEST}")
    wrong = [text for one in found["curve"] for text in one["problems"]]
    for text in wrong:
        console.print(f"WRONG: {text}", highlight=False)
    sys.exit(1 if wrong else 0)


def _measure(
    place: Arena, partial: results.Partial, sizes: dict[str, Any], console: Console
) -> dict[str, Any]:
    bars = sizes["bars"]
    named = {one.name: one for one in roster.CONTESTANTS}
    curve = []
    for tickers in sorted({*CURVE, *_BESIDE}):
        names = [roster.OURS] if tickers in CURVE else []
        names += [roster.QUIX] if tickers in _BESIDE else []
        # The ratio to the others needs ours at the same number of tickers.
        for name in dict.fromkeys([roster.OURS, *names]):

            def one(name: str = name, tickers: int = tickers) -> dict[str, Any]:
                place.refill(tickers, bars)
                return race.run(place, named[name], tickers=tickers, bars=bars).asdict()

            part = partial.once(f"curve:{tickers}:{name}", one)
            console.print(f"{tickers:,} tickers, {name}: {part['bars'] / part['seconds']:,.0f}/s")
            curve.append({"tickers": tickers, "bars_per_s": part["bars"] / part["seconds"], **part})
    again = partial.once("restart", lambda: restart(place, CURVE[-1]))
    console.print(f"restart with {CURVE[-1]:,} tickers: {again['processing_s']:.1f} s")
    long = partial.once("drain", lambda: drain(place, TICKERS, sizes["lag"]))
    console.print(f"lag of {sizes['lag']:,}: {long['bars_per_s']:,.0f}/s")
    many = []
    for count in WORKERS:

        def several(count: int = count) -> dict[str, Any]:
            return together(place, count, TICKERS, bars)

        many.append(partial.once(f"workers:{count}", several))
        console.print(f"{count} worker(s): {many[-1]['bars_per_s']:,.0f}/s")
    ours = {one["tickers"]: one for one in curve if one["contestant"] == roster.OURS}
    most = ours[CURVE[-1]]
    more_mb = again["rss_mb"] - ours[CURVE[0]]["rss_mb"]
    return {
        "curve": curve,
        "rate_at_10000_of_200": most["bars_per_s"] / ours[TICKERS]["bars_per_s"],
        "kb_per_ticker": 1e3 * more_mb / (CURVE[-1] - CURVE[0]),
        "restart": again,
        "drain": long,
        "workers": many,
    }


def _show(console: Console, found: dict[str, Any]) -> None:
    table = Table(title="by the number of tickers")
    for heading in ("tickers", "contestant", "bars/s", "RSS MB"):
        table.add_column(heading, justify="left" if heading == "contestant" else "right")
    for one in found["curve"]:
        rate, memory = f"{one['bars_per_s']:,.0f}", f"{one['rss_mb']:.0f}"
        table.add_row(f"{one['tickers']:,}", one["contestant"], rate, memory)
    console.print(table)
    console.print(
        f"rate at 10,000 tickers: {found['rate_at_10000_of_200']:.0%} of that at 200; "
        f"memory a ticker: {found['kb_per_ticker']:.1f} kB",
        highlight=False,
    )
    again, long = found["restart"], found["drain"]
    console.print(
        f"restart with {again['tickers']:,} tickers in the table: {again['processing_s']:.1f} s to "
        f"the first new document, {again['ready_s']:.1f} s to its partitions",
        highlight=False,
    )
    rates = ", ".join(f"{rate:,.0f}" for rate in long["bars_per_s_by_fifth"])
    memory = ", ".join(f"{size:.0f}" for size in long["rss_mb_by_fifth"])
    console.print(
        f"lag of {long['bars']:,} drained at {long['bars_per_s']:,.0f} bars/s; by fifths: "
        f"{rates} bars/s, {memory} MB",
        highlight=False,
    )
    for one in found["workers"]:
        console.print(
            f"{one['workers']} worker(s): {one['bars_per_s']:,.0f} bars/s, partitions "
            f"{one['partitions']}",
            highlight=False,
        )


if __name__ == "__main__":
    main()
