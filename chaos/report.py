"""What a run found, for people and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chaos.judge import Finding
from chaos.judge.compare import DOUBLE, LOST, WRONG

#: Findings that are written down whole; the rest is counted.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Pause:
    """What one fault, or the end of one, cost.

    Attributes:
        fault: its kind.
        at_s: when, in seconds since the feed began.
        pause_s: the longest time for which nothing of some ticker was stored.
        ticker: of which.
        limit_s: what is promised, None where nothing is.
        settled: whether everything moved again in the end.
    """

    fault: str
    at_s: float
    pause_s: float
    ticker: str
    limit_s: float | None
    settled: bool

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return self.settled and (self.limit_s is None or self.pause_s <= self.limit_s)


@dataclass(slots=True)
class Report:
    """All that is known of a run."""

    seed: int
    seconds: float
    sent: int = 0
    acknowledged: int = 0
    poison: int = 0
    by_topic: dict[str, int] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether everything is there once and right."""
        return not self.findings and bool(self.judged)

    @property
    def in_time(self) -> bool:
        """Whether no pause was longer than promised."""
        return all(pause.kept for pause in self.pauses)

    def longest(self) -> dict[str, Pause]:
        """Return the longest pause after each kind of fault."""
        found: dict[str, Pause] = {}
        for pause in self.pauses:
            if pause.fault not in found or pause.pause_s > found[pause.fault].pause_s:
                found[pause.fault] = pause
        return found

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        kinds = Counter(finding.kind for _, finding in self.findings)
        return {
            "right": self.right,
            "in_time": self.in_time,
            "seed": self.seed,
            "seconds": self.seconds,
            "messages": {
                "sent": self.sent,
                "acknowledged": self.acknowledged,
                "poison": self.poison,
                "by_topic": self.by_topic,
            },
            "losses": kinds[LOST],
            "duplicates": kinds[DOUBLE],
            "wrong_values": kinds[WRONG],
            "other_findings": sum(kinds.values()) - kinds[LOST] - kinds[DOUBLE] - kinds[WRONG],
            "faults": len(self.pauses),
            "longest_pause_s": {
                name: {"pause_s": round(pause.pause_s, 1), "limit_s": pause.limit_s}
                for name, pause in sorted(self.longest().items())
            },
            "pauses": [asdict(pause) | {"kept": pause.kept} for pause in self.pauses],
            "judged": self.judged,
            "findings": [
                {"when": when, "kind": finding.kind, "what": finding.what}
                for when, finding in self.findings[:MOST_SHOWN]
            ],
            "machine": {
                "cores": os.cpu_count(),
                "load": [round(load, 1) for load in os.getloadavg()],
                "python": platform.python_version(),
            },
        }

    def write(self, path: Path) -> None:
        """Write the JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")

    def lines(self) -> list[str]:
        """Return the summary for people."""
        data = self.as_json()
        lines = [
            f"messages: {self.acknowledged} acknowledged, {self.poison} of them poison",
            f"judged: {', '.join(self.judged) or 'nothing'}",
            f"losses: {data['losses']}, duplicates: {data['duplicates']}, "
            f"wrong values: {data['wrong_values']}, other findings: {data['other_findings']}",
            "longest pause after each kind of fault:",
        ]
        for name, pause in sorted(self.longest().items()):
            promised = "" if pause.limit_s is None else f" (promised: {pause.limit_s:g} s)"
            missed = "" if pause.kept else "  TOO LONG"
            times = sum(1 for one in self.pauses if one.fault == name)
            lines.append(f"  {name:24} {pause.pause_s:5.1f} s{promised}, {times} times{missed}")
        lines += [f"  {when}: {found.kind}: {found.what}" for when, found in self.findings[:20]]
        verdict = "all is right" if self.right else "NOT RIGHT"
        return [*lines, f"{verdict}, {'in time' if self.in_time else 'but NOT IN TIME'}"]
