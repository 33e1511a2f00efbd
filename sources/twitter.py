"""Posts about tickers on X, formerly Twitter, through tweepy (version 2 of the API).

X charges for every post that a search returns, and for every author that comes with it. So this
source is off without a token, asks for nothing that it knows already, and stops for the day once a
number of posts was read. tweepy blocks, so it works in a thread.
"""

from __future__ import annotations

import html
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import tweepy

from errors import (
    ConfigurationError,
    InvalidRecord,
    SourceUnavailable,
    StoreUnavailable,
    shorten,
)
from models import SOCIAL_POST, SocialPost
from monitoring.instruments import rate_limited
from sources import mentions
from sources.answers import BoundedAdapter
from sources.spend import Spend, SpendHere
from topics import TWITTER_SENTIMENT

log = logging.getLogger(__name__)

DAY_S = 86_400

#: What one search returns, at least and at most, as X rules.
FEWEST, MOST = 10, 100

#: X searches the last seven days and refuses to hear of more; less what a request takes.
REACH_S = 7 * DAY_S - 300

#: A search may not begin later than this many seconds ago.
FRESHEST_S = 30

#: No pause that X asks for is longer, in seconds; its windows have 15 minutes, or a day.
LONGEST_PAUSE_S = DAY_S

LONGEST_TEXT = 10_000

#: What X knows as a cashtag; other tickers are searched as a phrase.
_CASHTAG = re.compile(r"^\$[A-Z]{1,6}([._][A-Z]{1,2})?$")

#: The milliseconds since this one are the upper bits of a post's number.
_FIRST_MS = 1_288_834_974_657

_FIELDS = ["created_at", "public_metrics"]
_COUNTS = ("like_count", "retweet_count", "reply_count", "quote_count")

