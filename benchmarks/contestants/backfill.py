"""The initial load: the history that MongoDB lacks, by the producer API, as `--initial-load` does.

It runs beside a worker of the program, which works through what comes. The clock starts here, when
the history is read and the first gap is looked for, and stops when the last bar is stored and its
offset committed.
"""

from __future__ import annotations

from threading import Event

from benchmarks.protocol import Task, say_ready, say_settings
from benchmarks.workload import records
from config import settings
from kafka_producer import FinancialDataProducer
from models.series import MOST_BARS
from pipeline.load import find_gaps, load


def main() -> None:
    """Produce the whole history, then stop."""
    task = Task.given()
    say_settings({"bars_a_message": MOST_BARS})
    history = records(task.tickers, task.bars)
    say_ready()
    gaps = find_gaps(settings(), history)
    with FinancialDataProducer() as producer:
        load(producer, gaps, lambda _ticker, _count: None, Event())


if __name__ == "__main__":
    main()
