"""pandas' tables, as rows: the shapes that yfinance, FRED's clients and ``ta`` hand out.

pandas itself is not imported here: whoever has a table has imported it already, and nobody else
should wait for it.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from errors import InvalidRecord

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

#: Columns that yfinance adds to prices and no Bar holds.
YFINANCE_EXTRAS = frozenset({"dividends", "stock_splits", "capital_gains", "repaired?"})
_ALIASES = {"adj_close": "adjusted_close"} | dict.fromkeys(
    ("date", "datetime", "timestamp"), "time"
)


@functools.lru_cache(maxsize=1024)
def field_name(name: Hashable) -> str:
    """Return the Record's field that a caller's key or column means.

    >>> [field_name(name) for name in ("Adj Close", "Datetime", "VOLUME", "adjusted_close")]
    ['adjusted_close', 'time', 'volume', 'adjusted_close']
    """
    plain = str(name).strip().lower().replace(" ", "_")
    return _ALIASES.get(plain, plain)


@dataclass(frozen=True)
class TableRules:
    """How a table of one kind of Record is read.

    Attributes:
        known: the fields that its columns may name.
        left_out_without: a row in which all of these are empty says nothing, and is left out.
        ignored: columns that need not be known.
        may_be_empty: fields that a row may leave empty; an empty cell elsewhere is an error.
        value: the name that the column ``value`` may have instead, as ``rsi`` in a table of RSI.
    """

    known: frozenset[str]
    left_out_without: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    may_be_empty: frozenset[str] = frozenset()
    value: str | None = None


def is_frame(data: object) -> TypeGuard[pd.DataFrame]:
    """Tell whether ``data`` is a pandas DataFrame."""
    return _is_pandas(data, "DataFrame")


def is_series(data: object) -> TypeGuard[pd.Series[Any]]:
    """Tell whether ``data`` is a pandas Series."""
    return _is_pandas(data, "Series")


def rows_of_frame(frame: pd.DataFrame, rules: TableRules) -> Iterator[tuple[int, Row]]:
    """Yield the position and the fields of each row of ``frame`` that says something.

    Raises:
        InvalidRecord: a column has a name that is not known, or two name the same field.
    """
    if frame.empty:
        return
    columns = _columns(frame, rules)
    times = _times(frame)
    if times is not None and "time" in columns:
        raise InvalidRecord("time", columns["time"], "is given twice: by a column and by the index")
    # Column by column: pandas' own iteration by row builds a Series for each.
    cells = {field: frame[label].tolist() for field, label in columns.items()}
    empty = {field: frame[label].isna().tolist() for field, label in columns.items()}
    deciding = [field for field in rules.left_out_without if field in columns]
    for row in range(len(frame)):
        if deciding and all(empty[field][row] for field in deciding):
            continue
        fields = {
            field: values[row]
            for field, values in cells.items()
            if not (empty[field][row] and field in rules.may_be_empty)
        }
        if times is not None:
            fields["time"] = times[row]
        yield row, fields


def of_ticker(frame: pd.DataFrame, ticker: str) -> pd.DataFrame:
    """Return the columns of ``ticker`` from a table of several, in either order of its levels.

    Raises:
        InvalidRecord: the table does not hold that ticker; names those that it holds.
    """
    if frame.columns.nlevels == 1 or frame.empty:
        return frame
    if frame.columns.nlevels != 2:
        raise InvalidRecord(
            "data", list(frame.columns.names), "columns have one level, or two: price and ticker"
        )
    level = _ticker_level(frame)
    held = list(dict.fromkeys(frame.columns.get_level_values(level)))
    for label in held:
        if str(label).upper() == ticker:
            return cast("pd.DataFrame", frame.xs(label, axis=1, level=level))
    names = ", ".join(str(label) for label in held)
    raise InvalidRecord("ticker", ticker, f"the table does not hold it; it holds {names}")


def _ticker_level(frame: pd.DataFrame) -> int:
    names = [field_name(name) for name in frame.columns.names]
    if names.count("ticker") == 1:
        return names.index("ticker")
    # Tickers may be called LOW or OPEN: the prices are the level where *every* label is a column's.
    prices = {"open", "high", "low", "close", "volume", "adjusted_close"} | YFINANCE_EXTRAS
    first = {field_name(label) for label in frame.columns.get_level_values(0)}
    return 1 if first <= prices else 0


def _columns(frame: pd.DataFrame, rules: TableRules) -> dict[str, Any]:
    """Return the column's label of each field."""
    found: dict[str, Any] = {}
    for label in frame.columns:
        field = field_name(label)
        if rules.value is not None and str(label) == rules.value:
            field = "value"
        if field in rules.ignored:
            continue
        if field not in rules.known:
            raise unknown_field(label, "a column", rules.known)
        if field in found:
            raise InvalidRecord(field, label, f"is given twice: also as {found[field]!r}")
        found[field] = label
    return found


def _times(frame: pd.DataFrame) -> list[Any] | None:
    """Return the index's times, or None where the index only counts the rows."""
    index: Any = frame.index
    if _is_pandas(index, "PeriodIndex"):
        index = index.to_timestamp()
    if _is_pandas(index, "DatetimeIndex"):
        # Ten times as fast to reckon with as pandas' Timestamps.
        return cast("list[Any]", index.to_pydatetime().tolist())
    return list(index) if field_name(index.name) == "time" else None


def unknown_field(name: object, value: object, known: frozenset[str]) -> InvalidRecord:
    """Return the complaint about a key or a column that no field has."""
    fields = ", ".join(sorted(known))
    return InvalidRecord(str(name), value, f"is not a known field; known are {fields}")


def _is_pandas(data: object, name: str) -> bool:
    return any(
        kind.__name__ == name and kind.__module__.partition(".")[0] == "pandas"
        for kind in type(data).__mro__
    )
