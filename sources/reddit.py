"""Posts, and if wanted comments, about tickers on Reddit, through praw.

Each ticker is one search over all subreddits (newest first, up to the last post known), comments
are one listing of the newest for all tickers together. praw is read-only here and blocks, so it
works in a thread.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import praw
import prawcore
from praw.exceptions import PRAWException

from errors import ConfigurationError, InvalidRecord, SourceUnavailable
from models import SOCIAL_POST, SocialPost
from sources import mentions
from sources.reddit_http import Gate, Requestor, TokenRefused
from topics import REDDIT_SENTIMENT

log = logging.getLogger(__name__)

SUBREDDITS = ("stocks", "wallstreetbets", "investing")

#: Reddit wants to know who asks: platform, program, version.
USER_AGENT = "python:financial-trends:0.1"

#: Where Reddit is: for access tokens, and for everything else.
WWW_URL = "https://www.reddit.com"
API_URL = "https://oauth.reddit.com"

#: Longest text kept of a post, in characters; Reddit allows 40,000.
LONGEST_TEXT = 10_000

#: Most that Reddit gives at once.
PAGE = 100

#: What stands where a text or an author was.
_GONE = frozenset({"[deleted]", "[removed]"})

_COUNTS = ("score", "num_comments")

_SUBREDDIT = re.compile(r"^[A-Za-z0-9_]{2,50}$")

_PostsByKey = dict[str, list[SocialPost]]

#: What praw raises, documented or not, where an answer has not the shape it expects.
_ODD = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
_UNREADABLE = (*_ODD, prawcore.PrawcoreException, PRAWException)


class RedditSource:
    """Reads new posts about tickers from some subreddits.

    Records are ``SocialPost`` with ``platform`` and ``source`` ``reddit``. ``id`` is Reddit's, with
    ``t1_`` in front for a comment, as comments are numbered apart. ``text`` is title and text,
    ``engagement`` the score, if above 0, and the number of comments, both at the time of reading.

    What comes per fetch is bounded: of more than ``max_posts`` the newest come. If some tickers
    could be read and the next one could not, those come (`sources.mentions.PostReader`).

    Args:
        client_id: of the application registered at Reddit, as is ``client_secret``.
        interval: seconds between two polls.
        subreddits: their names, without ``r/``.
        names: per ticker the company's name; may grow while the source is used.
        comments: whether comments are read, too.
        authors: whether the author's handle is kept; nothing else of a person ever is.
        user_agent: how the program introduces itself.
        base_url: where Reddit is, for both of its addresses; empty for Reddit itself.
        lookback_s: how far back a ticker without ``since`` starts, in seconds.
        late_s: posts this many seconds older than ``since`` come as well, again and again. Reddit
            dates to the second and finds a post some time after it was written: with 0, one that
            it finds after a newer one of the same ticker is left out.
        max_posts: most posts read per ticker, and most comments, in one fetch.
        timeout_s: longest fetch, in seconds; `request_timeout_s` the same of one request.
        now: seconds since the epoch.

    Raises:
        SourceUnavailable: there are no credentials.
        ConfigurationError: a subreddit's name cannot be one.
    """

    name = "reddit"
    topic = REDDIT_SENTIMENT

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        interval: float = 60.0,
        *,
        subreddits: Sequence[str] = SUBREDDITS,
        names: Mapping[str, str] | None = None,
        comments: bool = False,
        authors: bool = True,
        user_agent: str = USER_AGENT,
        base_url: str = "",
        lookback_s: float = 86_400.0,
        late_s: float = 0.0,
        max_posts: int = 300,
        timeout_s: float = 25.0,
        request_timeout_s: float = 10.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not (client_id and client_secret):
            raise SourceUnavailable(
                "reddit has no credentials: set REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET "
                "(of an application of yours, https://www.reddit.com/prefs/apps)"
            )
        wrong = [name for name in subreddits if not _SUBREDDIT.match(name)]
        if wrong or not subreddits:
            raise ConfigurationError(
                f"subreddits {wrong}: at least one name, of letters, digits and underscores"
            )
        self.interval = interval
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._where = "+".join(subreddits)
        self._names = {} if names is None else names
        self._comments = comments
        self._authors = authors
        self._user_agent = user_agent
        self._www = (base_url or WWW_URL).rstrip("/")
        # praw joins this one as a link is joined to a page: without the slash a path gets lost.
        self._api = (base_url or API_URL).rstrip("/") + "/"
        self._lookback_s = lookback_s
        self._late_ms = int(late_s * 1000)
        self._max_posts = max_posts
        self._now = now
        self._reader = mentions.PostReader(self.name, timeout_s)
        self._gate = Gate(request_timeout_s)
        self._client: praw.Reddit | None = None

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[SocialPost]:
        """Return the posts after ``since``; see :meth:`sources.base.Source.fetch`.

        Raises:
            SourceUnavailable: nothing could be read.
        """
        if not keys:
            return []

        def prepare(given_up: threading.Event) -> mentions.ReadOne:
            self._gate.open(given_up)
            started = self._ms()
            live = started - int(self._lookback_s * 1000)
            starts = {k: since[k] - self._late_ms if k in since else live for k in keys}
            if not self._comments:
                return lambda key: self._new_posts(key, starts[key])
            # First, and all of them: posts move the cursor beyond comments that were not read. For
            # the same reason whatever comes in from now on waits for the next time.
            comments = self._new_comments(starts, started)
            return lambda key: self._new_posts(key, starts[key], started) + comments[key]

        return await self._reader.read(keys, prepare)

    async def close(self) -> None:
        """Close the connections; a later fetch opens new ones."""
        self._reader.close()
        self._gate.session.close()

    def _new_posts(self, key: str, start: int, until: int | None = None) -> list[SocialPost]:
        company = self._names.get(key, "")
        query = " OR ".join(f'"{term}"' for term in mentions.search_terms(key, company))
        posts: list[SocialPost] = []
        period = _period(self._ms() - start)
        search = {"q": query, "restrict_sr": "1", "sort": "new", "t": period}
        with self._readable():
            for data in self._listing("search", search):
                title, body = str(data.get("title") or ""), str(data.get("selftext") or "")
                text = title if body in _GONE or not body else f"{title}\n\n{body}"
                post = self._post(key, data, "", text)
                if post is None or (until is not None and post.time > until):
                    continue
                if post.time <= start:
                    break
                # Reddit's search overlooks the $, so "$A" finds every text there is.
                if not mentions.needs_check(key) or mentions.matches(text, key, company):
                    posts.append(post)
        return posts

    def _new_comments(self, starts: Mapping[str, int], until: int) -> _PostsByKey:
        found: _PostsByKey = {key: [] for key in starts}
        earliest = min(starts.values())
        with self._readable():
            for data in self._listing("comments", {}):
                text = str(data.get("body") or "")
                if (data.get("created_utc") or self._now()) * 1000 <= earliest:
                    break
                if text in _GONE:
                    continue
                for key, start in starts.items():
                    if mentions.matches(text, key, self._names.get(key, "")):
                        post = self._post(key, data, "t1_", text)
                        if post is not None and start < post.time <= until:
                            found[key].append(post)
        return found

    def _listing(self, what: str, params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield what a listing of the subreddits holds, newest first, page after page.

        As plain data: praw's own listings fail as a whole for one post without an author, and its
        objects ask again for every field that is not there.
        """
        left, after = self._max_posts, ""
        while left > 0:
            self._gate.check()
            page = {**params, "limit": min(left, PAGE)} | ({"after": after} if after else {})
            path = f"r/{self._where}/{what}/"
            answer = self._reddit().request(method="GET", path=path, params=page)
            # Not more than was asked for, whatever comes.
            children = answer["data"]["children"][: page["limit"]]
            for child in children:
                yield child["data"]
            after = answer["data"].get("after")
            if not (after and children):
                return
            left -= len(children)

    def _post(self, key: str, data: Mapping[str, Any], kind: str, text: str) -> SocialPost | None:
        author = data.get("author") if self._authors else None
        try:
            return SOCIAL_POST.parse(
                {
                    "ticker": key,
                    "platform": "reddit",
                    "id": f"{kind}{data['id']}",
                    "time": int(data["created_utc"] * 1000),
                    "text": text[:LONGEST_TEXT],
                    "source": self.name,
                    "ingested": self._ms(),
                    "author": author if author not in _GONE else None,
                    "engagement": float(sum(max(0, data.get(name) or 0) for name in _COUNTS)),
                    "url": f"{WWW_URL}{data.get('permalink') or ''}",
                }
            )
        except (InvalidRecord, *_ODD) as error:
            log.debug("reddit: left out a post: %s", error)
            return None

    def _reddit(self) -> praw.Reddit:
        if self._client is None:
            # All that praw would otherwise take from a praw.ini, or from the environment, is said
            # here: a file that lies about must not decide where credentials go.
            self._client = praw.Reddit(
                "DEFAULT",
                requestor_class=Requestor,
                requestor_kwargs={"gate": self._gate},
                **self._credentials,
                user_agent=self._user_agent,
                username=None,
                password=None,
                refresh_token=None,
                reddit_url=self._www,
                oauth_url=self._api,
                check_for_updates=False,
                check_for_async=False,
            )
        return self._client

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except TokenRefused:
            self._client = None
            raise
        except _UNREADABLE as error:
            raise SourceUnavailable(
                f"reddit: an answer that cannot be read ({type(error).__name__})"
            ) from None

    def _ms(self) -> int:
        return int(self._now() * 1000)


def _period(age_ms: int) -> str:
    """Return the shortest of Reddit's periods that holds what is so old, with room to spare."""
    days = age_ms / 86_400_000
    for period, length in (("day", 0.8), ("week", 6), ("month", 27), ("year", 360)):
        if days <= length:
            return period
    return "all"
