"""What is kept of measurements: the parts of an unfinished run, and the whole of the last one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import figures, roster

FOLDER = Path(__file__).resolve().parent / "results"
LATEST = FOLDER / "latest.json"
PARTIAL = FOLDER / "partial.jsonl"
CHART = FOLDER / "latest.svg"

#: The ratios that have targets, by the contestants' names.
RATIOS = (roster.QUIX, roster.FAUST_MANUAL, roster.RECOMPUTE, roster.INSERT_MANY)


#: What other commands than `make bench` keep beside its results.
OTHERS = ("growth", "shapes")


class Partial:
    """The finished parts of a run, kept as they come; a run that was broken off goes on from them.

    Args:
        run: what makes two runs the same: commit and sizes. Parts of other runs are left out.
        file: one line of JSON for each part.
    """

    def __init__(self, run: Mapping[str, Any], file: Path = PARTIAL) -> None:
        self._run = dict(run)
        self._file = file
        self._parts: dict[str, Any] = {}
        if file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                self._take(line)

    def __contains__(self, part: str) -> bool:
        return part in self._parts

    def once(self, part: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what was measured of ``part``; measure and keep it where nobody has."""
        if part not in self._parts:
            found = self._parts[part] = measure()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            line = {"run": self._run, "part": part, "found": found}
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        kept: dict[str, Any] = self._parts[part]
        return kept

    def forget(self) -> None:
        """Delete the parts; the run is finished."""
        self._file.unlink(missing_ok=True)

    def _take(self, line: str) -> None:
        try:
            kept = json.loads(line)
        except ValueError:
            return  # broken off in the middle of writing it
        if kept["run"] == self._run:
            self._parts[kept["part"]] = kept["found"]


def summary(rounds: list[dict[str, dict[str, Any]]], latency: Mapping[str, Any]) -> dict[str, Any]:
    """The results of `make bench` in their published shape.

    Args:
        rounds: for each round, what was measured of each contestant (`race.Result.asdict`).
        latency: what was measured of each contestant at a steady rate (`latency.measure`).

    A contestant that failed is in none of them; what follows from it is left out, or None.
    """
    rates = [
        {name: one["bars"] / one["seconds"] for name, one in found.items()} for found in rounds
    ]
    ratios = figures.ratios(rates, roster.OURS)
    ours = latency.get(roster.OURS_WITH_SNAPSHOTS)
    live = figures.ratios(rates, roster.BACKFILL).get(roster.OURS_WITH_SNAPSHOTS)
    return {
        "contestants": {
            name: {"bars_per_s": round(rate, 1)} for name, rate in figures.medians(rates).items()
        },
        "ratios": {name: round(ratios[name], 3) for name in RATIOS if name in ratios},
        "latency_ms": {
            which: None if ours is None else ours["document_ms"][which] for which in ("p50", "p99")
        },
        "latency": dict(latency),
        "backfill_ratio": None if live is None else round(live, 3),
        "rounds": rounds,
    }


def read() -> dict[str, Any]:
    """The last results; nothing where there are none."""
    if not LATEST.exists():
        return {}
    found: dict[str, Any] = json.loads(LATEST.read_text(encoding="utf-8"))
    return found


def write(found: Mapping[str, Any]) -> None:
    """Replace the last results."""
    LATEST.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, default=str) + "\n"
    part = LATEST.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(LATEST)
