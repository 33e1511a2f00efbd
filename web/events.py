"""Server-sent events: what they are called, what they hold, and how a change becomes one.

============= =========================================================================
``hello``     the stream has begun: what is read from now on, it will keep up to date
``bar``       a bar as it is now, with ``ticker`` and ``interval``
``news``      a news item, with ``ticker``
``post``      a post, with ``ticker``
``trend``     the latest trend, with ``ticker``
``alert``     an alert, and again when it was delivered or could not be
``observation`` an observation of an economic series, with ``series``
``heartbeat`` nothing has happened for a while, and all is well
``status``    whether MongoDB answers
``reset``     changes may be missing: read everything anew
``dropped``   this client read too slowly, and is let go
============= =========================================================================
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from models import INTEGRATION_TEST
from sinks.base import Document
from sinks.documents import ALERTS, ECONOMY, NEWS, REDDIT, STOCK_PRICES, TRENDS, TWITTER
from web.shapes import alert_row, bar_row, news_row, observation_row, post_row, trend_row

log = logging.getLogger(__name__)

EVENTS = (
    "hello",
    "bar",
    "news",
    "post",
    "trend",
    "alert",
    "observation",
    "heartbeat",
    "status",
    "reset",
    "dropped",
)

#: The collections that are followed.
FOLLOWED = (STOCK_PRICES, NEWS, TWITTER, REDDIT, TRENDS, ALERTS, ECONOMY)


class Change(NamedTuple):
    """One change of a document, ready to be sent.

    Attributes:
        token: where it is in the stream of all changes; tokens sort as texts.
        id: collection and ``_id`` of the document: a later change of the same one replaces it.
        ticker: whose it is; None for what concerns all.
        frame: the bytes of its event.
    """

    token: str
    id: tuple[str, str]
    ticker: str | None
    frame: bytes


def frame(event: str, data: Mapping[str, Any], token: str | None = None) -> bytes:
    r"""Return one event as it is sent; ``token`` becomes its id.

    >>> frame("hello", {"a": 1}, "82")
    b'id: 82\nevent: hello\ndata: {"a":1}\n\n'
    """
    # JSON has no line break in it, so the data is one line.
    number = b"" if token is None else b"id: %s\n" % token.encode()
    return number + b"event: %s\ndata: %s\n\n" % (event.encode(), orjson.dumps(data))


def change_of(raw: Document) -> Change | None:
    """Return MongoDB's change event as a change to send; None where there is nothing to show."""
    document = raw.get("fullDocument")
    if document is None or document.get("source") == INTEGRATION_TEST:
        return None
    collection, token = raw["ns"]["coll"], raw["_id"]["_data"]
    try:
        shaped = _shaped(collection, document)
    except (KeyError, TypeError, ValueError) as error:
        # Not of the program's making; the stream must go on for everything that is.
        log.warning("%s in %s is not shown: %r", document["_id"], collection, error)
        return None
    if shaped is None:
        return None
    event, ticker, data = shaped
    return Change(token, (collection, document["_id"]), ticker, frame(event, data, token))


def _shaped(collection: str, document: Document) -> tuple[str, str | None, dict[str, Any]] | None:
    if collection == ECONOMY:
        series = {"series": document["series"]}
        return "observation", None, {**series, **observation_row(document)}
    ticker = document["_id"] if collection == TRENDS else document["ticker"]
    whose = {"ticker": ticker}
    if collection == STOCK_PRICES:
        if "close" not in document:
            return None  # values of somebody's indicator whose bar has not come
        whole = {**whose, "interval": document["interval"], **bar_row(document)}
        return "bar", ticker, whole
    event, row = _ROWS[collection]
    return event, ticker, {**whose, **row(document)}


#: The event of each collection of a ticker's, and how its documents become rows.
_ROWS: Mapping[str, tuple[str, Callable[[Document], Mapping[str, Any]]]] = {
    NEWS: ("news", news_row),
    TWITTER: ("post", post_row),
    REDDIT: ("post", post_row),
    TRENDS: ("trend", trend_row),
    ALERTS: ("alert", alert_row),
}


def pipeline(tickers: Iterable[str] | None) -> list[Document]:
    """Return what the change stream asks of MongoDB: only these tickers, only what is needed.

    The tickers are looked for in the ``_id``, which MongoDB knows before it looks up the document.
    """
    match: Document = {
        "ns.coll": {"$in": list(FOLLOWED)},
        "operationType": {"$in": ["insert", "update", "replace"]},
    }
    if tickers is not None:
        names = "|".join(re.escape(ticker) for ticker in sorted(tickers))
        about = {"documentKey._id": {"$regex": rf"^(?:{names})(?:\||$)"}}
        match = {"$and": [match, {"$or": [{"ns.coll": ECONOMY}, about]}]}
    return [{"$match": match}, {"$project": {"updateDescription": 0, "lsid": 0, "txnNumber": 0}}]
