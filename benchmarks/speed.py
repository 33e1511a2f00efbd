"""All contestants on the same messages, in turn: rates, ratios, latency.

python -m benchmarks.speed --quick
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from rich.console import Console

from benchmarks import latency, machine, race, report, results, roster
from benchmarks.arena import PARTITIONS, Arena, arena
from benchmarks.errors import ContestantFailed
from benchmarks.opening import opened
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
    quick, console = opened(__doc__, "one round, fewer bars", "bench")
    workload = {
        "tickers": TICKERS,
        "bars": QUICK_BARS if quick else BARS,
        "partitions": PARTITIONS,
        "rounds": QUICK_ROUNDS if quick else ROUNDS,
        "latency_s": QUICK_LATENCY_S if quick else LATENCY_S,
    }
    about = {"commit": machine.commit(), "machine": machine.machine(), "workload": workload}
    partial = results.Partial({"commit": about["commit"], "workload": workload})
    with arena() as place:
        about["versions"] = machine.versions(place.client.server_info()["version"])
        run = Run(place, partial, workload, console)
        found = run.measure()
    whole = found | about | {"quick": quick, "finished": datetime.now(UTC).isoformat()}
    report.publish(whole)
    report.show(console, whole)
    console.print(f"kept in {results.LATEST} and {results.CHART}")
    wrong = report.problems(whole)
    for line in wrong:
        console.print(f"WRONG: {line}", highlight=False)
    if run.failures:
        sys.exit(f"{len(run.failures)} failed (above); the next run tries these alone again")
    partial.forget()
    sys.exit(1 if wrong else 0)


class Run:
    """One run of everything. What failed is told and left out, and the rest goes on.

    Attributes:
        failures: what failed, in words.
    """

    def __init__(
        self, place: Arena, partial: results.Partial, workload: dict[str, int], console: Console
    ) -> None:
        self.failures: list[str] = []
        self._place = place
        self._partial = partial
        self._workload = workload
        self._console = console

    def measure(self) -> dict[str, Any]:
        """Return the results of all rounds, and of latency."""
        rounds = [self._round(number) for number in range(self._workload["rounds"])]
        delays: dict[str, Any] = {}
        for contestant in CONTESTANTS:
            if contestant.name in _WATCHED:
                found = self._attempt(
                    f"latency of {contestant.name}", functools.partial(self._delay, contestant)
                )
                if found is not None:
                    delays[contestant.name] = found
                    self._console.print(f"  latency of {contestant.name}: {found['document_ms']}")
        return results.summary(rounds, delays)

    def _round(self, number: int) -> dict[str, Any]:
        tickers, bars = self._workload["tickers"], self._workload["bars"]
        steps: dict[str, Callable[[], race.Result]] = {
            one.name: functools.partial(race.run, self._place, one, tickers=tickers, bars=bars)
            for one in order(number)
        }
        # Last, because it adds to a topic that workers read.
        steps[roster.BACKFILL] = functools.partial(
            race.run_load, self._place, tickers=tickers, bars=bars
        )
        parts = {name: f"round {number + 1}, {name}" for name in steps}
        if any(part not in self._partial for part in parts.values()):
            start = perf_counter()
            self._place.refill(tickers, bars)
            took = perf_counter() - start
            self._console.print(f"round {number + 1}: {bars:,} bars on the topic in {took:.1f} s")
        found: dict[str, Any] = {}
        for name, step in steps.items():
            one = self._attempt(parts[name], functools.partial(_kept, step))
            if one is not None:
                found[name] = one
                self._tell(one)
        return {name: found[name] for name in report.TITLES if name in found}

    def _delay(self, contestant: Contestant) -> dict[str, Any]:
        return latency.measure(self._place, contestant, self._workload["latency_s"])

    def _attempt(self, part: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return self._partial.once(part, measure)
        except ContestantFailed as error:
            self.failures.append(part)
            self._console.print(f"  FAILED: {part}: {error}", highlight=False, markup=False)
            return None

    def _tell(self, one: dict[str, Any]) -> None:
        rate = one["bars"] / one["seconds"]
        self._console.print(
            f"  {one['contestant']}: {rate:,.0f} bars/s ({one['bars']:,} in {one['seconds']:.1f} "
            f"s, {one['cpu_s']:.1f} s of CPU, load before {one['load']:.1f})"
            + "".join(f" WRONG: {text}" for text in one["problems"]),
            highlight=False,
        )


def _kept(step: Callable[[], race.Result]) -> dict[str, Any]:
    return step().asdict()


if __name__ == "__main__":
    main()
