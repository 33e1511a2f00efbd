"""What is in a feed: RSS or Atom, as text on the wire, to stories."""

from __future__ import annotations

import calendar
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import feedparser
from feedparser.exceptions import ThingsNobodyCaresAboutButMe

from models.rules import EARLIEST_MS
from sources.html_text import plain_text

#: The newest items of one feed that are looked at.
MOST_STORIES = 1_000

#: Tags, or what may be some: many more are no feed, and take minutes to read.
_MOST_TAGS = 100_000

#: The rules of a NewsItem; what is longer is cut.
_MOST_TITLE, _MOST_SUMMARY, _MOST_URL, _MOST_PUBLISHER = 2_000, 100_000, 4_096, 256
_ID_LENGTH = 32

#: Parameters of links that say how a reader came there, and not what is to be read.
_TRACKING = frozenset(
    {
        ".tsrc", "cmpid", "dclid", "fbclid", "fr", "gclid", "guccounter", "guce_referrer",
        "guce_referrer_sig", "igshid", "mc_cid", "mc_eid", "mkt_tok", "mod", "msclkid", "ncid",
        "ocid", "partner", "ref", "ref_src", "rss", "siteid", "soc_src", "soc_trk", "source",
        "src", "taid", "tsrc", "twclid", "yptr",
    }
)  # fmt: skip
_DEFAULT_PORTS = {80, 443, None}
_ENDS = (b"</rss>", b"</feed>", b"</rdf:rdf>", b"</channel>")


class BrokenFeed(Exception):
    """What came is no feed."""


@dataclass(frozen=True, slots=True)
class Story:
    """One item of a feed; ``time`` is ms since the epoch, UTC, and never in the future."""

    id: str
    time: int
    title: str
    summary: str
    url: str
    publisher: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed said.

    Attributes:
        stories: each once, without what cannot be used.
        seen: when stories without a usable date were first seen, ms, by their ids.
        warning: what is wrong with the feed although it could be read; empty if nothing.
        complete: it was not cut off.
    """

    stories: tuple[Story, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    warning: str = ""
    complete: bool = True


def read_feed(body: bytes, content_type: str, address: str, before: Feed, now: int) -> Feed:
    """Return what is in ``body``.

    Args:
        body: as it came, decompressed.
        content_type: the header, which may name the encoding.
        address: where it came from, for links that are relative.
        before: what the same feed said last time.
        now: ms since the epoch, UTC.

    Raises:
        BrokenFeed: it is no feed, or nothing of it can be read.
    """
    if not body.strip():
        raise BrokenFeed("an empty answer")
    if body.count(b"<") > _MOST_TAGS:
        raise BrokenFeed(f"more than {_MOST_TAGS:,} tags, which no feed has")
    # A stream, because a text could be taken for a file's name. Markup is taken out later.
    parsed: Any = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": content_type, "content-location": address},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = list(parsed.entries)
    complete, warning = True, ""
    if not parsed.get("version") and not entries:
        raise BrokenFeed("neither RSS nor Atom: is it a feed's address?")
    flaw = parsed.get("bozo_exception")
    if flaw is not None and not isinstance(flaw, ThingsNobodyCaresAboutButMe):
        complete = body.rstrip()[-20:].lower().endswith(_ENDS)
        warning = f"not well-formed ({_reason(flaw)}), read as far as possible"
        if not complete:
            # What was cut in the middle is half a story.
            entries = entries[:-1]
        if not entries:
            raise BrokenFeed(f"not well-formed: {_reason(flaw)}")
    stories: dict[str, Story] = {}
    seen: dict[str, int] = {}
    publisher = plain_text(parsed.feed.get("title", ""))
    host = urlsplit(address).hostname or ""
    for entry in entries[:MOST_STORIES]:
        story = _story(entry, publisher or host, host)
        if story is None:
            continue
        if not story.time or story.time > now:
            seen[story.id] = before.seen.get(story.id, now)
            story = replace(story, time=seen[story.id])
        stories.setdefault(story.id, story)
    return Feed(tuple(stories.values()), seen, warning, complete)


def canonical_link(link: str) -> str:
    """Return what is the same for all links to one page; empty for what is no link.

    >>> canonical_link("http://Example.com:80/a/?utm_source=rss&id=7&.tsrc=rss#top")
    'https://example.com/a?id=7'
    """
    try:
        parts = urlsplit(link.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return ""
    query = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in _TRACKING and not name.lower().startswith("utm_")
    )
    place = host if port in _DEFAULT_PORTS else f"{host}:{port}"
    text = f"https://{place}{parts.path.rstrip('/')}"
    return f"{text}?{urlencode(query)}" if query else text


def _story(entry: Any, publisher: str, host: str) -> Story | None:
    """Return an entry as it says it is, its time 0 if it does not say; None without any words."""
    summary = plain_text(_text(entry, "summary"))[:_MOST_SUMMARY]
    title = plain_text(_text(entry, "title"))[:_MOST_TITLE] or summary[:200]
    if not title:
        return None
    link = _text(entry, "link").strip()
    canonical = canonical_link(link)
    number = _id(canonical, _text(entry, "id").strip(), host, title, _text(entry, "published"))
    source = entry.get("source")
    named = plain_text(source.get("title", "")) if isinstance(source, dict) else ""
    return Story(
        id=number,
        time=_published(entry) or 0,
        title=title,
        summary=summary,
        url=link if canonical and len(link) <= _MOST_URL else "",
        publisher=(named or publisher)[:_MOST_PUBLISHER],
    )


def _id(canonical: str, guid: str, host: str, title: str, published: str) -> str:
    if canonical:
        basis = canonical
    elif guid:
        # Numbers and the like are unique at one publisher only.
        basis = guid if ":" in guid else f"{host} {guid}"
    else:
        basis = f"{title}\n{published}"
    return hashlib.sha256(basis.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]


def _published(entry: Any) -> int | None:
    """Return the date of an entry, ms; feedparser has made it UTC, the unreadable are None."""
    for name in ("published_parsed", "updated_parsed"):
        # Asking for an update that is not there is deprecated, and warns.
        moment = entry[name] if name in entry else None  # noqa: SIM401
        if moment is not None:
            try:
                found = calendar.timegm(moment) * 1000
            except (ValueError, OverflowError):
                continue
            if found >= EARLIEST_MS:
                return found
    return None


def _text(entry: Any, name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _reason(flaw: object) -> str:
    return " ".join(str(flaw).split()) or type(flaw).__name__
