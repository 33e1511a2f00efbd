"""MongoDB's change stream, followed once a worker and handed to every client.

The stream is open only while somebody listens, and asks MongoDB only for the tickers that somebody
listens to: a worker that stores thousands of bars a second must not read them all back. Changes of
one document that come within 50 ms are merged, the last one stands.

Every change has a *token*, its place in MongoDB's history. A client that comes back with the token
of the last event it saw gets everything after it: first from a change stream of its own, up to
where the common one is, then from that one. Where MongoDB's history does not reach back so far, it
gets a ``reset`` instead.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError

from sinks.base import Document
from web.events import Change, change_of, frame, pipeline
from web.store import Store

log = logging.getLogger(__name__)

#: How long changes are collected before they are handed out, in seconds.
COLLECT_S = 0.05
#: How long MongoDB holds a question for changes open, in milliseconds.
AWAIT_MS = 250
#: Changes in one of MongoDB's answers.
BATCH = 200
#: Pause after so many, in seconds: at most some 10,000 changes a second are passed on.
BREATH_S = 0.01
#: Events that wait for one client at most; then it is too slow.
MOST_WAITING = 2_000
#: A stream so far behind, in seconds, goes on at the present and tells clients to read anew.
MOST_BEHIND_S = 15.0
#: Changes that a client which comes back may have missed; beyond it reads anew.
MOST_MISSED = 5_000
#: How long what was missed is looked for, in seconds.
MOST_PATIENCE_S = 20.0
#: Pause before MongoDB is asked again after an error, in seconds; doubled up to the last.
_PAUSES_S = (0.25, 5.0)

#: Server errors that say: no going on from that token (history lost, invalid or foreign token).
_TOKEN_ERRORS = frozenset({2, 9, 15, 136, 260, 280, 286, 50811})


class Subscription:
    """One client's share of the changes.

    Args:
        tickers: what it wants to hear of; None for all.
        most: events that may wait for it.
    """

    def __init__(self, tickers: Iterable[str] | None, most: int = MOST_WAITING) -> None:
        self.tickers = None if tickers is None else frozenset(tickers)
        self.overrun = False
        self.closed = False
        self._most = most
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()

    def wants(self, change: Change) -> bool:
        """Tell whether a change is this client's."""
        return self.tickers is None or change.ticker is None or change.ticker in self.tickers

    def put(self, data: bytes) -> None:
        """Have ``data`` sent; too much that is not taken makes the client too slow."""
        if len(self._frames) >= self._most:
            self._frames.clear()
            self.overrun = True
        if not self.overrun:
            self._frames.append(data)
        self._news.set()

    def close(self) -> None:
        """End it: what waits may still be taken."""
        self.closed = True
        self._news.set()

    async def take(self, timeout_s: float) -> bytes:
        """Return what waits, all in one; nothing after the timeout, or at the end."""
        if not self._frames and not self.overrun and not self.closed:
            try:
                await asyncio.wait_for(self._news.wait(), timeout_s)
            except TimeoutError:
                return b""
        self._news.clear()
        taken = b"".join(self._frames)
        self._frames.clear()
        return taken


