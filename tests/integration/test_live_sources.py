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
from tests.sources.providers.fred import FredSeries, FredServer
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
