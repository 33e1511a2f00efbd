"""Names of companies: from Yahoo's prices, kept, and used where texts are searched for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config import read_settings
from embedded.locate import Servers
from sinks.company_names import CompanyNames
from sources.registry import text_and_data_sources
from tests.deployment import Deployment
from tests.sources.providers.rss import FeedServer, Item, rss
from tests.sources.providers.server import json_answer
from tests.sources.providers.yahoo import CHART, Chart, Make, YahooServer

pytest_plugins = ["tests.sources.providers.yahoo_fixtures"]


async def test_they_come_with_the_prices(
    make: Make, server: YahooServer, charts: dict[str, Chart]
) -> None:
    charts["AAPL"].long_name, charts["AAPL"].short_name = "Apple  Inc.", "Apple"
    charts["MSFT"].short_name = "Microsoft Corporation"
    found: dict[str, str] = {}
    source = make(learn=found.__setitem__)
    await source.history(["AAPL", "MSFT"])
    assert found == {"AAPL": "Apple Inc.", "MSFT": "Microsoft Corporation"}
    # Nothing is asked for their sake.
    charts_of = {CHART + ticker for ticker in found}
    assert {r.path for r in server.asked()} <= charts_of | {"/", "/v1/test/getcrumb"}


@pytest.mark.parametrize("meta", [None, [], {"longName": 5}, {"longName": " "}, {}])
async def test_without_a_name_there_is_none(
    make: Make, server: YahooServer, charts: dict[str, Chart], meta: object
) -> None:
    source = make(learn=lambda *_: pytest.fail("learned"))
    await source.fetch(["AAPL"], {})
    result = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    server.on(CHART + "MSFT", json_answer({"chart": {"result": [result], "error": None}}))
    assert {bar.ticker for bar in await source.fetch(["AAPL", "MSFT"], {})} == {"AAPL"}


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(servers, tmp_path)
    yield made
    made.close()


@pytest.mark.integration
async def test_they_are_kept_and_find_news(deployment: Deployment) -> None:
    """A general feed brings a story that names the company, not its ticker."""
    CompanyNames(deployment.settings).learn("AAPL", "Apple Inc.")
    names = CompanyNames(deployment.settings)
    with FeedServer() as feeds:
        feeds.feeds["/all"] = rss([Item("Apple has a new phone", "https://n.test/a")])
        settings = read_settings(
            tickers="AAPL",
            news_source="rss",
            news_feeds=f"{feeds.url}/all",
            yahoo_rss_base_url=feeds.url,
        )
        (source,) = text_and_data_sources(settings, lambda _: {}, names)
        keys = settings.tickers
        assert await source.fetch(keys, {}) == []
        names.load(["AAPL", "MSFT"])
        assert dict(names) == {"AAPL": "Apple Inc."}
        (story,) = await source.fetch(keys, {})
        assert (story.ticker, story.title) == ("AAPL", "Apple has a new phone")
        await source.close()


def test_without_mongodb_names_are_known_in_this_process() -> None:
    settings = read_settings(mongodb_uri="mongodb://127.0.0.1:9/", mongodb_timeout_s=0.2)
    names = CompanyNames(settings)
    names.load(["AAPL"])
    assert dict(names) == {}
    names.learn("AAPL", "Apple Inc.")
    assert names["AAPL"] == "Apple Inc."
    assert names.get("MSFT", "") == ""
