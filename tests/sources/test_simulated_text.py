"""Simulated news and posts: a function of the path, ahead of it, at its pace."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from indicators.sentiment import score
from models import NewsItem, SocialPost
from sources import simulated_text
from sources.base import cursors
from sources.market_path import MarketPath, RecordedPath, SimulatedPath
from sources.simulated_text import CATCH_UP_BARS, HISTORY_BARS, SimulatedText
from sources.simulated_writers import NOTEWORTHY, Newsroom, RedditCrowd, TwitterCrowd, Writer
from tests.sources.conftest import ManualClock
from tests.sources.worlds import marching

WRITERS: list[type[Newsroom | TwitterCrowd | RedditCrowd]] = [Newsroom, TwitterCrowd, RedditCrowd]
PATHS: list[MarketPath] = [RecordedPath(), SimulatedPath(1, "1m")]
KEYS = ("AAPL", "MSFT")

each_writer = pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer().kind)
each_path = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)


class Progress:
    """How far prices are, as a test says: so many bars into the live part, of every ticker."""

    def __init__(self, path: MarketPath, bars: int = 0) -> None:
        self.path = path
        self.bars = bars

    def __call__(self, keys: Sequence[str]) -> Mapping[str, int]:
        found = {key: self.path.opened(key, self.path.live(key) + self.bars - 1) for key in keys}
        return {key: opened for key, opened in found.items() if opened is not None}


def words(text: Any) -> str:
    """What is judged of a text, as the agents do it."""
    return f"{text.title}. {text.summary}" if isinstance(text, NewsItem) else str(text.text)


def facts(texts: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What texts say, without when we got them."""
    return [(text.ticker, text.id, text.time, words(text)) for text in texts]


async def whole(writer: Writer, path: MarketPath, bars: int, seed: int = 1) -> list[Any]:
    """The texts of the first live bars of ``KEYS``, from one fetch."""
    return await SimulatedText(writer, path, Progress(path, bars), seed=seed).fetch(KEYS, {})


