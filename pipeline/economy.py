"""The initial load of economic series: the history of those that were never fetched."""

from __future__ import annotations

import asyncio
from contextlib import closing
from threading import Event

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from config import Settings
from errors import SourceUnavailable
from kafka_producer import FinancialDataProducer
from pipeline.load import CHUNK
from sinks.cursors import Cursors
from sources.base import Source, UnknownKeys, cursors
from topics import ECONOMIC_INDICATORS


def load_series(
    settings: Settings,
    source: Source,
    producer: FinancialDataProducer,
    console: Console,
    stop: Event,
) -> int:
    """Produce the history of FRED_SERIES, series by series; return how much was acknowledged.

    A series that has a cursor was loaded before, and the workers go on from there; so they do from
    the cursors that are written here. What cannot be had is said in a line and left to the workers.

    Args:
        settings: which series, and where MongoDB is.
        source: where they come from.
        producer: sends them.
        console: shows the progress.
        stop: ends the load between two chunks.

    Raises:
        BrokerUnavailable: Kafka did not acknowledge in time.
        StoreUnavailable: MongoDB does not answer.
    """
    sent = 0
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with (
        closing(Cursors(settings)) as progress,
        asyncio.Runner() as runner,
        Progress(*columns, console=console, disable=not console.is_terminal) as shown,
    ):
        try:
            known = progress.load(source.name, settings.fred_series)
            for series in settings.fred_series:
                if series in known:
                    _say(console, f"{series}: history already loaded")
                    continue
                try:
                    records = runner.run(source.fetch([series], {}))
                except UnknownKeys as error:
                    _say(console, f"{error}; the others go on")
                    continue
                except SourceUnavailable as error:
                    _say(console, f"economic series: {error}; the workers try again")
                    break
                task = shown.add_task(f"{series:<8}", total=len(records))
                for start in range(0, len(records), CHUNK):
                    if stop.is_set():
                        return sent
                    chunk = records[start : start + CHUNK]
                    sent += producer.produce_records(ECONOMIC_INDICATORS, chunk)
                    shown.advance(task, len(chunk))
                # Only now: without a cursor, the next load or worker begins from the beginning.
                progress.save(source.name, cursors(records, "series"))
                _say(console, f"{series}: {len(records)} observations of history produced")
        finally:
            runner.run(source.close())
    return sent


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
