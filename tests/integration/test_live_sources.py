"""All five live sources in a real worker, each at another address than the provider's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from embedded.locate import Servers
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.integration.conftest import Deploy
from tests.sources.providers.fred import API_KEY, FredSeries, FredServer
from tests.sources.providers.reddit import RedditServer, post
from tests.sources.providers.rss import FeedServer, Item
from tests.sources.providers.twitter import TwitterServer, tweet
from tests.sources.providers.yahoo import Chart, YahooServer, row

pytestmark = pytest.mark.integration

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment that follows BTC-USD, which trades at any hour, at local providers."""
    now = int(time.time())
    with ExitStack() as stack:
        yahoo = stack.enter_context(YahooServer())
        feeds = stack.enter_context(FeedServer())
        fred = stack.enter_context(FredServer())
        reddit = stack.enter_context(RedditServer())
        twitter = stack.enter_context(TwitterServer())
        hour = now - now % HOUR_S
        rows = [row(hour - HOUR_S * back, 50_000.0 + back) for back in range(30, -1, -1)]
        days = range(now - now % DAY_S - 2 * DAY_S, now + 1, DAY_S)
        sessions = [(day, day + DAY_S - 1) for day in days]
        chart = Chart(rows, zone="UTC", kind="CRYPTOCURRENCY", sessions=sessions)
        yahoo.charts["BTC-USD"] = chart
        feeds.yahoo["BTC-USD"] = [Item("Bitcoin <b>rises</b>", "https://n.test/a", now - 60)]
        fred.series["GDP"] = FredSeries("GDP", releases=[("2024-01-01", "2024-04-25", "28.3")])
        reddit.posts = [post("p1", now - 120, "$BTC is up")]
        twitter.posts = [tweet((now - 180) * 1000, "$BTC is up")]
        made = Deployment(
            servers,
            tmp_path,
            tickers="BTC-USD",
            price_source="yahoo",
            bar_interval="1h",
            poll_interval_s=0.5,
            yahoo_base_url=yahoo.url,
            news_source="rss",
            news_poll_interval_s=1,
            yahoo_rss_base_url=feeds.url,
            fred_api_key="0123456789abcdef0123456789abcdef",  # FRED's keys look so
            fred_base_url=fred.base_url,
            fred_series="GDP",
            economic_poll_interval_s=1,
            reddit_client_id="id",
            reddit_client_secret="secret",  # noqa: S106 - of nobody
            reddit_base_url=reddit.url,
            twitter_bearer_token="token",  # noqa: S106 - of nobody
            twitter_base_url=twitter.url,
            social_poll_interval_s=1,
            checkpoint_interval_s=0.2,
        )
        yield made
        made.close()


def test_every_kind_arrives_once(deployment: Deployment) -> None:
    """Each provider is asked again and again; each fact is stored once."""
    worker = deployment.start_worker()
    kinds = {
        "stock_prices": {"ticker": "BTC-USD", "source": "yahoo"},
        "news": {"ticker": "BTC-USD", "title": "Bitcoin rises"},
        "reddit_sentiment": {"ticker": "BTC-USD", "platform": "reddit"},
        "twitter_sentiment": {"ticker": "BTC-USD", "platform": "twitter"},
        "economic_indicators": {"series": "GDP", "value": 28.3},
    }
    for collection, where in kinds.items():
        found = partial(deployment.database[collection].find_one, where)
        eventually(found, f"{collection}\n{worker.tail()}")
    assert worker.stop() == 0
    for collection in list(kinds)[1:]:
        assert deployment.database[collection].count_documents({}) == 1, collection
    cursors = {one["_id"] for one in deployment.database["source_cursors"].find()}
    assert {"rss|BTC-USD", "reddit|BTC-USD", "twitter|BTC-USD", "fred|GDP"} <= cursors
    assert deployment.database["dead_letters"].count_documents({}) == 0
    log = worker.log.read_text(errors="replace")
    assert "secret" not in log
    assert "0123456789abcdef" not in log


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as made:
        yield made


def test_a_dead_network_and_missing_credentials_stop_nothing_else(
    deploy: Deploy, feeds: FeedServer
) -> None:
    """One line for each source that is off, one for the one that is out of reach; news arrive."""
    now = int(time.time())
    feeds.yahoo["AAPL"] = [Item("Apple rises", "https://n.test/a", now - 60)]
    deployment = deploy(
        tickers="AAPL",
        news_source="rss",
        news_poll_interval_s=0.2,
        yahoo_rss_base_url=feeds.url,
        fred_api_key=API_KEY,
        fred_base_url="http://127.0.0.1:9/fred",
        economic_poll_interval_s=0.2,
    )
    worker = deployment.start_worker()
    eventually(lambda: deployment.database["news"].find_one({"ticker": "AAPL"}), "news")
    eventually(lambda: worker.says("source fred: FRED, GDP: no answer"), "the line on FRED")
    asked = len(feeds.asked())
    eventually(lambda: len(feeds.asked()) > asked + 10, "news go on")
    log = worker.log.read_text()
    assert log.count("source fred:") == 1
    assert log.count("reddit has no credentials") == 1
    assert log.count("twitter has no credentials") == 1
    assert worker.stop() == 0


def test_a_story_that_comes_late_is_taken_and_none_is_sent_twice(
    deploy: Deploy, feeds: FeedServer
) -> None:
    """A feed shows an older story after a newer one; what it repeats is not sent again."""
    now = int(time.time())
    feeds.yahoo["AAPL"] = [Item("First seen", "https://n.test/new", now - 60)]
    deployment = deploy(
        tickers="AAPL",
        news_source="rss",
        news_poll_interval_s=0.2,
        yahoo_rss_base_url=feeds.url,
    )

    def sent() -> int:
        return sum(deployment.broker.end_offsets(["financial-news"]).values())

    before = sent()
    deployment.start_worker()
    news = deployment.database["news"]
    eventually(lambda: news.count_documents({}) == 1, "the first story")
    feeds.yahoo["AAPL"].append(Item("Late", "https://n.test/old", now - 3600))
    eventually(lambda: news.find_one({"title": "Late"}), "the late story")
    asked = len(feeds.asked())
    eventually(lambda: len(feeds.asked()) > asked + 5, "further polls")
    assert sent() - before == 2
