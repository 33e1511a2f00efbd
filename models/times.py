"""Moments, as callers write them, to milliseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from errors import InvalidRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MIDNIGHT = time()

_FORMS = (
    "give milliseconds since the epoch (a whole number), a datetime with a time zone, "
    "a date, or ISO 8601 text"
)


def to_ms(field: str, value: object, *, by_day: bool = False) -> int:
    """Return ``value`` as milliseconds since the epoch, UTC.

    A date, and a datetime at midnight that has no time zone, mean that day in UTC. Every other
    datetime must say its zone: guessed zones put bars hours away from where they belong.

    Args:
        field: the field's name, for the complaint.
        value: an int (already milliseconds), a datetime (pandas' and numpy's too), a date, or
            ISO 8601 text.
        by_day: the moment names a day, as of a daily bar: midnight in any zone means that date.
            Providers write one trading day now as ``2024-01-05`` and now as
            ``2024-01-05T00:00-05:00``; both must become the same bar.

    Raises:
        InvalidRecord: it is none of these, or leaves its time zone open.

    >>> to_ms("time", "2024-01-05"), to_ms("time", "2024-01-05T09:30:00-05:00")
    (1704412800000, 1704465000000)
    >>> to_ms("time", "2024-01-05T00:00:00-05:00", by_day=True)
    1704412800000
    """
    moment = _moment(field, value)
    if isinstance(moment, int) and not isinstance(moment, bool):
        return moment
    if isinstance(moment, datetime):
        return _since_epoch(field, moment, by_day)
    if isinstance(moment, date):
        return (datetime.combine(moment, _MIDNIGHT, UTC) - _EPOCH) // _MILLISECOND
    raise InvalidRecord(field, value, f"is not a time: {_FORMS}")


def within_day(value: object) -> bool:
    """Tell whether ``value`` is a moment within a day: a time of day other than midnight.

    Milliseconds do not tell, because a day begins at another one of them in every zone.
    """
    moment = _moment("time", value)
    return isinstance(moment, datetime) and moment.time() != _MIDNIGHT


def plain(value: Any) -> Any:
    """Return a scalar of numpy as Python's own; anything else as it is."""
    if type(value).__module__ != "numpy":
        return value
    if type(value).__name__ == "datetime64":
        # In nanoseconds, numpy's default, `item` would return a bare number.
        value = value.astype("datetime64[us]")
    return value.item() if hasattr(value, "item") else value


def _moment(field: str, value: object) -> Any:
    """Return text as the datetime it stands for, and what stands for no time as None."""
    moment = plain(value)
    if isinstance(moment, str):
        try:
            return datetime.fromisoformat(moment)
        except ValueError:
            raise InvalidRecord(field, value, f"is not ISO 8601 text: {_FORMS}") from None
    # pandas' NaT is a datetime by type, but equals nothing, itself included.
    return None if isinstance(moment, datetime) and moment != moment else moment  # noqa: PLR0124


def _since_epoch(field: str, moment: datetime, by_day: bool) -> int:
    whole_day = moment.time() == _MIDNIGHT
    if moment.utcoffset() is None:
        if not whole_day:
            raise InvalidRecord(
                field,
                str(moment),
                "has no time zone: add one, for example .replace(tzinfo=UTC) to a datetime, "
                "'+00:00' to text, or .tz_localize('UTC') to pandas' index",
            )
        moment = moment.replace(tzinfo=UTC)
    elif by_day and whole_day:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND
