"""What is printed at the end: what was done, and where to look next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import Settings
from pipeline.display import duration
from pipeline.status import Reading
from sinks.documents import STOCK_PRICES


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        reason: why it ended.
        seconds: how long it took altogether.
        first_document_s: when MongoDB had its first new document, in seconds after the start of the
            program; None if there was none.
        loaded: bars of the initial load.
        before: the numbers before it; None if they could not be read.
        after: the numbers after it; None if they could not be read.
        given_up: workers that could not be kept running.
    """

    reason: str
    seconds: float
    first_document_s: float | None
    loaded: int
    before: Reading | None
    after: Reading | None
    given_up: int = 0


def summary(outcome: Outcome) -> list[str]:
    """Return the summary, line by line."""
    lines = ["", f"Summary ({outcome.reason})"]
    if outcome.before is None or outcome.after is None:
        lines.append("  the numbers are missing: Kafka or MongoDB did not answer")
    else:
        lines += _numbers(outcome, outcome.before, outcome.after)
    if outcome.first_document_s is not None:
        lines.append(f"  first document   after {outcome.first_document_s:.1f} s")
    lines.append(f"  duration         {duration(outcome.seconds)} (min:s)")
    if outcome.given_up:
        lines.append(f"  workers given up {outcome.given_up}")
    return lines


def where_next(settings: Settings, web: str, logs_dir: Path, *, servers_stay: bool) -> list[str]:
    """Return where to look next, line by line.

    Args:
        settings: where the servers are.
        web: the first worker's web server.
        logs_dir: where the workers' logs are.
        servers_stay: whether the servers go on running.
    """
    ticker = settings.tickers[0] if settings.tickers else "AAPL"
    name, uri = settings.mongodb_database, settings.mongodb_address
    query = f'db.{STOCK_PRICES}.find({{ticker: "{ticker}"}}).sort({{time: -1}}).limit(1)'
    python = (
        f"from pymongo import MongoClient; print(MongoClient('{uri}')['{name}'].{STOCK_PRICES}"
        f".find_one({{'ticker': '{ticker}'}}, sort=[('time', -1)]))"
    )
    lines = ["", "Where to look next"]
    if not servers_stay:
        lines.append("  servers        stopped; their data stay: python -m embedded up")
    lines += [
        f"  documents      mongosh '{_with_database(uri, name)}' --eval '{query}'",
        f'                 python -c "{python}"',
        f"  while it runs  {web}/#{ticker}",
        "  settings       faust -A app doctor",
        f"  logs           {logs_dir}",
        "  manual         README.md",
    ]
    return lines


def _numbers(outcome: Outcome, before: Reading, after: Reading) -> list[str]:
    # History has a topic of its own, with many bars a message.
    made = after.data["prices"].produced - before.data["prices"].produced + outcome.loaded
    history = f", {outcome.loaded:,} of them history" if outcome.loaded else ""
    dead = after.dead_letters - before.dead_letters
    lines = [f"  bars produced    {made:,}{history}", "  documents in MongoDB"]
    lines += [f"    {line}" for line in _documents(before.collections, after.collections)]
    trends = [f"{one.ticker} {one.trend}" for one in after.tickers.values() if one.trend]
    if trends:
        lines.append(f"  trends           {', '.join(trends)}")
    lines.append(f"  dead letters     {after.dead_letters:,} ({dead:+,} in this run)")
    rest = ""
    if after.lag:
        rest = " messages wait on Kafka for the next start"
    lines.append(f"  lag              {after.lag:,}{rest}")
    return lines


def _documents(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    return [
        f"{name:<22} {count:,} ({count - before.get(name, 0):+,})" for name, count in after.items()
    ]


def _with_database(uri: str, name: str) -> str:
    """Return a connection string that names a database.

    >>> _with_database("mongodb://127.0.0.1:27017/?replicaSet=rs0", "financial_trends")
    'mongodb://127.0.0.1:27017/financial_trends?replicaSet=rs0'
    """
    address, _, options = uri.partition("?")
    scheme, _, rest = address.partition("://")
    hosts = rest.partition("/")[0]
    return f"{scheme}://{hosts}/{name}" + (f"?{options}" if options else "")
