"""An alert: a rule of the rules file that an event has fired."""

from __future__ import annotations

from typing import Annotated, Literal, Optional

import faust
from pydantic import Field

from models import rules
from models.codec import Codec


class Alert(faust.Record, namespace="financial_trends.Alert", include_metadata=False):
    """What fired, of which ticker, and why.

    ``id`` is ``ticker|rule|event``: the same event fires the same alert, however often it comes.
    ``time`` is the event's (a bar's opening time, a text's, a trend's, the moment at which a
    silence became too long), ``ingested`` when a worker noticed, both ms since the epoch.
    ``interval`` is that of the bar, None for what is no bar. ``severity`` is info, warning or
    critical; ``condition`` is what the rule says, ``values`` what it named, as it was.
    """

    ticker: str
    id: str
    rule: str
    time: int
    severity: str
    message: str
    condition: str
    values: dict[str, object]
    ingested: int
    interval: Optional[str] = None  # noqa: UP045 - Faust reads Optional, not unions


#: A name of the language of rules: ``rsi``, ``news.sentiment``.
_Name = Annotated[str, Field(min_length=1, max_length=64)]
#: Ids of texts are part of it.
_AlertId = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00]+$")]

ALERT = Codec(
    Alert,
    "ticker",
    {
        "ticker": rules.Ticker,
        "id": _AlertId,
        "rule": rules.Label,
        "time": rules.Time,
        "severity": Literal["info", "warning", "critical"],
        "message": rules.Title,
        "condition": rules.Title,
        "values": dict[_Name, rules.Number | rules.Label | None],
        "ingested": rules.Time,
        "interval": rules.Interval | None,
    },
)
