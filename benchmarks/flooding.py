"""Providers in their own formats that have as much as they may, and more with every poll."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import date, timedelta

from tests.sources.providers import fred, reddit, rss, twitter, yahoo
from tests.sources.providers.server import Answer, LocalServer, Request, json_answer

#: Stories in a feed, which is the most that is looked at, and letters of each summary.
STORIES, SUMMARY = 1_000, 300
#: Letters of a post of Reddit, the most that is kept.
POST = 10_000
#: Rows of a page of FRED's, the most that is asked for.
ROWS = 50_000

_WORDS = "shares surge and fall on strong weak guidance "


class FloodingFeeds(LocalServer):
    """A full feed of stories that nobody has seen, at every request."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()

    def answer(self, request: Request) -> Answer:
        ticker, now = request.value("s"), time.time()
        summary = (_WORDS * 10)[:SUMMARY]
        items = []
        for number in itertools.islice(self._numbers, STORIES):
            link = f"https://flood.test/{number}"
            items.append(rss.Item(f"{ticker} story {number}", link, now - 1, summary))
        return Answer(200, rss.rss(items), {"Content-Type": "application/rss+xml"})


class FloodingYahoo(LocalServer):
    """All bars of a minute that the time asked for has, so that each poll finds new ones."""

    def answer(self, request: Request) -> Answer:
        if not request.path.startswith(yahoo.CHART):
            return Answer(200, b"crumb", {"Content-Type": "text/plain"})
        ticker = request.path.removeprefix(yahoo.CHART)
        end = int(time.time())
        start = int(request.value("period1") or end - 3_600)
        last = min(end, int(request.value("period2") or end))
        times = range(start - start % 60 + 60, last, 60)
        chart = yahoo.Chart([yahoo.row(at, 50.0 + at % 17) for at in times], zone="UTC")
        day = end - end % 86_400
        chart.sessions = [(day - back * 86_400, day - (back - 1) * 86_400 - 1) for back in range(9)]
        return json_answer(yahoo.body(ticker, chart, request))


class FloodingReddit(LocalServer):
    """A full page of the longest posts that nobody has seen, and one more after it, without end."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()

    def answer(self, request: Request) -> Answer:
        if request.path == reddit.TOKEN:
            return reddit.token()
        ticker = request.value("q").partition(" OR ")[0].strip('"')
        text = (_WORDS * 300)[:POST]
        posts = [
            reddit.post(f"p{number}", time.time(), f"{ticker} {number}", selftext=text)
            for number in itertools.islice(self._numbers, int(request.value("limit")))
        ]
        return json_answer(reddit.listing(posts, posts[-1]["name"]))


class FloodingFred(LocalServer):
    """Two full pages of revisions that nobody has seen, of every series at every request."""

    def __init__(self) -> None:
        super().__init__()
        self._releases = itertools.count(1)

    def answer(self, request: Request) -> Answer:
        series = request.value("series_id")
        if request.path == fred.SERIES:
            body = (
                f'<seriess><series id="{series}" title="Flood" units="%" frequency="M"/></seriess>'
            )
            return Answer(200, body.encode(), {"Content-Type": "text/xml"})
        second = bool(request.value("offset"))
        rows = itertools.islice(self._rows(), ROWS // 2 if second else ROWS)
        return Answer(
            200,
            f"<observations>{''.join(rows)}</observations>".encode(),
            {"Content-Type": "text/xml"},
        )

    def _rows(self) -> Iterator[str]:
        for number in self._releases:
            # Three centuries of months, and one revision of all of them after the other.
            year, month = divmod(number % 3_600, 12)
            day = date(1700 + year, month + 1, 1)
            since = date(2000, 1, 1) + timedelta(days=number // 3_600)
            yield (
                f'<observation realtime_start="{since}" realtime_end="9999-12-31" date="{day}" '
                f'value="{number % 1000}"/>\n'
            )


class QuietTwitter(twitter.TwitterServer):
    """One post at a time: the source that must keep its rhythm beside the others."""

    def answer(self, request: Request) -> Answer:
        self.posts = [twitter.tweet(int(time.time() * 1000) - 1_000, "F00.SA is up")]
        return super().answer(request)
