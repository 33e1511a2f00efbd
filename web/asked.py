"""What can be asked: the parameters of each address, their types, bounds and defaults.

Everything arrives as text. A parameter that does not exist, one that is given twice and one that
breaks its rule are errors, so nothing but strings, numbers and dates of these forms ever reaches a
query: ``ticker[$ne]=`` is no parameter, and ``{"$ne": ""}`` is no ticker.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeVar

from aiohttp import web
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from alerts.rules import RULE_NAME
from errors import InvalidRecord
from models.rules import EARLIEST_MS, LATEST_MS, IndicatorName, Interval, Series, Ticker
from models.times import to_ms
from monitoring.peek import MOST_MESSAGES
from sinks.documents import as_date
from web.paging import Place, read_cursor
from web.problems import Problem, of_validation

#: The most tickers that one request may name.
MOST_TICKERS = 200
#: The characters of a ticker, as many as are known.
_PREFIX_PATTERN = r"^[A-Z0-9.\-=^&]{0,32}$"
#: The most rows in one answer.
MOST_ROWS = 10_000


def _moment(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        ms = int(text) if text.removeprefix("-").isdecimal() else to_ms("time", text)
    except InvalidRecord as error:
        raise ValueError(error.reason) from None
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise ValueError("is out of range: years from 1600 to 9999")
    return as_date(ms)


def _list(text: object) -> object:
    return tuple(dict.fromkeys(text.split(","))) if isinstance(text, str) else text


def _upper(text: object) -> object:
    return text.upper() if isinstance(text, str) else text


def _cursor(text: object) -> object:
    return read_cursor(text) if isinstance(text, str) else text


def _known_number(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) > MOST_TICKERS:
        raise ValueError(f"names {len(names)}, and {MOST_TICKERS} are allowed")
    return names


Moment = Annotated[datetime, BeforeValidator(_moment)]
AnyCaseTicker = Annotated[Ticker, BeforeValidator(_upper)]
Tickers = Annotated[
    tuple[Ticker, ...],
    BeforeValidator(lambda text: _list(_upper(text))),
    AfterValidator(_known_number),
]
Cursor = Annotated[Place, BeforeValidator(_cursor)]
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS)]
Format = Literal["json", "csv"]

_WHEN = "milliseconds since the epoch, or ISO 8601 with a time zone, such as 2024-01-05"
#: What would be right, by parameter.
REMEDIES = {
    "ticker": "1 to 32 characters of A-Z 0-9 . - = ^ &, such as AAPL",
    "tickers": f"up to {MOST_TICKERS} tickers, separated by commas, such as AAPL,MSFT",
    "interval": "a number and s, m, h, d, wk or mo, such as 1d",
    "from": _WHEN,
    "to": _WHEN,
    "indicators": "all, none, or names separated by commas, such as rsi,sma",
    "limit": f"a whole number from 1 to {MOST_ROWS}; for more follow `next`",
    "cursor": "take `next` of the answer before as it is, or leave it out to begin",
    "format": "json or csv",
    "platform": "twitter or reddit",
    "by": "hour or day",
    "series": "1 to 64 characters of A-Z a-z 0-9 _ . - ^ =, such as UNRATE",
    "prefix": "how a ticker begins, such as AA",
    "name": "the name of a topic; /topics/ lists them",
    "partition": "the number of a partition, from 0",
    "last": f"a whole number from 1 to {MOST_MESSAGES}",
    "rule": "the name of a rule: 1 to 64 of A-Z a-z 0-9 . _ - and spaces",
    "severity": "info, warning or critical",
    "last_event_id": "the id of the last event that arrived, as it is",
}


class Asked(BaseModel):
    """Base of all: strict about names, strings become what the field is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format = Field("json", description="`csv` is the same rows as a table")


class Page(Asked):
    """Rows come in pages."""

    limit: Limit = Field(500, description="rows in one answer")
    cursor: Cursor | None = Field(None, description="`next` of the answer before")


