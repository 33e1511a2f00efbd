"""All contestants on the same messages, in turn: rates, ratios, latency.

python -m benchmarks.speed --quick
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from rich.console import Console

from benchmarks import latency, machine, race, report, results, roster
from benchmarks.arena import PARTITIONS, Arena, arena
from benchmarks.errors import ContestantFailed
from benchmarks.roster import CONTESTANTS, Contestant

TICKERS = 200
BARS, QUICK_BARS = 200_000, 40_000
ROUNDS, QUICK_ROUNDS = 3, 1
LATENCY_S, QUICK_LATENCY_S = 25, 10
#: Whose latency is measured.
_WATCHED = (roster.OURS_WITH_SNAPSHOTS, roster.QUIX)


def order(number: int) -> Sequence[Contestant]:
    """The contestants as they start in one round: each round another one is first."""
    first = (number * 3) % len(CONTESTANTS)
    return (*CONTESTANTS[first:], *CONTESTANTS[:first])


def main() -> None:
    """Measure, print, keep; exit code 1 where a contestant failed or its documents are wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="one round, fewer bars")
    quick = parser.parse_args().quick
    console = Console(width=None if sys.stdout.isatty() else 140)
    if not roster.QUIX_PYTHON.exists():
        parser.error(f"{roster.QUIX_PYTHON} does not exist: `make bench` installs it")
    workload = {
        "tickers": TICKERS,
        "bars": QUICK_BARS if quick else BARS,
        "partitions": PARTITIONS,
        "rounds": QUICK_ROUNDS if quick else ROUNDS,
        "latency_s": QUICK_LATENCY_S if quick else LATENCY_S,
    }
    about = {"commit": machine.commit(), "machine": machine.machine(), "workload": workload}
    partial = results.Partial({"commit": about["commit"], "workload": workload})
    try:
        with arena() as place:
            about["versions"] = machine.versions(place.client.server_info()["version"])
            found = _measure(place, partial, workload, console)
    except ContestantFailed as error:
        sys.exit(f"error: {error}\nwhat is finished is kept: the next run goes on from there")
    partial.forget()
    whole = found | about | {"quick": quick, "finished": datetime.now(UTC).isoformat()}
    report.publish(whole)
    report.show(console, whole)
    console.print(f"kept in {results.LATEST} and {results.CHART}")
    wrong = report.problems(whole)
    for line in wrong:
        console.print(f"WRONG: {line}", highlight=False)
    sys.exit(1 if wrong else 0)


def _measure(
    place: Arena, partial: results.Partial, workload: dict[str, int], console: Console
) -> dict[str, Any]:
    tickers, bars = workload["tickers"], workload["bars"]
    rounds: list[dict[str, Any]] = []
    for number in range(workload["rounds"]):
        found: dict[str, Any] = {}
        todo = [*(one.name for one in order(number)), roster.BACKFILL]
        if any(f"{number}:{name}" not in partial for name in todo):
            start = perf_counter()
            place.refill(tickers, bars)
            console.print(f"round {number + 1}: {bars:,} bars in {perf_counter() - start:.1f} s")
        for contestant in order(number):

            def one(contestant: Contestant = contestant) -> dict[str, Any]:
                return race.run(place, contestant, tickers=tickers, bars=bars).asdict()

            found[contestant.name] = partial.once(f"{number}:{contestant.name}", one)
            _tell(console, found[contestant.name])
        # Last, because it adds to the topic.
        found[roster.BACKFILL] = partial.once(
            f"{number}:{roster.BACKFILL}",
            lambda: race.run_load(place, tickers=tickers, bars=bars).asdict(),
        )
        _tell(console, found[roster.BACKFILL])
        rounds.append({name: found[name] for name in report.TITLES})
    delays: dict[str, Any] = {}
    for contestant in CONTESTANTS:
        if contestant.name in _WATCHED:

            def delay(contestant: Contestant = contestant) -> dict[str, Any]:
                return latency.measure(place, contestant, workload["latency_s"])

            delays[contestant.name] = partial.once(f"latency:{contestant.name}", delay)
            console.print(f"  latency of {contestant.name}: {delays[contestant.name]}")
    return results.summary(rounds, delays)


def _tell(console: Console, one: dict[str, Any]) -> None:
    rate = one["bars"] / one["seconds"]
    console.print(
        f"  {one['contestant']}: {rate:,.0f} bars/s ({one['bars']:,} in {one['seconds']:.1f} s, "
        f"{one['cpu_s']:.1f} s of CPU, load before {one['load']:.1f})"
        + "".join(f" WRONG: {text}" for text in one["problems"]),
        highlight=False,
    )


if __name__ == "__main__":
    main()