#: What comes of an answer that has not the shape it should have, in tweepy and here.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class TwitterSource:
    """Reads new posts about tickers on X.

    Records are ``SocialPost`` with ``platform`` and ``source`` ``twitter``; ``engagement`` counts
    likes, retweets, replies and quotes at the time of reading. Retweets, and what is not in
    English, are left out.

    What comes per fetch is bounded: of more than ``max_pages`` pages of 100 the newest come. If
    some tickers could be read and the next one could not, those come
    (`sources.mentions.PostReader`).

    Args:
        bearer_token: of an application registered at X.
        interval: seconds between two polls.
        names: per ticker the company's name; may grow while the source is used.
        authors: whether the author's handle is kept; without it X does not charge for authors.
        daily_posts: most posts read in one day (UTC), by all who share ``spend``; at least 10.
        spend: counts them; this source alone where None.
        base_url: where X is; empty for X itself.
        lookback_s: how far back a ticker without ``since`` starts, in seconds.
        max_pages: most pages read per ticker in one fetch.
        timeout_s: longest fetch, in seconds; `request_timeout_s` the same of one request.
        now: seconds since the epoch.

    Raises:
        SourceUnavailable: there is no token.
        ConfigurationError: ``daily_posts`` is below what one search returns.
    """

    name = "twitter"
    topic = TWITTER_SENTIMENT

    def __init__(
        self,
        bearer_token: str,
        interval: float = 300.0,
        *,
        names: Mapping[str, str] | None = None,
        authors: bool = True,
        daily_posts: int = 1_000,
        spend: Spend | None = None,
        base_url: str = "",
        lookback_s: float = 3_600.0,
        max_pages: int = 3,
        timeout_s: float = 25.0,
        request_timeout_s: float = 10.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not bearer_token:
            raise SourceUnavailable(
                "twitter has no credentials: set TWITTER_BEARER_TOKEN (X charges for what is read)"
            )
        if daily_posts < FEWEST:
            raise ConfigurationError(
                f"{daily_posts} posts of Twitter a day: must be at least {FEWEST}, which is what "
                "one search returns"
            )
        self.interval = interval
        self._names = {} if names is None else names
        self._authors = authors
        self._lookback_s = lookback_s
        self._max_pages = max_pages
        self._now = now
        self._reader = mentions.PostReader(self.name, timeout_s)
        self._budget = _Budget(daily_posts, spend or SpendHere())
        self._closed_until = 0.0
        #: Per key time (ms) and number of the newest post handed out.
        self._newest: dict[str, tuple[int, int]] = {}
        self._token = bearer_token
        # At level DEBUG tweepy logs every header, and with it the token.
        logging.getLogger("tweepy.client").setLevel(logging.INFO)
        self._session = _Session(base_url.rstrip("/"), request_timeout_s)
        # Plain dicts: tweepy's objects throw away a page for one post without a number.
        self._client = tweepy.Client(bearer_token, return_type=dict, wait_on_rate_limit=False)
        self._client.session = self._session

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[SocialPost]:
        """Return the posts after ``since``; see :meth:`sources.base.Source.fetch`.

        Raises:
            SourceUnavailable: nothing could be read, or not before the next day.
        """
        if not keys:
            return []

        def prepare(given_up: threading.Event) -> mentions.ReadOne:
            self._session.given_up = given_up
            return lambda key: self._new_posts(key, since.get(key))

        posts = await self._reader.read(keys, prepare)
        # Only now: what a cancelled fetch has read was not handed out.
        for post in posts:
            self._newest[post.ticker] = (post.time, int(post.id))
        return posts

    async def close(self) -> None:
        """Close the connections; a later fetch opens new ones."""
        self._reader.close()
        self._session.close()
        self._budget.close()

    def _new_posts(self, key: str, since: int | None) -> list[SocialPost]:
        now = self._now()
        start = since if since is not None else int((now - self._lookback_s) * 1000)
        earliest = start / 1000
        params: dict[str, Any] = {"query": self._query(key), "tweet_fields": _FIELDS}
        if self._authors:
            params |= {"expansions": ["author_id"], "user_fields": ["username"]}
        newest_time, newest_id = self._newest.get(key, (0, 0))
        if since == newest_time and earliest > now - REACH_S:
            # What was handed out last was sent, so that X can begin after it, and charges for
            # nothing twice. Had it not been sent, `since` would not stand there.
            params["since_id"] = newest_id
        else:
            earliest = max(now - REACH_S, min(earliest, now - FRESHEST_S))
            params["start_time"] = datetime.fromtimestamp(earliest, UTC)
        posts = []
        for page in range(self._max_pages):
            try:
                answer = self._page(params)
            except SpentForToday:
                if page == 0:
                    raise
                break  # What was paid for is kept; it is the newest.
            users = _handles(answer)
            found = [self._post(key, tweet, users) for tweet in answer.get("data") or []]
            posts += [p for p in found if p is not None and p.time > start]
            token = answer["meta"].get("next_token")
            if not token:
                break
            params["next_token"] = token
        return posts

    def _query(self, key: str) -> str:
        cashtag, *name = mentions.search_terms(key, self._names.get(key, ""))
        first = cashtag if _CASHTAG.match(cashtag) else f'"{cashtag[1:]}"'
        terms = " OR ".join([first, *(f'"{term}"' for term in name)])
        return f"({terms}) -is:retweet lang:en"

    def _page(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return one page of what was found, and count it.

        Raises:
            SourceUnavailable: there is none, or there may be none now.
        """
        now = self._now()
        if now < self._closed_until:
            raise SourceUnavailable(
                f"twitter: too many requests, goes on in {self._closed_until - now:.0f} s"
            )
        asked = self._budget.take(now)
        try:
            answer = self._client.search_recent_tweets(max_results=asked, **params)
            data, meta = answer.get("data") or [], answer.get("meta")
            if not isinstance(data, list) or not isinstance(meta, dict):
                raise TypeError("no page")
            # Not more than was asked for, whatever comes.
            data = data[:asked]
        except SourceUnavailable:
            self._budget.give_back(asked)
            raise
        except tweepy.HTTPException as error:
            self._budget.give_back(asked)
            raise self._refused(error, now) from None
        except _UNREADABLE as error:
            # It may have been charged: it stays counted.
            raise SourceUnavailable(
                f"twitter: an answer that cannot be read ({type(error).__name__})"
            ) from None
        self._budget.give_back(asked - len(data))
        return {**answer, "data": data, "meta": meta}

    def _refused(self, error: tweepy.HTTPException, now: float) -> SourceUnavailable:
        status = error.response.status_code
        if isinstance(error, tweepy.TooManyRequests):
            if error.reset_time is None:
                rate_limited(self.name, 0)
                return SourceUnavailable("twitter: too many requests")
            wait = min(max(error.reset_time - now, 1.0), LONGEST_PAUSE_S)
            self._closed_until = now + wait
            rate_limited(self.name, wait)
            return SourceUnavailable(f"twitter: too many requests, goes on in {wait:.0f} s")
        if status == 401:
            return SourceUnavailable("twitter: 401, the token is refused: TWITTER_BEARER_TOKEN")
        # X says here which access, or which part of the query, it does not grant.
        said = " ".join(str(message) for message in error.api_messages)
        said = shorten(said.replace(self._token, "..."), 160) if said and status < 500 else ""
        return SourceUnavailable(f"twitter: the provider answers {status} {said}".rstrip())

    def _post(self, key: str, tweet: Any, users: Mapping[str, str]) -> SocialPost | None:
        try:
            number = int(tweet["id"])
            counts = tweet.get("public_metrics") or {}
            return SOCIAL_POST.parse(
                {
                    "ticker": key,
                    "platform": "twitter",
                    "id": str(number),
                    "time": _time(number, tweet["created_at"]),
                    "text": html.unescape(tweet["text"])[:LONGEST_TEXT],
                    "source": self.name,
                    "ingested": int(self._now() * 1000),
                    "author": users.get(tweet.get("author_id")) if self._authors else None,
                    "engagement": float(sum(max(0, counts.get(name, 0)) for name in _COUNTS)),
                    # Not the one with the author's handle: a setting leaves that out.
                    "url": f"https://x.com/i/status/{number}",
                }
            )
        except (InvalidRecord, *_UNREADABLE) as error:
            log.debug("twitter: left out a post: %s", error)
            return None


class SpentForToday(SourceUnavailable):
    """As many posts were read as may be on one day."""


class _Budget:
    """How many posts may still be read on this day, UTC."""

    def __init__(self, daily_posts: int, spend: Spend) -> None:
        self._daily_posts = daily_posts
        self._spend = spend
        self._day = ""

    def take(self, now: float) -> int:
        """Return how many posts may be asked for, counted as read.

        Raises:
            SpentForToday: no more today; says when it goes on.
            SourceUnavailable: they cannot be counted, so none may be read.
        """
        today = datetime.fromtimestamp(now, UTC)
        self._day = today.date().isoformat()
        try:
            asked, read = self._spend.take(self._day, self._daily_posts, FEWEST, MOST)
        except StoreUnavailable as error:
            raise SourceUnavailable(
                f"twitter: what is read today cannot be counted, so nothing is read: {error}"
            ) from error
        if not asked:
            resumes = today.date() + timedelta(days=1)
            raise SpentForToday(
                f"twitter: {read} posts read today, and TWITTER_DAILY_POSTS is "
                f"{self._daily_posts}: goes on at {resumes} 00:00 UTC"
            )
        return asked

    def give_back(self, posts: int) -> None:
        """Count so many posts of the last ones taken as not read."""
        if not posts:
            return
        try:
            self._spend.give_back(self._day, posts)
        except StoreUnavailable as error:
            log.warning("twitter: %d posts count as read that were not: %s", posts, error)

    def close(self) -> None:
        """Give up connections."""
        self._spend.close()


class _Session(requests.Session):
    """The way of tweepy, which knows one address and no timeout, to HTTP."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        super().__init__()
        self.given_up = threading.Event()
        self._base_url = base_url
        self._timeout_s = timeout_s
        bounded = BoundedAdapter("twitter", "TWITTER_BASE_URL", timeout_s)
        self.mount("https://", bounded)
        self.mount("http://", bounded)

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Ask at the address wanted, within the time allowed."""
        if self.given_up.is_set():
            raise SourceUnavailable("twitter: the fetch was given up")
        parts = urlsplit(url)
        if self._base_url:
            url = f"{self._base_url}{parts.path}"
        # The token goes nowhere else, whatever the answer says.
        kwargs |= {"timeout": self._timeout_s, "allow_redirects": False}
        try:
            return super().request(method, url, *args, **kwargs)
        except requests.RequestException as error:
            host, kind = urlsplit(url).hostname, type(error).__name__
            raise SourceUnavailable(f"twitter: no answer from {host} ({kind})") from None


def _handles(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return per author's number the handle."""
    try:
        return {user["id"]: user["username"] for user in answer["includes"]["users"]}
    except _UNREADABLE:
        return {}


def _time(number: int, created_at: str) -> int:
    """Return when a post was written, in ms.

    ``created_at`` has whole seconds, and a second can hold posts that are already known and others
    that are not. The post's number has milliseconds, and is believed where both agree.
    """
    second = int(datetime.fromisoformat(created_at).timestamp() * 1000)
    exact = (number >> 22) + _FIRST_MS
    return exact if exact // 1000 == second // 1000 else second
