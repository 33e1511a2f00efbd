"""Lays documents beside what they must say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pymongo.database import Database

from chaos.judge import reference
from chaos.judge.expected import BarHistory, Document, Expected, as_date, dated
from chaos.judge.reference import OUTPUTS, Column, Parameters

#: What kind of fault it is, and where, in words.
Complaint = tuple[str, str]

LOST, DOUBLE, WRONG, STRANGE = "lost", "double", "wrong", "strange"

#: Bars that were never closed cost a computation each; so many of a ticker are checked.
_FORMING_CHECKED = 1


def _bar_id(key: tuple[str, str], time: int) -> str:
    return f"{key[0]}|{key[1]}|{time}"


def compare(
    database: Database[Document], wanted: Expected, parameters: Parameters, *, recomputed: bool
) -> Iterator[Complaint]:
    """Yield whatever is missing, twice there, different, or not to be expected.

    Args:
        database: where the documents are.
        wanted: what must be there.
        parameters: of the indicators.
        recomputed: every ticker was rebuilt from its stored bars; else late bars have no values,
            but of tickers whose history came in bulk, which are rebuilt without an order.
    """
    for name, items in wanted.items.items():
        stored = {one["_id"]: one for one in database[name].find()}
        yield from _ids(name, set(stored), set(items))
        for _id in stored.keys() & items.keys():
            yield from _fields(name, stored[_id], items[_id])
        yield from _doubles(database, name, "series" if "economic" in name else "ticker")
    yield from _doubles(database, "stock_prices", "ticker")
    stored = {one["_id"]: one for one in database["stock_prices"].find()}
    ids = {
        _bar_id(key, time)
        for key, history in wanted.bars.items()
        for time in history.bars.keys() | history.others.keys()
    }
    yield from _ids("stock_prices", set(stored), ids)
    for key, history in wanted.bars.items():
        yield from _bars(stored, key, history)
        whole = recomputed or history.in_bulk
        yield from _values(stored, key, history, parameters, recomputed=whole)


def _ids(collection: str, stored: set[str], wanted: set[str]) -> Iterator[Complaint]:
    yield from ((LOST, f"{collection}: {_id} is not there") for _id in sorted(wanted - stored))
    yield from ((STRANGE, f"{collection}: nobody sent {_id}") for _id in sorted(stored - wanted))


def _doubles(database: Database[Document], name: str, key: str) -> Iterator[Complaint]:
    """The same fact under two ids."""
    fact = {
        "stock_prices": ("ticker", "interval", "time"),
        "economic_indicators": ("series", "time", "realtime_start"),
    }.get(name, (key, "id"))
    grouped = {"_id": {part: f"${part}" for part in fact}, "count": {"$sum": 1}}
    for group in database[name].aggregate(
        [{"$group": grouped}, {"$match": {"count": {"$gt": 1}}}], allowDiskUse=True
    ):
        yield DOUBLE, f"{name}: {group['count']} documents of {group['_id']}"


def _fields(collection: str, stored: Document, wanted: Document) -> Iterator[Complaint]:
    for name, value in wanted.items():
        found = stored.get(name, "nothing")
        if name == "sentiment" and value is None:
            # Nobody gave one, so the program judged the text.
            right = isinstance(found, float) and -1.0 <= found <= 1.0
        else:
            right = found == value and isinstance(found, bool) is isinstance(value, bool)
        if not right:
            yield WRONG, f"{collection}: {stored['_id']}: {name} is {found!r}, not {value!r}"


def _bars(
    stored: Mapping[str, Document], key: tuple[str, str], history: BarHistory
) -> Iterator[Complaint]:
    for time, bar in history.bars.items():
        document = stored.get(_bar_id(key, time))
        if document is not None:
            yield from _fields("stock_prices", document, dated(bar))
    for time, values in history.others.items():
        document = stored.get(_bar_id(key, time))
        if document is not None:
            found = document.get("indicators", {})
            for name, value in values.items():
                if found.get(name, "nothing") != value:
                    text = f"{name} of others is {found.get(name, 'nothing')!r}, not {value!r}"
                    yield WRONG, f"stock_prices: {document['_id']}: {text}"


def _values(
    stored: Mapping[str, Document],
    key: tuple[str, str],
    history: BarHistory,
    parameters: Parameters,
    *,
    recomputed: bool,
) -> Iterator[Complaint]:
    bars = history.in_time() if recomputed else history.applied
    wanted = reference.columns(bars, parameters)
    scale = max(bar["high"] for bar in bars)
    flat = reference.flat(bars)

    def check(document: Document | None, index: int, columns: dict[str, Column]) -> Any:
        if document is None:
            return  # missing, and told already
        found = document.get("indicators", {})
        for name in OUTPUTS:
            value = found.get(name, "nothing")
            right = columns[name][index]
            if name == "cci" and index in flat:
                continue
            if not reference.agree(name, value, right, scale):
                text = f"{name} is {value!r}, ta has {right!r} (bar {index})"
                yield WRONG, f"stock_prices: {document['_id']}: {text}"

    for index, bar in enumerate(bars):
        yield from check(stored.get(_bar_id(key, bar["time"])), index, wanted)
    if not recomputed:
        yield from _without_values(stored, key, history)
        yield from _forming(stored, key, history, parameters, check)


def _without_values(
    stored: Mapping[str, Document], key: tuple[str, str], history: BarHistory
) -> Iterator[Complaint]:
    """Bars that came too late have none of our values until they are taken in."""
    applied = {bar["time"] for bar in history.applied}
    for time, bar in history.bars.items():
        document = stored.get(_bar_id(key, time))
        if document is not None and bar["closed"] and time not in applied:
            found = document.get("indicators", {}).keys() & set(OUTPUTS)
            if found:
                yield WRONG, f"stock_prices: {document['_id']}: came late, yet has {sorted(found)}"


def _forming(
    stored: Mapping[str, Document],
    key: tuple[str, str],
    history: BarHistory,
    parameters: Parameters,
    check: Callable[[Document | None, int, dict[str, Column]], Iterator[Complaint]],
) -> Iterator[Complaint]:
    """A bar that was never closed has the values as if it ended where it was last seen."""
    enough = [one for one in sorted(history.forming.items()) if one[1][0] >= reference.FEWEST]
    for time, (before, bar) in enough[-_FORMING_CHECKED:]:
        columns = reference.columns([*history.applied[:before], bar], parameters)
        yield from check(stored.get(_bar_id(key, time)), before, columns)


__all__ = ["DOUBLE", "LOST", "STRANGE", "WRONG", "Complaint", "as_date", "compare"]
