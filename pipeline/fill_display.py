"""How the initial load from a provider is shown: a bar per ticker with its end, or plain lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pipeline import fill


class _Lines:
    """A line per ticker once it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, what: str, stored: int, missing: int) -> None:
        if missing:
            self._say(f"{what}: {stored} bars stored, about {missing} missing")
        else:
            self._say(f"{what}: {stored} bars stored, none missing")

    def advance(self, what: str, produced: int) -> None:
        """Say nothing: the next line comes soon enough."""

    def end(self, what: str, produced: int) -> None:
        if produced:
            self._say(f"{what}: {produced} bars of history produced")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Bars:
    """A bar per ticker, and the time that it will take."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def begin(self, what: str, stored: int, missing: int) -> None:  # noqa: ARG002 - the other's
        self._tasks[what] = self._progress.add_task(f"{what:<12}", total=missing)

    def advance(self, what: str, produced: int) -> None:
        self._progress.update(self._tasks[what], completed=produced)

    def end(self, what: str, produced: int) -> None:
        # How many there would be was reckoned from a calendar.
        self._progress.update(self._tasks[what], total=produced, completed=produced)


@contextmanager
def fill_progress(console: Console) -> Iterator[fill.Progress]:
    """Show how a load goes until the context ends."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        yield _Bars(progress)
