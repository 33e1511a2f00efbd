"""Who polls what: the requests of several workers at local providers, by key and process."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import psutil

from tests.sources.providers.fred import OBSERVATIONS
from tests.sources.providers.reddit import SEARCH as REDDIT_SEARCH
from tests.sources.providers.rss import HEADLINES
from tests.sources.providers.server import Answer, LocalServer, Request
from tests.sources.providers.twitter import SEARCH as TWITTER_SEARCH


class Poll(NamedTuple):
    """One request for one key; ``at`` is seconds of ``time.monotonic``."""

    key: str
    pid: int
    at: float


def polled_key(request: Request) -> str | None:
    """Return the ticker or series that a request of any source is about; None for no poll."""
    if request.path == HEADLINES:
        return f"rss {request.value('s')}"
    if request.path == OBSERVATIONS:
        return f"fred {request.value('series_id')}"
    if request.path in {REDDIT_SEARCH, TWITTER_SEARCH}:
        found = re.search(r"\$([A-Z]+)", request.value("q") or request.value("query"))
        source = "reddit" if request.path == REDDIT_SEARCH else "twitter"
        return None if found is None else f"{source} {found[1]}"
    return None


class Census:
    """Counts the polls of the processes that it is told of, by the port that each asks from."""

    def __init__(self) -> None:
        self.pids: list[int] = []
        self.polls: list[Poll] = []
        #: Held over the answers to what is polled, so that a test can end a worker in mid-poll.
        self.gate = threading.Event()
        self.gate.set()
        self._owner: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    def watch(self, server: LocalServer) -> None:
        """Note every poll at ``server`` before it is answered."""
        say: Callable[[Request], Answer] = server.answer

        def noted(request: Request) -> Answer:
            key = polled_key(request)
            if key is not None:
                self._note(key, request, server.url)
                self.gate.wait(30)
            return say(request)

        server.answer = noted  # type: ignore[method-assign]

    def since(self, moment: float) -> dict[str, list[Poll]]:
        """Return the polls after ``moment`` by key, in order of arrival."""
        found = defaultdict(list)
        with self._lock:
            for poll in self.polls:
                if poll.at > moment:
                    found[poll.key].append(poll)
        return found

    def owners(self, moment: float) -> dict[str, set[int]]:
        """Return which processes polled each key after ``moment``."""
        return {key: {poll.pid for poll in polls} for key, polls in self.since(moment).items()}

    def settled(self, keys: Iterable[str], pids: Iterable[int], seconds: float) -> bool:
        """Whether lately each key was polled, by one of ``pids`` alone, and each of them polled."""
        owners = self.owners(time.monotonic() - seconds)
        alone = all(len(owners.get(key, ())) == 1 for key in keys)
        return alone and {pid for (pid,) in owners.values()} == set(pids) if alone else False

    def _note(self, key: str, request: Request, url: str) -> None:
        connection = url, request.connection
        with self._lock:
            if connection not in self._owner:
                self._owner[connection] = self._asking(request.port)
            self.polls.append(Poll(key, self._owner[connection], request.at))

    def _asking(self, port: int) -> int:
        for pid in self.pids:
            try:
                connections = psutil.Process(pid).net_connections("tcp")
            except psutil.Error:
                continue  # it was killed
            if any(one.laddr and one.laddr.port == port for one in connections):
                return pid
        return 0


def overlaps(polls: list[Poll], newcomer: int) -> int:
    """Return how often others polled a key after ``newcomer`` first did."""
    first = next((i for i, poll in enumerate(polls) if poll.pid == newcomer), len(polls))
    return sum(poll.pid != newcomer for poll in polls[first:])
