"""Compares the latest trend of each ticker with what one worker makes of the same topics alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import isclose
from typing import Any

from pymongo import MongoClient

from chaos.judge.compare import LOST, STRANGE, WRONG, Complaint
from chaos.judge.expected import Document

#: How far two computations of the same number may be apart; the inputs are the same to the bit.
_TOLERANCE = 1e-9

#: What differs between two deployments although the trend is the same: the messages behind it.
_OWN = frozenset({"version"})


def compare_trends(
    mongodb: str, database: str, replayed: str, tickers: Collection[str]
) -> Iterator[Complaint]:
    """Yield where the two databases have another trend.

    Args:
        mongodb: connection string.
        database: that of the workers.
        replayed: that of the one worker.
        tickers: which must all have a trend.
    """
    with MongoClient[Document](mongodb, tz_aware=True) as client:
        stored, wanted = (
            {one["_id"]: one for one in client[name]["trends"].find()}
            for name in (database, replayed)
        )
    for ticker in sorted(set(tickers) - stored.keys()):
        yield LOST, f"trends: {ticker} has none"
    for ticker in sorted(stored.keys() ^ wanted.keys()):
        yield STRANGE, f"trends: {ticker} is in one of both databases only"
    for ticker in sorted(stored.keys() & wanted.keys()):
        for field in sorted((stored[ticker].keys() | wanted[ticker].keys()) - _OWN):
            found, right = stored[ticker].get(field), wanted[ticker].get(field)
            if not _same(found, right):
                yield WRONG, f"trends: {ticker}: {field} is {found!r}, one worker has {right!r}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    return bool(one == other)
