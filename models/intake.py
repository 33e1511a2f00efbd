"""What callers have, as checked Records: pure functions, no Kafka.

Every function takes one row or many: a mapping, a Record, an iterable of either, or a pandas table.
Keys are the Record's fields in any case; ``Adj Close`` means ``adjusted_close``, and ``Date``,
``Datetime`` and ``timestamp`` mean ``time``. What else holds for all of them:

- ``time`` is milliseconds since the epoch (a whole number), a datetime with a time zone, a date,
  ISO 8601 text, or a table's index. A day without a zone is that day in UTC; a time of day without
  a zone is an error. What has an ``interval`` of days, weeks or months, and begins at midnight in
  its own zone, gets that date in UTC: one trading day is one bar, however its provider writes it.
- Numbers may be Python's or numpy's, never text.
- ``ticker`` (``series``) comes from the argument; a row that names another one is an error.
- ``source`` is ``"api"`` and ``ingested`` now, unless a row says otherwise.
- A key that is no field is an error: a mistyped optional field would be lost in silence.
- One bad row rejects all of them, by InvalidRecord with the row and the field.
- No rows give no Records: whoever polls gets empty tables all the time.
- Records come back in order of their time, because indicators take a bar that is older than the
  last one for a late one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from faust import Record
from pydantic import TypeAdapter, ValidationError

from errors import InvalidRecord
from models import (
    BAR,
    ECONOMIC_OBSERVATION,
    INDICATOR_SNAPSHOT,
    NEWS_ITEM,
    SOCIAL_POST,
    Bar,
    Codec,
    EconomicObservation,
    IndicatorSnapshot,
    NewsItem,
    SocialPost,
    rules,
)
from models.frames import (
    YFINANCE_EXTRAS,
    Row,
    TableRules,
    field_name,
    is_frame,
    is_series,
    of_ticker,
    rows_of_frame,
    unknown_field,
)
from models.times import plain, to_ms, within_day

R = TypeVar("R", bound=Record)
Convert = Callable[[Row], Row]

#: The source of Records whose caller names none.
DEFAULT_SOURCE = "api"
DEFAULT_INTERVAL = "1d"
#: Characters of a hash that stands for a missing id: 128 bits.
_ID_LENGTH = 32

_TIMES = ("time", "realtime_start", "ingested")
_DAYS = ("d", "wk", "mo")

_TICKER = TypeAdapter[str](rules.Ticker)
_SERIES = TypeAdapter[str](rules.Series)
_INDICATOR = TypeAdapter[str](rules.IndicatorName)


def bars(ticker: str, data: object) -> list[Bar]:
    """Return the bars in ``data``.

    A table is yfinance's: columns ``Open High Low Close [Adj Close] Volume`` over an index of
    times, or two levels of columns for several tickers, of which this one is taken; rows without
    any price (another ticker traded then) are left out. A table whose times are within the day must
    say how long its bars are: ``frame.assign(interval="5m")``. Elsewhere ``interval`` is ``"1d"``,
    and ``closed`` is true, unless given.

    Raises:
        InvalidRecord: a row breaks a rule; or the table does not hold the ticker.
    """
    ticker = _ticker(ticker)
    table = TableRules(
        known=frozenset(BAR.fields),
        ignored=YFINANCE_EXTRAS,
        left_out_without=("open", "high", "low", "close"),
    )
    if is_frame(data):
        data = of_ticker(data, ticker)
    return _records(BAR, data, table, {"ticker": ticker})


def snapshots(ticker: str, indicator_name: str, data: object) -> list[IndicatorSnapshot]:
    """Return snapshots of one indicator, from rows of ``{time, value, interval?}``.

    ``value`` may be None (not warm yet). A Series, or a table's column called ``value`` or like the
    indicator, over an index of times will do; its NaNs, the warm-up, are left out.

    Raises:
        InvalidRecord: a row, or the indicator's name, breaks a rule.
    """
    ticker = _ticker(ticker)
    name = _argument(
        "indicator_name", indicator_name, _INDICATOR, "a letter, then letters, digits, _"
    )
    table = TableRules(
        known=frozenset(INDICATOR_SNAPSHOT.fields) - {"values"} | {"value"},
        left_out_without=("value",),
        value=name,
    )

    def convert(fields: Row) -> Row:
        if "value" not in fields:
            raise InvalidRecord("value", None, "the field is missing")
        value = fields.pop("value")
        return fields | {"values": {name: value}}

    records = _records(INDICATOR_SNAPSHOT, data, table, {"ticker": ticker}, convert)
    for record in records:
        if name not in record.values:
            raise InvalidRecord("values", record.values, f"do not hold {name!r}")
    return records


def news(ticker: str, data: object) -> list[NewsItem]:
    """Return the news in ``data``: ``{title, time, id?, summary?, url?, publisher?, sentiment?}``.

    A missing ``id`` is made from the ``url``, or from the ``title`` where there is none, so that
    the same story gets the same one again.

    Raises:
        InvalidRecord: a row breaks a rule.
    """
    table = TableRules(
        known=frozenset(NEWS_ITEM.fields),
        may_be_empty=frozenset({"id", "summary", "url", "publisher", "sentiment"}),
    )
    return _records(NEWS_ITEM, data, table, {"ticker": _ticker(ticker)}, _with_id("title"))


def posts(ticker: str, platform: Literal["twitter", "reddit"], data: object) -> list[SocialPost]:
    """Return the posts in ``data``: ``{text, time, id?, author?, sentiment?, engagement?, url?}``.

    A missing ``id`` is made from the ``url``, or from the ``text`` where there is none.

    Raises:
        InvalidRecord: a row breaks a rule, or is of another platform.
    """
    table = TableRules(
        known=frozenset(SOCIAL_POST.fields),
        may_be_empty=frozenset({"id", "author", "sentiment", "engagement", "url"}),
    )
    given = {"ticker": _ticker(ticker), "platform": platform}
    return _records(SOCIAL_POST, data, table, given, _with_id("text"))


def observations(series: str, data: object) -> list[EconomicObservation]:
    """Return the observations in ``data``.

    Rows are ``{time, value, realtime_start?, title?, units?, frequency?}``; ``realtime_start``, the
    day of publication, is ``time`` unless given. A Series, or a table's column called ``value`` or
    like the series, over an index of times will do; its NaNs, what was not observed, are left out.

    Raises:
        InvalidRecord: a row, or the series' name, breaks a rule.
    """
    series = _argument("series", series, _SERIES, "1 to 64 characters of A-Z a-z 0-9 _ . - ^ =")
    table = TableRules(
        known=frozenset(ECONOMIC_OBSERVATION.fields),
        left_out_without=("value",),
        may_be_empty=frozenset({"realtime_start", "title", "units", "frequency"}),
        value=series,
    )

    def convert(fields: Row) -> Row:
        return {"realtime_start": fields["time"]} | fields if "time" in fields else fields

    return _records(ECONOMIC_OBSERVATION, data, table, {"series": series}, convert)


def checked(codec: Codec[R], records: Iterable[object]) -> list[R]:
    """Return ``records`` once all are known to be of the codec's kind and to obey its rules.

    Raises:
        InvalidRecord: one of them is not, or does not.
    """
    found = []
    for row, record in enumerate(records):
        try:
            found.append(_checked(codec, record))
        except InvalidRecord as error:
            raise error.at_row(row) from None
    return found


def _records(
    codec: Codec[R],
    data: object,
    table: TableRules,
    given: Mapping[str, str],
    convert: Convert | None = None,
) -> list[R]:
    """Return the Records in ``data``, in order of their time.

    Args:
        codec: their kind.
        data: the caller's rows.
        table: the fields that may be given, and how a table of them is read.
        given: the fields that the call itself decides.
        convert: makes a Record's fields of the caller's, once they have the fields' names.
    """
    now = int(time.time() * 1000)
    defaults = {"interval": DEFAULT_INTERVAL, "source": DEFAULT_SOURCE, "ingested": now}
    defaults = {name: value for name, value in defaults.items() if name in codec.fields}
    from_table = is_frame(data) or is_series(data)

    def record(row: object) -> R:
        if isinstance(row, Record):
            _check_given(given, row.__dict__)
            return _checked(codec, row)
        if not isinstance(row, Mapping):
            raise InvalidRecord("data", type(row), f"a row is a mapping or a {codec.name}")
        fields = _named(row, table.known)
        _check_given(given, fields)
        if from_table and "interval" in defaults and "interval" not in fields:
            _check_daily(fields)
        fields = {**defaults, **fields, **given}
        if convert is not None:
            fields = convert(fields)
        _set_times(fields)
        return codec.parse(fields)

    found = []
    for position, row in _rows(data, table):
        try:
            found.append(record(row))
        except InvalidRecord as error:
            raise (error if position is None else error.at_row(position)) from None
    return sorted(found, key=lambda item: item.time)


def _rows(data: object, table: TableRules) -> Iterator[tuple[int | None, object]]:
    """Yield the rows with their positions; a row that comes alone has none."""
    if is_series(data) and "value" in table.known:
        data = data.to_frame("value")
    if is_frame(data):
        yield from rows_of_frame(data, table)
    elif isinstance(data, Mapping | Record):
        yield None, data
    elif isinstance(data, Iterable) and not isinstance(data, str | bytes) and not is_series(data):
        yield from enumerate(data)
    else:
        raise InvalidRecord(
            "data", type(data), "give a mapping, a Record, a list of them, or a pandas DataFrame"
        )


def _named(row: Mapping[Any, object], known: frozenset[str]) -> Row:
    """Return the row's values by the fields' names."""
    fields: Row = {}
    for key, value in row.items():
        name = field_name(key)
        if name not in known:
            raise unknown_field(key, value, known)
        if name in fields:
            raise InvalidRecord(name, value, f"is given twice, once as {key!r}")
        fields[name] = plain(value)
    return fields


def _check_given(given: Mapping[str, str], fields: Row) -> None:
    """Complain if a row speaks of another ticker, series or platform than the call."""
    for name, wanted in given.items():
        value = fields.get(name, wanted)
        same = value.upper() if name == "ticker" and isinstance(value, str) else value
        if same != wanted:
            raise InvalidRecord(name, value, f"differs from the one given, {wanted!r}")


def _check_daily(fields: Row) -> None:
    if within_day(fields.get("time")):
        raise InvalidRecord(
            "interval",
            None,
            f"the field is missing, and {fields['time']} is within a day: say how long a bar is, "
            "for example frame.assign(interval='5m')",
        )


def _set_times(fields: Row) -> None:
    by_day = str(fields.get("interval", "")).endswith(_DAYS)
    for name in _TIMES:
        if name in fields:
            fields[name] = to_ms(name, fields[name], by_day=by_day and name == "time")


def _with_id(otherwise: str) -> Convert:
    """Return what gives a row an id, made from its url or from the field named."""

    def convert(fields: Row) -> Row:
        number = fields.get("id")
        # Providers number their posts; on the wire an id is a text.
        if isinstance(number, int) and not isinstance(number, bool):
            return fields | {"id": str(number)}
        if "id" in fields:
            return fields
        for name in ("url", otherwise):
            text = fields.get(name)
            if isinstance(text, str) and text != "":
                digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
                return fields | {"id": digest[:_ID_LENGTH]}
        raise InvalidRecord("id", None, f"is missing, and there is no url or {otherwise} for one")

    return convert


def _checked(codec: Codec[R], record: object) -> R:
    """Return a Record again under its codec's rules: Faust's constructors check nothing."""
    if not isinstance(record, codec.record):
        raise InvalidRecord("message", record, f"is no {codec.name}")
    values: Row = record.__dict__
    return codec.parse({name: values[name] for name in codec.fields if name in values})


def _ticker(ticker: object) -> str:
    name = ticker.upper() if isinstance(ticker, str) else ticker
    hint = "1 to 32 characters of A-Z 0-9 . - = ^ & (for example AAPL, BRK-B, ^GSPC, EURUSD=X)"
    return _argument("ticker", name, _TICKER, hint)


def _argument(field: str, value: object, rule: TypeAdapter[str], hint: str) -> str:
    try:
        return rule.validate_python(value, strict=True)
    except ValidationError:
        raise InvalidRecord(field, value, f"must be {hint}") from None
