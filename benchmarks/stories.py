"""Stories of 10 kB, whose sentiment the program judges: alone, and beside a load of bars."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from agents.news import text
from agents.opinion import opinion
from benchmarks.arena import Arena
from benchmarks.forms import START_MS, ticker_name
from benchmarks.process import Process
from benchmarks.roster import OURS_WITH_SNAPSHOTS, WORKER_READY, worker
from delivery import Sender
from models import NEWS_ITEM, NewsItem
from pipeline.workers import COMMAND
from sinks.documents import NEWS
from topics import FINANCIAL_NEWS

TICKERS = 200
#: Bytes of the message of a story, about.
STORY_BYTES = 10_000
#: Stories of each run whose sentiment is judged once more.
_SAMPLE = 50

_WORDS = (
    "the shares of the company rose fell surged slipped after it beat missed raised cut its "
    "guidance for the quarter while analysts expect strong weak growth margins and record losses "
    "in the market because demand is not as high as investors feared hoped said on Monday"
)


def stories(count: int) -> Iterator[NewsItem]:
    """The first ``count`` stories, of one ticker after the other, that nobody has judged."""
    chance = random.Random(count)
    vocabulary = _WORDS.split()
    for number in range(count):
        sentences: list[str] = []
        letters = 0
        while letters < STORY_BYTES - 250:
            sentence = " ".join(chance.choices(vocabulary, k=chance.randrange(6, 20))).capitalize()
            sentences.append(f"{sentence}.")
            letters += len(sentence) + 2
        yield NewsItem(
            ticker=ticker_name(number % TICKERS),
            id=f"story-{number}",
            time=START_MS + 1_000 * number,
            title=f"Story {number}",
            source="bench",
            ingested=START_MS,
            summary=" ".join(sentences),
            url=f"https://news.example/{number}",
            publisher="bench",
        )


def alone(place: Arena, count: int) -> dict[str, Any]:
    """Return how fast a worker, as shipped, judges and stores ``count`` stories, nothing else.

    Raises:
        ContestantFailed: it did not get to its end.
    """
    place.refill(TICKERS, 0)
    size = _produce(place, count)
    task = replace(place.task("stories", tickers=TICKERS, bars=count), topic=FINANCIAL_NEWS.name)
    log = Path(task.directory) / "log.txt"
    with Process("the worker", COMMAND, worker()(place, task), log) as process:
        start = process.wait_for(WORKER_READY)
        place.wait_documents(task, count, process, collection=NEWS)
        seconds = place.wait_committed(task, process) - start
        rss_mb = process.rss_mb()
    problems = _problems(place.client[task.database][NEWS], count)
    place.drop(task)
    return {
        "stories": count,
        "seconds": seconds,
        "message_bytes": size,
        "rss_mb": rss_mb,
        "problems": problems,
    }


def beside(place: Arena, bars: int, count: int) -> dict[str, Any]:
    """Return how fast ``bars`` bars are worked off, without stories and while ``count`` wait.

    Both wait when a worker starts; it is stopped when the bars are stored and committed, and the
    stories that it has stored until then are counted. It runs as shipped.

    Raises:
        ContestantFailed: it did not get to the end of the bars.
    """
    found: dict[str, Any] = {"bars": bars}
    for name, waiting in (("without", 0), ("with", count)):
        place.refill(TICKERS, bars)
        _produce(place, waiting)
        task = place.task(OURS_WITH_SNAPSHOTS, tickers=TICKERS, bars=bars)
        log = Path(task.directory) / "log.txt"
        with Process("the worker", COMMAND, worker()(place, task), log) as process:
            start = process.wait_for(WORKER_READY)
            place.wait_documents(task, bars, process)
            seconds = place.wait_committed(task, process) - start
            stored = place.documents(task, NEWS)
            # The stories that are left may take minutes.
            process.kill()
        found[f"bars_per_s_{name}"] = bars / seconds
        place.drop(task)
    found |= {"stories_per_s": stored / seconds, "stories_left": count - stored}
    return found


def _produce(place: Arena, count: int) -> int:
    """Put the stories on their topic; return the bytes of one message, on average."""
    sender = Sender(place.settings)
    stream = stories(count)
    size = 0
    while chunk := [
        (NEWS_ITEM.encode_key(one), NEWS_ITEM.encode(one)) for one in islice(stream, 1_000)
    ]:
        size += sum(len(value) for _, value in chunk)
        sender.send(FINANCIAL_NEWS.name, chunk)
    sender.close()
    return size // max(1, count)


def _problems(collection: Any, count: int) -> list[str]:
    """What is wrong with the stored stories, in words."""
    found = collection.count_documents({})
    if found != count:
        return [f"{found:,} documents for {count:,} stories"]
    step = max(1, count // _SAMPLE)
    wrong = []
    for one in islice(stories(count), 0, None, step):
        stored = collection.find_one({"ticker": one.ticker, "title": one.title})
        expected = opinion(None, text(one))
        if stored is None or (stored["summary"], stored["sentiment"]) != (one.summary, expected):
            wrong.append(f"{one.title} is not stored with the sentiment {expected!r}")
    return wrong[:1]
