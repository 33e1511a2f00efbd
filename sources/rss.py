"""News from RSS and Atom feeds: Yahoo Finance's feed of each ticker, and any others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

import httpx

from errors import ConfigurationError, InvalidRecord, SourceUnavailable
from models import NEWS_ITEM, NewsItem
from monitoring.instruments import rate_limited
from sources.answers import MOST_BYTES, AnswerTooLarge, unpacked
from sources.feeds import BrokenFeed, Feed, Story, read_feed
from sources.matching import tickers_in
from topics import FINANCIAL_NEWS

log = logging.getLogger(__name__)

YAHOO_RSS_BASE_URL = "https://feeds.finance.yahoo.com"

#: Yahoo answers 429 to clients that do not look like a browser.
USER_AGENT = "Mozilla/5.0 (compatible; financial-trends; RSS reader)"

#: Pause after a 429 or 503 that does not say how long, and the longest believed, in seconds.
RETRY_AFTER_S = 60.0
LONGEST_RETRY_AFTER_S = 86_400.0

#: Tickers that one story is taken to be about.
MOST_TICKERS = 50

#: What the feeds may have together, in bytes: their stories are kept until the next poll.
MOST_KEPT_BYTES = 64_000_000

#: Addresses asked one after the other for one feed.
MOST_ADDRESSES = 10

#: Feeds asked at a time.
CONCURRENCY = 8


@dataclass(slots=True)
class _Followed:
    """One feed and what is known of it; changed by complete answers only.

    Attributes:
        ticker: whose news it brings; None where items are matched.
        not_before: when it may be asked again, on the source's clock.
        tried: when it was asked last, so that the one that waits longest comes first.
        problem: why its last answer was none; None when it was one.
        size: of the answer that is its content, in bytes.
    """

    address: str
    label: str
    ticker: str | None
    etag: str = ""
    modified: str = ""
    content: Feed = field(default_factory=Feed)
    not_before: float = float("-inf")
    tried: float = float("-inf")
    problem: str | None = None
    size: int = 0


class RssSource:
    """Reads feeds with httpx and feedparser; one Record per story and ticker.

    An item of a ticker's own Yahoo feed belongs to that ticker; an item of ``feeds`` belongs to
    every key that :func:`sources.matching.tickers_in` finds in its title or summary. A story is
    known by its link without tracking parameters, so two feeds that carry it bring one document.

    ``time`` is when a story was published. One without a readable date, or with one still to come,
    was published when this object first saw it.

    What each feed last said is kept, which is what ETag and If-Modified-Since (304: nothing new)
    need for the same ``since`` to bring the same records again. One feed that fails is a warning;
    it keeps none of the others back.

    Args:
        feeds: addresses of further feeds, http or https.
        names: the company's name of each ticker, read at every fetch.
        base_url: where Yahoo's feeds are.
        interval: seconds between two polls.
        timeout_s: longest wait for one feed, in seconds.
        budget_s: longest wait for all feeds, in seconds; those not asked by then come first in the
            next fetch.
        late_s: stories this many seconds older than ``since`` come as well, again and again. Feeds
            are not equally fast: with 0, a story that one brings after a newer one of the same
            ticker is left out.
        clock: seconds from any start, for pauses.
        now: seconds since the epoch.

    Raises:
        ConfigurationError: an address is not one.
    """

    name = "rss"
    topic = FINANCIAL_NEWS

    def __init__(
        self,
        feeds: Sequence[str] = (),
        *,
        names: Mapping[str, str] | None = None,
        base_url: str = YAHOO_RSS_BASE_URL,
        interval: float = 60.0,
        timeout_s: float = 10.0,
        budget_s: float = 25.0,
        late_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.interval = interval
        self._names = {} if names is None else names
        self._base_url = _checked(base_url).rstrip("/")
        self._general = tuple(dict.fromkeys(_checked(feed) for feed in feeds))
        self._timeout_s = timeout_s
        self._budget_s = budget_s
        self._late_ms = int(late_s * 1000)
        self._clock = clock
        self._now = now
        self._feeds: dict[str, _Followed] = {}
        self._client: httpx.AsyncClient | None = None
        # Of its own, as a feed may be made to take seconds, which others must not wait for; and
        # one, because threads that compute all take turns with the loop.
        self._reading: ThreadPoolExecutor | None = None

    async def fetch(self, keys: Sequence[str], since: Mapping[str, int]) -> list[NewsItem]:
        """Return the stories after ``since``; see :meth:`sources.base.Source.fetch`.

        Raises:
            SourceUnavailable: no feed answered.
        """
        if not keys:
            return []
        self._feeds = self._following(keys)
        feeds = list(self._feeds.values())
        await self._refresh_all(feeds)
        problems = [f"{feed.label}: {feed.problem}" for feed in feeds if feed.problem is not None]
        if len(problems) == len(feeds):
            more = f" (and {len(problems) - 1} more feeds)" if len(problems) > 1 else ""
            raise SourceUnavailable(f"news: {problems[0]}{more}")
        # Matching a hundred stories with hundreds of tickers would hold up the loop.
        return await asyncio.to_thread(self._items, list(keys), dict(since), feeds)

    async def close(self) -> None:
        """Give up connections and what the feeds said."""
        self._feeds = {}
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.shutdown(wait=False, cancel_futures=True)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _following(self, keys: Iterable[str]) -> dict[str, _Followed]:
        """Return the feeds to read for ``keys``, with what is known of those read before."""
        wanted: dict[str, tuple[str, str | None]] = {}
        for key in keys:
            query = f"s={quote(key, safe='')}&region=US&lang=en-US"
            address = f"{self._base_url}/rss/2.0/headline?{query}"
            wanted[address] = (f"Yahoo Finance's feed of {key}", key)
        for address in self._general:
            wanted[address] = (_label(address), None)
        return {
            address: self._feeds.get(address) or _Followed(address, label, ticker)
            for address, (label, ticker) in wanted.items()
        }

    async def _refresh_all(self, feeds: Iterable[_Followed]) -> None:
        client = await self._connected()
        gate = asyncio.Semaphore(CONCURRENCY)
        due = [feed for feed in feeds if feed.not_before <= self._clock()]
        due.sort(key=lambda feed: feed.tried)
        before = {feed.address: feed.problem for feed in due}
        for feed in due:
            feed.problem = f"no answer within the {self._budget_s:g} s for all feeds"

        async def refresh(feed: _Followed) -> None:
            async with gate:
                feed.tried = self._clock()
                feed.problem = await self._refresh(feed, client)

        try:
            async with asyncio.timeout(self._budget_s), asyncio.TaskGroup() as group:
                for feed in due:
                    group.create_task(refresh(feed))
        except TimeoutError:
            log.debug("news: %g s were not enough for %d feeds", self._budget_s, len(due))
        new = [feed for feed in due if feed.problem and before[feed.address] is None]
        if new:
            more = f" (and {len(new) - 1} more feeds)" if len(new) > 1 else ""
            log.warning("news: %s: %s%s; the others go on", new[0].label, new[0].problem, more)

    async def _refresh(self, feed: _Followed, client: httpx.AsyncClient) -> str | None:
        """Ask one feed; return what went wrong."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(feed, client)
        except TimeoutError:
            return f"no complete answer in {self._timeout_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"no answer: {error or type(error).__name__}"
        except BrokenFeed as error:
            return str(error)

    async def _ask(self, feed: _Followed, client: httpx.AsyncClient) -> str | None:
        headers = {}
        if feed.etag:
            headers["If-None-Match"] = feed.etag
        if feed.modified:
            headers["If-Modified-Since"] = feed.modified
        async with _asked(client, feed.address, headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            if answer.status_code != httpx.codes.OK:
                return self._refused(feed, answer)
            body = bytearray()
            packed = answer.headers.get("content-encoding", "")
            try:
                async for chunk in unpacked(answer.aiter_raw(), packed):
                    body += chunk
                    if len(body) > MOST_BYTES:
                        return str(AnswerTooLarge("a feed", "YAHOO_RSS_BASE_URL, NEWS_FEEDS"))
            except ValueError as error:
                return str(error)
        if sum(one.size for one in self._feeds.values()) - feed.size + len(body) > MOST_KEPT_BYTES:
            return f"left out: all feeds together have more than {MOST_KEPT_BYTES:,} bytes"
        if self._reading is None:
            self._reading = ThreadPoolExecutor(1, thread_name_prefix="rss")
        content = await asyncio.get_running_loop().run_in_executor(
            self._reading,
            read_feed,
            bytes(body),
            answer.headers.get("content-type", ""),
            str(answer.url),
            feed.content,
            int(self._now() * 1000),
        )
        if content.warning and content.warning != feed.content.warning:
            log.warning("news: %s: %s", feed.label, content.warning)
        feed.content, feed.size = content, len(body)
        # What came in part must come again.
        feed.etag = answer.headers.get("etag", "") if content.complete else ""
        feed.modified = answer.headers.get("last-modified", "") if content.complete else ""
        return None

    def _refused(self, feed: _Followed, answer: httpx.Response) -> str:
        status = f"{answer.status_code} {answer.reason_phrase}".strip()
        if answer.status_code in {429, 503}:
            pause = self._pause(answer.headers.get("retry-after", ""))
            feed.not_before = self._clock() + pause
            rate_limited(self.name, pause)
            return f"{status}, not asked for {pause:g} s"
        return status

    def _pause(self, retry_after: str) -> float:
        """Return the seconds that a Retry-After means, a number of them or a date."""
        try:
            pause = float(retry_after)
        except ValueError:
            try:
                pause = parsedate_to_datetime(retry_after).timestamp() - self._now()
            except (ValueError, OverflowError):
                pause = RETRY_AFTER_S
        # Also what is no number of seconds: nan, inf.
        return min(max(pause, 1.0), LONGEST_RETRY_AFTER_S) if pause == pause else RETRY_AFTER_S  # noqa: PLR0124

    def _items(
        self, keys: Sequence[str], since: Mapping[str, int], feeds: Iterable[_Followed]
    ) -> list[NewsItem]:
        found: dict[tuple[str, str], NewsItem] = {}
        ingested = int(self._now() * 1000)
        for feed in feeds:
            for story in feed.content.stories:
                for ticker in self._tickers(feed, story, keys):
                    last = since.get(ticker)
                    if last is not None and story.time <= last - self._late_ms:
                        continue
                    item = _item(ticker, story, ingested)
                    if item is not None:
                        found.setdefault((ticker, story.id), item)
        return sorted(found.values(), key=lambda item: (item.time, item.ticker, item.id))

    def _tickers(self, feed: _Followed, story: Story, keys: Sequence[str]) -> Sequence[str]:
        if feed.ticker is not None:
            return (feed.ticker,)
        # What names everything is about nothing, and would be sent as often.
        return tickers_in(f"{story.title}\n{story.summary}", keys, self._names)[:MOST_TICKERS]

    async def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            # Reading the certificates takes long enough to be felt.
            context = await asyncio.to_thread(httpx.create_ssl_context)
            self._client = self._client or httpx.AsyncClient(
                verify=context,
                timeout=self._timeout_s,
                headers={
                    "User-Agent": USER_AGENT,
                    "Accept-Encoding": "gzip",
                    "Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, "
                    "text/xml;q=0.8, */*;q=0.1",
                },
            )
        return self._client


@asynccontextmanager
async def _asked(
    client: httpx.AsyncClient, address: str, headers: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """Ask, at other addresses if so told; httpx itself would read all that comes with those."""
    request = client.build_request("GET", address, headers=headers)
    for _ in range(MOST_ADDRESSES):
        answer = await client.send(request, stream=True)
        try:
            if answer.next_request is None:
                yield answer
                return
            request = answer.next_request
        finally:
            await answer.aclose()
    raise httpx.TooManyRedirects(f"more than {MOST_ADDRESSES} redirects")


def _item(ticker: str, story: Story, ingested: int) -> NewsItem | None:
    try:
        return NEWS_ITEM.parse(
            {
                "ticker": ticker,
                "id": story.id,
                "time": story.time,
                "title": story.title,
                "source": RssSource.name,
                "ingested": ingested,
                "summary": story.summary,
                "url": story.url,
                "publisher": story.publisher,
            }
        )
    except InvalidRecord as error:
        log.warning("news of %s left out: %s", ticker, error)
        return None


def _checked(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"{address!r} is no feed's address: it must begin with https://")
    return address


def _label(address: str) -> str:
    """Return an address without what may be secret in it: user, password and query."""
    parts = urlsplit(address)
    return f"{parts.hostname}{parts.path}"
