"""Who writes simulated texts: a newsroom, and the crowds of Twitter and Reddit.

All read the same outlook (`sources.market_path`), each with errors of its own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from faust import Record

from models import NEWS_ITEM, SOCIAL_POST, NewsItem, SocialPost
from sources.wording import Mood, Subject, part, phrase
from topics import FINANCIAL_NEWS, REDDIT_SENTIMENT, TWITTER_SENTIMENT, TopicSpec

#: What all simulated texts say in ``source``.
SOURCE = "simulated"
#: An outlook of so many standard deviations is a rise, or a fall, worth writing about.
NOTEWORTHY = 0.6

_HANDLES = ("bull", "bear", "trader", "value", "momo", "chart", "tape", "yield", "theta", "alpha")


@dataclass(frozen=True, slots=True)
class Habits:
    """How often somebody writes, when, and how often they are wrong.

    Attributes:
        quiet: texts per bar with nothing ahead.
        excited: texts per bar more, for each standard deviation of the outlook.
        doubt: standard deviation of the error in reading the outlook.
        misled: share of texts that say the opposite.
        begin, end: the part of a bar in which they write, 0 to 1.
    """

    quiet: float
    excited: float
    doubt: float
    misled: float
    begin: float
    end: float


class Facts(NamedTuple):
    """What a writer is given: identity, time (ms), when we got it (ms), and the view it expresses.

    ``view`` is the outlook as this writer reads it, in standard deviations.
    """

    id: str
    time: int
    ingested: int
    view: float

    @property
    def mood(self) -> Mood:
        """What the text is to say of the price to come."""
        if abs(self.view) < NOTEWORTHY:
            return "neutral"
        return "bullish" if self.view > 0 else "bearish"


class Writer(Protocol):
    """Writes one kind of text.

    Attributes:
        kind: a word for it, part of the source's name.
        topic: where the texts belong.
        habits: how often it writes.
    """

    kind: str
    topic: TopicSpec
    habits: Habits

    def write(self, about: Subject, facts: Facts, rng: random.Random) -> Record:
        """Return a text; the generator draws the words."""


class Newsroom:
    """Writes headlines, early in a bar, mostly when something is ahead."""

    kind = "news"
    topic = FINANCIAL_NEWS
    habits = Habits(quiet=0.06, excited=0.06, doubt=0.3, misled=0.06, begin=0.1, end=0.4)

    def write(self, about: Subject, facts: Facts, rng: random.Random) -> NewsItem:
        """Return a news item."""
        return NEWS_ITEM.parse(
            {
                "ticker": about.ticker,
                "id": facts.id,
                "time": facts.time,
                "title": phrase("news", facts.mood, "title", about, rng),
                "summary": phrase("news", facts.mood, "summary", about, rng),
                "publisher": part("publisher", rng),
                "source": SOURCE,
                "ingested": facts.ingested,
            }
        )


class _Crowd:
    """Writes posts, after the headlines, the more of them the more there is to talk about.

    Args:
        authors: whether a post has its author's handle.
    """

    platform: str
    topic: TopicSpec
    habits: Habits
    #: Median engagement of a post in quiet times.
    usual_engagement: float
    pieces: tuple[str, ...]
    between: str

    def __init__(self, *, authors: bool = True) -> None:
        self.kind = self.platform
        self._authors = authors

    def write(self, about: Subject, facts: Facts, rng: random.Random) -> SocialPost:
        """Return a post; its engagement is log-normal, and higher where the view is strong."""
        said = (phrase(self.platform, facts.mood, piece, about, rng) for piece in self.pieces)
        attention = self.usual_engagement * (1 + abs(facts.view))
        handle = f"sim_{rng.choice(_HANDLES)}{rng.randint(10, 999)}"
        return SOCIAL_POST.parse(
            {
                "ticker": about.ticker,
                "platform": self.platform,
                "id": facts.id,
                "time": facts.time,
                "text": self.between.join(piece for piece in said if piece),
                "author": handle if self._authors else None,
                "engagement": float(round(attention * rng.lognormvariate(0, 1.2))),
                "source": SOURCE,
                "ingested": facts.ingested,
            }
        )


class TwitterCrowd(_Crowd):
    """Short posts with cashtags and emoji."""

    platform = "twitter"
    topic = TWITTER_SENTIMENT
    habits = Habits(quiet=0.12, excited=0.18, doubt=0.6, misled=0.1, begin=0.4, end=0.98)
    usual_engagement = 12.0
    pieces = ("text", "tail", "emoji")
    between = " "


class RedditCrowd(_Crowd):
    """Longer posts, a title and a text."""

    platform = "reddit"
    topic = REDDIT_SENTIMENT
    habits = Habits(quiet=0.06, excited=0.09, doubt=0.6, misled=0.1, begin=0.5, end=0.98)
    usual_engagement = 40.0
    pieces = ("title", "text", "tail")
    between = "\n\n"
