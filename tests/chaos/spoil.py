"""Things to put wrong in a database, by hand, each in a place of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pymongo.database import Database

from chaos.judge.compare import DOUBLE, LOST, STRANGE, WRONG
from chaos.messages import LATE, PUNCTUAL

Document = dict[str, Any]
Spoil = Callable[[Database[Document]], str]

#: Each spoils another ticker.
_tickers: Iterator[str] = iter(PUNCTUAL)


def _bar(database: Database[Document], ticker: str) -> Document:
    """A closed bar of the ticker, late enough for everything to have a value."""
    where = {"ticker": ticker, "closed": True, "indicators.adx": {"$ne": None}}
    found = database["stock_prices"].find_one(where, sort=[("time", -1)])
    assert found is not None
    return found


def _change(**changes: Any) -> Spoil:
    """Set fields of a bar; an indicator is multiplied by a number."""
    ticker = next(_tickers)

    def spoil(database: Database[Document]) -> str:
        bar = _bar(database, ticker)
        fields: Document = {}
        for name, value in changes.items():
            if name not in bar["indicators"]:
                fields[name] = value
            elif value is None:
                fields[f"indicators.{name}"] = None
            else:
                fields[f"indicators.{name}"] = bar["indicators"][name] * value
        database["stock_prices"].update_one({"_id": bar["_id"]}, {"$set": fields})
        return f"{bar['_id']}: {next(iter(changes))}"

    return spoil


def _lose(collection: str) -> Spoil:
    def spoil(database: Database[Document]) -> str:
        doomed = database[collection].find_one(sort=[("_id", -1)])
        assert doomed is not None
        database[collection].delete_one({"_id": doomed["_id"]})
        return f"{collection}: {doomed['_id']} is not there"

    return spoil


def _double(collection: str) -> Spoil:
    def spoil(database: Database[Document]) -> str:
        one = database[collection].find_one(sort=[("_id", 1)])
        assert one is not None
        database[collection].insert_one(one | {"_id": one["_id"] + "|again"})
        return f"{collection}: 2 documents of"

    return spoil


def _alter(collection: str, change: Document, said: str, **where: Any) -> Spoil:
    """Change one document that ``where`` finds; its complaint says its id, and ``said``."""

    def spoil(database: Database[Document]) -> str:
        one = database[collection].find_one(where)
        assert one is not None
        database[collection].update_one({"_id": one["_id"]}, change)
        return f"{one['_id']}: {said}"

    return spoil


def _strange(database: Database[Document]) -> str:
    database["news"].insert_one({"_id": "X|1", "ticker": "X", "id": "1"})
    return "nobody sent X|1"


#: What is done, the kind of finding that it must be, and how.
SPOILS: dict[str, tuple[str, Spoil]] = {
    "a bar is missing": (LOST, _lose("stock_prices")),
    "a story is missing": (LOST, _lose("news")),
    "a post is missing": (LOST, _lose("twitter_sentiment")),
    "an observation is missing": (LOST, _lose("economic_indicators")),
    "a dead letter is missing": (LOST, _lose("dead_letters")),
    "a bar is there twice": (DOUBLE, _double("stock_prices")),
    "a post is there twice": (DOUBLE, _double("reddit_sentiment")),
    "a close differs": (WRONG, _change(close=1.25)),
    "a bar is not closed": (WRONG, _change(closed=False)),
    "an RSI differs a little": (WRONG, _change(rsi=1 + 1e-7)),
    "a band differs": (WRONG, _change(bollinger_upper=1 + 1e-3)),
    "an average differs a little": (WRONG, _change(ema=1 + 1e-7)),
    "an ADX is gone": (WRONG, _change(adx=None)),
    "a late bar has values": (
        WRONG,
        _alter(
            "stock_prices",
            {"$set": {"indicators": {"sma": 1.0}}},
            "came late",
            ticker={"$in": list(LATE)},
            indicators={"$exists": False},
        ),
    ),
    "an old version of a post": (
        WRONG,
        _alter("twitter_sentiment", {"$inc": {"engagement": -1.0}}, "engagement"),
    ),
    "a story at another time": (
        WRONG,
        _alter("news", {"$currentDate": {"time": True}}, "time"),
    ),
    "others' value is gone": (
        WRONG,
        _alter(
            "stock_prices",
            {"$unset": {"indicators.chaos_beta": 1}},
            "chaos_beta",
            **{"indicators.chaos_beta": {"$exists": True}},
        ),
    ),
    "a dead letter with another reason": (
        WRONG,
        _alter("dead_letters", {"$set": {"error": "bad luck"}}, "its reason is 'bad luck'"),
    ),
    "something nobody sent": (STRANGE, _strange),
}

__all__ = ["SPOILS", "Document", "Spoil"]