class Changes:
    """Follows the changes and hands them out.

    Args:
        store: where from.
    """

    def __init__(self, store: Store) -> None:
        self.subscriptions: set[Subscription] = set()
        #: How far the changes have been handed out.
        self.passed: str | None = None
        self._store = store
        #: How far they have been read; what is between the two is pending.
        self._token: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._pending: dict[tuple[str, str], Change] = {}
        self._asked: frozenset[str] | None = frozenset()
        self._is_open = asyncio.Event()

    async def join(self, tickers: Iterable[str] | None) -> tuple[Subscription, str]:
        """Return a new subscription and the token that it begins after.

        Raises:
            PyMongoError: MongoDB does not answer.
        """
        subscription = Subscription(tickers)
        self.subscriptions.add(subscription)
        if not self._covers(subscription):
            # The stream closes, and opens again for these as well, where it was.
            self._is_open.clear()
        if self._task is None or self._task.done():
            self._is_open.clear()
            self._task = asyncio.create_task(self._follow())
        try:
            await asyncio.wait_for(self._is_open.wait(), 5.0)
        except TimeoutError:
            self.leave(subscription)
            raise PyMongoError("no change stream within 5 s") from None
        if self.passed is None:
            self.leave(subscription)
            raise PyMongoError("the change stream has just begun anew")
        return subscription, self.passed

    def leave(self, subscription: Subscription) -> None:
        """Forget a subscription; the stream closes after the last one."""
        self.subscriptions.discard(subscription)

    async def missed(self, token: str, until: str, subscription: Subscription) -> list[bytes]:
        """Return the events after ``token`` up to ``until``.

        Raises:
            Lost: MongoDB's history does not reach back so far, or too much was missed.
        """
        found: dict[tuple[str, str], Change] = {}
        reached = ""
        deadline = time.monotonic() + MOST_PATIENCE_S
        try:
            async with await self._watch(subscription.tickers, token) as stream:
                while True:
                    raw = await stream.try_next()
                    if raw is None:
                        before, reached = reached, _token(stream.resume_token)
                        if reached >= until:
                            break
                        # `until` may be the moment after the last change, or a change that this
                        # stream does not bring: it rests just before.
                        if reached == before and _clock(reached) + 1 >= _clock(until):
                            break
                        if not stream.alive or time.monotonic() > deadline:
                            raise Lost("MongoDB does not find what was missed")
                        continue
                    if raw["_id"]["_data"] > until:
                        break
                    change = change_of(raw)
                    if change is not None:
                        found.pop(change.id, None)
                        found[change.id] = change
                    if len(found) > MOST_MISSED:
                        raise Lost(f"more than {MOST_MISSED} changes were missed")
        except OperationFailure as error:
            if error.code in _TOKEN_ERRORS:
                raise Lost("MongoDB keeps no history from then on") from None
            raise
        return [change.frame for change in found.values()]

    async def close(self) -> None:
        """End all subscriptions, and the stream."""
        for subscription in self.subscriptions:
            subscription.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _covers(self, subscription: Subscription) -> bool:
        if self._asked is None:
            return True
        return subscription.tickers is not None and subscription.tickers <= self._asked

    async def _follow(self) -> None:
        pause = _PAUSES_S[0]
        while self.subscriptions:
            try:
                await self._read()
            except PyMongoError as error:
                if isinstance(error, OperationFailure) and error.code in _TOKEN_ERRORS:
                    self._start_anew("MongoDB keeps no history from then on")
                    continue
                log.warning("no changes for the page: %s; trying again", error)
                if self._is_open.is_set():
                    pause = _PAUSES_S[0]
                    self._is_open.clear()
                self._tell("status", {"mongodb": "away", "reason": "MongoDB does not answer"})
                await asyncio.sleep(pause)
                pause = min(2 * pause, _PAUSES_S[1])
        # Whoever comes next begins at the present.
        self._token = self.passed = None
        self._asked = frozenset()

    async def _read(self) -> None:
        """Read the stream until somebody wants other tickers, or nobody is left."""
        self._asked = self._wanted()
        async with await self._watch(self._asked, self._token) as stream:
            if self._token is None:
                self._token = self.passed = _token(stream.resume_token)
            if not all(map(self._covers, self.subscriptions)):
                return  # somebody came while it was being opened
            self._is_open.set()
            self._tell("status", {"mongodb": "ok"})
            read = 0
            while self.subscriptions and self._is_open.is_set():
                raw = await stream.try_next()
                if raw is None:
                    if not stream.alive:
                        # As when somebody drops the database.
                        self._start_anew("MongoDB has ended the stream of changes")
                        return
                    self._token = max(self._token, _token(stream.resume_token))
                    self._flush()
                    continue
                self._token = raw["_id"]["_data"]
                self._keep(raw)
                if time.time() - raw["clusterTime"].time > MOST_BEHIND_S:
                    self._start_anew("changes came faster than they could be passed on")
                    return
                read += 1
                if read % BATCH == 0:
                    # The loop is the agents' first of all.
                    await asyncio.sleep(BREATH_S)
        self._flush()

    def _wanted(self) -> frozenset[str] | None:
        """Return the tickers that anybody wants; None for all."""
        wanted: set[str] = set()
        for subscription in self.subscriptions:
            if subscription.tickers is None:
                return None
            wanted |= subscription.tickers
        return frozenset(wanted)

    def _keep(self, raw: Document) -> None:
        change = change_of(raw)
        if change is None:
            return
        if not self._pending:
            asyncio.get_running_loop().call_later(COLLECT_S, self._flush)
        # Taken out first, so that it stands where its last change is: tokens only go forward.
        self._pending.pop(change.id, None)
        self._pending[change.id] = change

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        for change in pending.values():
            for subscription in self.subscriptions:
                if subscription.wants(change):
                    subscription.put(change.frame)
        self.passed = self._token

    def _start_anew(self, reason: str) -> None:
        log.warning("the page's changes begin anew: %s", reason)
        self._token = self.passed = None
        self._pending.clear()
        self._tell("reset", {"reason": reason})

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        for subscription in self.subscriptions:
            subscription.put(frame(event, data))

    async def _watch(self, tickers: frozenset[str] | None, token: str | None) -> Any:
        return await self._store.database.watch(
            pipeline(tickers),
            full_document="updateLookup",
            resume_after=None if token is None else {"_data": token},
            max_await_time_ms=AWAIT_MS,
            batch_size=BATCH,
        )


class Lost(Exception):
    """A client cannot be given what it missed."""


def _clock(token: str) -> int:
    """Return MongoDB's clock in a token: 8 bytes in hexadecimal, after a byte for its type."""
    return int(token[2:18] or "0", 16)


def _token(resume: Any) -> str:
    return "" if resume is None else str(resume["_data"])