@each_path
@each_writer
async def test_restarts_and_small_steps_bring_the_same_texts(
    writer: type[Newsroom], path: MarketPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await whole(writer(), path, 400)
    assert len(expected) > 30
    monkeypatch.setattr(simulated_text, "MAX_TEXTS_PER_FETCH", 6)
    progress, since, found = Progress(path), dict[str, int](), list[Any]()
    source = SimulatedText(writer(), path, progress)
    for poll in range(400):
        progress.bars = min(400, 3 * poll)
        if poll % 7 == 0:
            source = SimulatedText(writer(), path, progress)
        texts = await source.fetch(KEYS, since)
        found += texts
        since |= cursors(texts)
    for key in KEYS:
        mine = [text for text in found if text.ticker == key]
        assert facts(mine) == facts([text for text in expected if text.ticker == key])
    ids = [text.id for text in found]
    assert len(set(ids)) == len(ids)


@each_writer
async def test_seed_path_and_ticker_make_the_texts(writer: type[Newsroom]) -> None:
    recorded, simulated = PATHS
    assert facts(await whole(writer(), recorded, 200)) == facts(
        await whole(writer(), RecordedPath(), 200)
    )
    ids = {
        text.id
        for path, seed in ((recorded, 1), (recorded, 2), (simulated, 1))
        for text in await whole(writer(), path, 200, seed)
    }
    counts = [
        len(await whole(writer(), path, 200, s)) for path, s in ((recorded, 1), (recorded, 2))
    ]
    assert len(ids) == sum(counts) + len(await whole(writer(), simulated, 200))


async def test_when_texts_come_is_the_same_in_every_release() -> None:
    # Where texts are stored already, other ones would come beside them. The words may change.
    first = (await whole(Newsroom(), PATHS[0], 60))[0]
    assert (first.id, first.time) == ("sim-f15dcc921d05c4a98179cc788f056b07-0", 1227076592522)


@each_path
@each_writer
async def test_sentiment_comes_before_the_return(writer: type[Newsroom], path: MarketPath) -> None:
    """Rank correlation of what is said in a bar and what the price does after it."""
    rows = []
    for text in await whole(writer(), path, 1_000):
        index = path.index(text.ticker, text.time)
        # By a way of its own, not by the outlook: the close of ten bars later.
        before, later = path.opened(text.ticker, index), path.opened(text.ticker, index + 10)
        if before is not None and later is not None:
            move = path.close(text.ticker, index + 10) / path.close(text.ticker, index) - 1
            rows.append((score(words(text)), move))
    ranks = pd.DataFrame(rows, columns=["said", "move"]).rank()
    assert len(ranks) > 100
    assert ranks["said"].corr(ranks["move"]) > 0.35


@each_path
async def test_some_are_wrong(path: MarketPath) -> None:
    wrong, right = 0, 0
    for text in await whole(TwitterCrowd(), path, 1_000):
        outlook = path.outlook(text.ticker, path.index(text.ticker, text.time))
        if abs(outlook) > 2 * NOTEWORTHY:
            wrong += score(words(text)) * outlook < 0
            right += score(words(text)) * outlook > 0
    assert 0.03 < wrong / (wrong + right) < 0.25


async def test_headlines_come_before_posts_of_the_same_bar() -> None:
    path = PATHS[0]
    for writer, begin, end in ((Newsroom(), 0.1, 0.4), (RedditCrowd(), 0.5, 0.98)):
        for text in await whole(writer, path, 200):
            opened = path.opened(text.ticker, path.index(text.ticker, text.time))
            assert opened is not None
            assert begin <= (text.time - opened) / path.bar_ms < end


@each_path
@each_writer
async def test_a_display_is_lively_and_prices_are_more(
    writer: type[Newsroom], path: MarketPath
) -> None:
    texts = await whole(writer(), path, 1_000)
    assert 0.05 < len(texts) / (1_000 * len(KEYS)) < 0.5


@each_writer
async def test_texts_vary(writer: type[Newsroom]) -> None:
    texts = [words(text) for text in await whole(writer(), PATHS[1], 1_000)]
    assert len(set(texts)) > 0.7 * len(texts)


async def test_engagement_is_log_normal_and_follows_the_move() -> None:
    path = PATHS[1]
    calm: list[float] = []
    moved: list[float] = []
    for post in await whole(TwitterCrowd(), path, 1_000):
        assert isinstance(post, SocialPost)
        assert post.engagement == int(post.engagement) >= 0
        outlook = path.outlook(post.ticker, path.index(post.ticker, post.time))
        if abs(outlook) < 0.5:
            calm.append(post.engagement)
        elif abs(outlook) > 2:
            moved.append(post.engagement)
    assert statistics.median(moved) > 1.5 * statistics.median(calm)
    # A long tail to the right.
    assert statistics.mean(moved) > 1.5 * statistics.median(moved)


async def test_authors_are_left_out_on_demand() -> None:
    with_authors = await whole(RedditCrowd(authors=True), PATHS[0], 200)
    without = await whole(RedditCrowd(authors=False), PATHS[0], 200)
    assert all(post.author.startswith("sim_") for post in with_authors)
    assert all(post.author is None for post in without)
    assert facts(with_authors) == facts(without)


@each_path
@each_writer
async def test_time_is_the_prices_time(
    writer: type[Newsroom], path: MarketPath, clock: ManualClock
) -> None:
    """Nothing of a bar after the forming one, whatever is asked; and it goes on as prices do."""
    source = SimulatedText(writer(), path, marching(path, clock, speed=50))
    seen = -1
    for _ in range(5):
        texts: list[Any] = await source.fetch(KEYS, {})
        for text in texts:
            ahead = path.index(text.ticker, text.time) - path.live(text.ticker)
            assert 0 <= ahead <= 1 + 50 * (clock() - 1_000)
        assert len(texts) > seen
        seen = len(texts)
        clock.pass_(1)


async def test_before_the_first_price_only_the_first_bar_is_written_about() -> None:
    for path in PATHS:
        for text in await whole(TwitterCrowd(), path, 0):
            assert path.index(text.ticker, text.time) == path.live(text.ticker)


async def test_history_meets_the_live_part() -> None:
    for path in PATHS:
        source = SimulatedText(TwitterCrowd(), path, Progress(path, 100))
        past = await source.history(KEYS)
        for key in KEYS:
            indexes = [path.index(key, text.time) for text in past[key]]
            assert indexes
            assert path.live(key) - HISTORY_BARS <= min(indexes)
            assert max(indexes) < path.live(key)
        joined = await source.fetch(KEYS, {key: past[key][-1].time for key in KEYS})
        assert facts(joined) == facts(await source.fetch(KEYS, {}))


async def test_who_was_never_fetched_does_not_begin_at_the_beginning() -> None:
    """Texts that are turned on years into a simulation are about the time that it is."""
    path = PATHS[1]
    source = SimulatedText(Newsroom(), path, Progress(path, 50_000))
    texts: list[Any] = await source.fetch(["A"], {})
    assert path.index("A", texts[0].time) >= path.live("A") + 50_000 - CATCH_UP_BARS


async def test_the_present_is_not_overtaken() -> None:
    path = PATHS[1]
    live = path.opened("A", path.live("A"))
    assert live is not None
    for late in range(0, 600_000, 20_000):
        now = ManualClock((live + late) / 1000)
        source = SimulatedText(TwitterCrowd(), path, Progress(path, 30), now=now)
        for text in await source.fetch(["A"], {}):
            assert text.time <= live + late


async def test_a_replays_texts_end_with_it() -> None:
    path = PATHS[0]
    last = path.opened("FB", 195)
    assert last is not None
    source = SimulatedText(TwitterCrowd(), path, lambda keys: {"FB": last})
    texts = await source.fetch(["FB"], {})
    assert texts
    assert await source.fetch(["FB"], cursors(texts)) == []