class Between(Asked):
    """Rows have a time."""

    since: Moment | None = Field(None, alias="from", description="from this moment on")
    until: Moment | None = Field(None, alias="to", description="before this moment")

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if until is not None and since is not None and until < since:
            raise ValueError("is before `from`")
        return until


class Span(Between, Page):
    """Rows have a time, and come in pages."""


class TickersAsked(Asked):
    """``/api/tickers``."""

    tickers: Tickers | None = Field(None, description="only these")
    prefix: Annotated[str, BeforeValidator(_upper), Field(pattern=_PREFIX_PATTERN)] = Field(
        "", description="only those that begin so"
    )
    interval: Interval | None = Field(
        None,
        description="of which bars; a ticker that has none of these: `1d`, else its shortest",
    )
    limit: Annotated[int, Field(ge=1, le=MOST_TICKERS)] = Field(
        50, description="rows in one answer"
    )
    cursor: Annotated[Ticker, Field()] | None = Field(
        None, description="`next` of the answer before"
    )


class TickerAsked(Asked):
    """``/api/tickers/{ticker}``."""

    ticker: AnyCaseTicker


class BarsAsked(Span):
    """``/api/tickers/{ticker}/bars``."""

    ticker: AnyCaseTicker
    interval: Interval = Field("1d", description="length of the bars")
    indicators: Annotated[tuple[IndicatorName, ...], BeforeValidator(_list)] = Field(
        ("all",), description="names, `all` or `none`"
    )


class NewsAsked(Span):
    """``/api/tickers/{ticker}/news``."""

    ticker: AnyCaseTicker


class PostsAsked(Span):
    """``/api/tickers/{ticker}/posts``."""

    ticker: AnyCaseTicker
    platform: Literal["twitter", "reddit"] | None = Field(None, description="only those from there")


class SentimentAsked(Between):
    """``/api/tickers/{ticker}/sentiment``."""

    ticker: AnyCaseTicker
    by: Literal["hour", "day"] = Field("day", description="length of one step")


class TrendAsked(Span):
    """``/api/tickers/{ticker}/trend``."""

    ticker: AnyCaseTicker


class AlertsAsked(Span):
    """``/api/alerts``."""

    tickers: Tickers | None = Field(None, description="only of these")
    rule: Annotated[str, Field(pattern=rf"^{RULE_NAME}$")] | None = Field(
        None, description="only of this rule"
    )
    severity: Literal["info", "warning", "critical"] | None = Field(
        None, description="only of this severity"
    )


class EconomyAsked(Asked):
    """``/api/economy``."""


class SeriesAsked(Span):
    """``/api/economy/{series}``."""

    series: Series


class PeekAsked(BaseModel):
    """``/topics/{name}/{partition}``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    partition: Annotated[int, Field(ge=0, le=100_000)]
    last: Annotated[int, Field(ge=1, le=MOST_MESSAGES)] = Field(20, description="how many messages")


class StreamAsked(BaseModel):
    """``/api/stream``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tickers: Tickers | None = Field(None, description="only these; all without")
    last_event_id: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{1,2000}$")] | None = Field(
        None, description="as the header `Last-Event-ID`, for those that cannot set one"
    )


A = TypeVar("A", bound=BaseModel)


def read(model: type[A], request: web.Request) -> A:
    """Return the parameters of a request, those of its path included.

    Raises:
        Problem: status 400; names the parameter, its value, the reason and the remedy.
    """
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given or name in request.match_info:
            raise Problem(400, name, value, "is given twice", "give it once")
        given[name] = value
    if "text/csv" in request.headers.get("Accept", "") and "format" in model.model_fields:
        given.setdefault("format", "csv")
    given.update(request.match_info)
    names = [field.alias or name for name, field in model.model_fields.items()]
    unknown = next((name for name in given if name not in names), None)
    if unknown is not None:
        raise Problem(
            400,
            unknown,
            given[unknown],
            "there is no such parameter",
            f"there are: {', '.join(names)}",
        )
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise of_validation(error, REMEDIES) from None
