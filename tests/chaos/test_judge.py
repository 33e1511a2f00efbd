"""The judge finds nothing where all is right, and every fault that is put there by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from chaos.feed import Feed, Ledger
from chaos.judge import Case, judge
from chaos.judge.reference import Parameters
from chaos.messages import LATE, PUNCTUAL, TOPICS, Stream
from embedded.locate import Servers
from tests.deployment import Deployment
from tests.integration.test_tables import faust
from topics import ALL_TOPICS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

Document = dict[str, Any]


@pytest.fixture(scope="module")
def case(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Case, Deployment]]:
    """A worker has worked through 90 minutes of the market; late bars are not taken in yet."""
    deployment = Deployment(servers, tmp_path_factory.mktemp("judge"), checkpoint_interval_s=0.2)
    deployment.start_worker().wait_ready()
    starts = deployment.broker.end_offsets(spec.name for spec in ALL_TOPICS)
    ledger = Ledger()
    Feed(servers.kafka, Stream(seed=5), ledger).send(rounds=90)
    deployment.drained()
    settings = deployment.settings
    yield (
        Case(
            servers.kafka,
            servers.mongodb,
            settings.mongodb_database,
            settings.app_id,
            ledger,
            starts,
        ),
        deployment,
    )
    deployment.close()


def test_a_sound_run_passes(case: tuple[Case, Deployment]) -> None:
    assert judge(case[0], Parameters(), recomputed=False) == []
    sent = case[0].ledger.sent.values()
    assert {message.topic for message in sent} == set(TOPICS)
    assert sum(message.reason is not None for message in sent) > 20


Spoil = Callable[[Database[Document]], Any]


@contextmanager
def spoiled(database: Database[Document], collection: str, spoil: Spoil) -> Iterator[None]:
    """One collection as ``spoil`` leaves it, and afterwards as it was."""
    before = list(database[collection].find())
    spoil(database)
    try:
        yield
    finally:
        database[collection].delete_many({})
        database[collection].insert_many(before)


def a_bar(database: Database[Document], ticker: str = PUNCTUAL[3]) -> Document:
    """A late enough closed bar with everything in it."""
    where = {"ticker": ticker, "closed": True, "indicators.adx": {"$ne": None}}
    found = database["stock_prices"].find_one(where, sort=[("time", -1)])
    assert found is not None
    return found


def change(database: Database[Document], **fields: Any) -> None:
    """Change fields of a bar."""
    dotted = {name.replace("__", "."): value for name, value in fields.items()}
    database["stock_prices"].update_one({"_id": a_bar(database)["_id"]}, {"$set": dotted})


def nudge(database: Database[Document], name: str, share: float) -> None:
    """Change one indicator of a bar by a small share of it."""
    value = a_bar(database)["indicators"][name]
    change(database, **{f"indicators__{name}": value * (1 + share)})


def a_copy(database: Database[Document], collection: str) -> None:
    """The same fact under a second id."""
    one = database[collection].find_one()
    assert one is not None
    database[collection].insert_one(one | {"_id": one["_id"] + "|again"})


def late_applied(database: Database[Document]) -> None:
    """A bar that came late has values."""
    where = {"ticker": {"$in": list(LATE)}, "indicators": {"$exists": False}}
    done = database["stock_prices"].update_one(where, {"$set": {"indicators": {"sma": 1.0}}})
    assert done.modified_count == 1


def one_less(collection: str, **where: Any) -> Spoil:
    return lambda database: database[collection].delete_one(where)


SPOILT: list[tuple[str, str, str, Spoil]] = [
    ("a bar is missing", "stock_prices", "lost", one_less("stock_prices", closed=True)),
    ("a story is missing", "news", "lost", one_less("news")),
    ("a post is missing", "twitter_sentiment", "lost", one_less("twitter_sentiment")),
    ("an observation is missing", "economic_indicators", "lost", one_less("economic_indicators")),
    ("a dead letter is missing", "dead_letters", "lost", one_less("dead_letters")),
    ("a bar is there twice", "stock_prices", "double", lambda d: a_copy(d, "stock_prices")),
    (
        "a post is there twice",
        "reddit_sentiment",
        "double",
        lambda d: a_copy(d, "reddit_sentiment"),
    ),
    ("a close differs", "stock_prices", "wrong", lambda d: change(d, close=1.25)),
    ("a bar is not closed", "stock_prices", "wrong", lambda d: change(d, closed=False)),
    ("an RSI differs a little", "stock_prices", "wrong", lambda d: nudge(d, "rsi", 1e-7)),
    ("an OBV differs", "stock_prices", "wrong", lambda d: nudge(d, "obv", 1e-6)),
    ("an ADX is gone", "stock_prices", "wrong", lambda d: change(d, indicators__adx=None)),
    ("a late bar has values", "stock_prices", "wrong", late_applied),
    (
        "an old version of a post",
        "reddit_sentiment",
        "wrong",
        lambda d: d["reddit_sentiment"].update_one({}, {"$inc": {"engagement": -1.0}}),
    ),
    (
        "a story at another time",
        "news",
        "wrong",
        lambda d: d["news"].update_one(
            {}, [{"$set": {"time": {"$add": ["$time", int(timedelta(hours=1).total_seconds())]}}}]
        ),
    ),
    (
        "others' value is gone",
        "stock_prices",
        "wrong",
        lambda d: d["stock_prices"].update_one(
            {"indicators.chaos_beta": {"$exists": True}}, {"$unset": {"indicators.chaos_beta": 1}}
        ),
    ),
    (
        "a dead letter with another reason",
        "dead_letters",
        "wrong",
        lambda d: d["dead_letters"].update_one({}, {"$set": {"error": "bad luck"}}),
    ),
    (
        "something nobody sent",
        "news",
        "strange",
        lambda d: d["news"].insert_one({"_id": "X|1", "ticker": "X", "id": "1"}),
    ),
]


@pytest.mark.parametrize(
    ("collection", "kind", "spoil"), [case[1:] for case in SPOILT], ids=[c[0] for c in SPOILT]
)
def test_what_is_spoiled_is_found(
    case: tuple[Case, Deployment], collection: str, kind: str, spoil: Spoil
) -> None:
    with spoiled(case[1].database, collection, spoil):
        found = judge(case[0], Parameters(), recomputed=False)
    assert kind in {finding.kind for finding in found}


def test_an_offset_that_is_behind_is_found(case: tuple[Case, Deployment]) -> None:
    found = judge(replace(case[0], group="nobody"), Parameters(), recomputed=False)
    assert {finding.kind for finding in found} == {"offsets"}


def test_after_a_recompute_late_bars_count(case: tuple[Case, Deployment]) -> None:
    """Runs last: before it the late bars are missing from the values, after it they are in."""
    found = judge(case[0], Parameters(), recomputed=True)
    assert {finding.kind for finding in found} == {"wrong"}
    done = faust(case[1], "recompute", *LATE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert judge(case[0], Parameters(), recomputed=True) == []
