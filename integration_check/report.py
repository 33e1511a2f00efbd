"""The outcome of the checks: one row each."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

log = logging.getLogger(__name__)

_OK = "ok"
_FAILED = "FAILED"
_SKIPPED = "skipped"
_STYLES = {_OK: "green", _FAILED: "bold red", _SKIPPED: "dim"}

#: Wide enough that no row is folded where there is no terminal: programs read it line by line.
_PIPE_WIDTH = 1_000


def console() -> Console:
    """Return the console for standard output; plain lines if it is no terminal."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=_PIPE_WIDTH)


@dataclass(frozen=True)
class Row:
    """One check: what it is, what was expected, what was found, and how it ended."""

    check: str
    expected: str
    found: str
    outcome: str


class Report:
    """Collects the rows, and shows them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(row.outcome != _FAILED for row in self.rows)

    def add(self, check: str, expected: object, found: object, *, ok: bool) -> None:
        """Add a check that was made."""
        outcome = _OK if ok else _FAILED
        self.rows.append(Row(check, str(expected), str(found), outcome))
        details = {"outcome": outcome, "expected": str(expected), "found": str(found)}
        log.info("%s", check, extra=details)

    def skip(self, check: str, why: str) -> None:
        """Add a check that was not made."""
        self.rows.append(Row(check, "", why, _SKIPPED))

    def show(self, on: Console) -> None:
        """Print the table, and below it how many of the checks passed."""
        table = Table(box=box.ROUNDED if on.is_terminal else None)
        table.add_column("result", no_wrap=True)
        for name in ("check", "expected", "found"):
            table.add_column(name, overflow="fold")
        for row in self.rows:
            style = _STYLES[row.outcome]
            cells = (row.check, row.expected, row.found)
            table.add_row(Text(row.outcome, style), *(Text(" ".join(c.split())) for c in cells))
        on.print(table)
        counted = [
            f"{sum(row.outcome == outcome for row in self.rows)} {words}"
            for outcome, words in ((_OK, "passed"), (_FAILED, "failed"), (_SKIPPED, "skipped"))
        ]
        on.print(Text(", ".join(counted)))
