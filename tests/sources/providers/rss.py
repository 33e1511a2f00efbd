"""A server of feeds, as Yahoo Finance and publishers serve them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from xml.sax.saxutils import escape

from tests.sources.providers.server import Answer, LocalServer, Request

HEADLINES = "/rss/2.0/headline"


@dataclass(frozen=True)
class Item:
    """One item of a feed.

    Attributes:
        title, summary: HTML, or text; escaped once, as in a feed.
        published: seconds since the epoch, the text of a date, or None for no date.
        source: who published it, where the feed says so.
    """

    title: str
    link: str = ""
    published: float | str | None = 1_706_823_000  # Thu, 01 Feb 2024 21:30:00 GMT
    summary: str = ""
    guid: str = ""
    source: str = ""

    def xml(self) -> str:
        date = self.published
        moment = date if isinstance(date, str) or date is None else formatdate(date, usegmt=True)
        parts = [
            f"<title>{escape(self.title)}</title>",
            f"<description>{escape(self.summary)}</description>",
            f"<link>{escape(self.link)}</link>" if self.link else "",
            f'<guid isPermaLink="false">{escape(self.guid)}</guid>' if self.guid else "",
            "" if moment is None else f"<pubDate>{moment}</pubDate>",
            f'<source url="https://n.test">{escape(self.source)}</source>' if self.source else "",
        ]
        return f"<item>{''.join(parts)}</item>"


def rss(items: Sequence[Item], title: str = "Market News") -> bytes:
    """Return an RSS 2.0 document."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>https://finance.yahoo.com/</link>"
        "<description>Latest news</description><language>en-US</language>"
        f"{''.join(item.xml() for item in items)}</channel></rss>"
    ).encode()


def atom(title: str, link: str, updated: str) -> bytes:
    """Return an Atom document with one entry, whose link is relative to the feed."""
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Wire</title><id>urn:f</id>'
        f'<entry><title type="html">{escape(title)}</title><id>urn:e</id>'
        f'<link href="{link}"/><updated>{updated}</updated></entry></feed>'
    ).encode()


class FeedServer(LocalServer):
    """Serves Yahoo's feed of each ticker and other feeds, with ETag and Last-Modified.

    Attributes:
        yahoo: the items of each ticker; one that is not here has an empty feed.
        feeds: the documents at other paths.
    """

    def __init__(self) -> None:
        super().__init__()
        self.yahoo: dict[str, list[Item]] = {}
        self.feeds: dict[str, bytes] = {}

    def answer(self, request: Request) -> Answer:
        """Say 304 to who knows the document already."""
        if request.path == HEADLINES:
            ticker = request.value("s")
            body = rss(self.yahoo.get(ticker, []), f"Yahoo! Finance: {ticker} News")
        elif request.path in self.feeds:
            body = self.feeds[request.path]
        else:
            return super().answer(request)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {
            "Content-Type": "application/rss+xml;charset=utf-8",
            "ETag": etag,
            "Last-Modified": "Thu, 01 Feb 2024 21:31:00 GMT",
        }
        if request.headers.get("if-none-match") == etag:
            return Answer(304, headers=headers)
        return Answer(200, body, headers)
