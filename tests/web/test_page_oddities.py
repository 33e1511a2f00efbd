"""The page with what is rare: prices of any size, few bars or none, long names, slow answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from embedded.locate import Servers
from tests.deployment import Deployment, bar
from tests.web.browser import address, chromium, opened
from tests.web.rows import DAY_MS, START_MS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.timeout(300),
]

PATIENCE_MS = 30_000
LONG = "VERYLONGTICKERNAME.EXCHANGE-XYZ1"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}


def days(ticker: str, closes: list[float]) -> list[Any]:
    return [
        bar(
            ticker,
            START_MS + n * DAY_MS,
            close,
            interval="1d",
            high=close * 1.01,
            low=close * 0.99,
        )
        for n, close in enumerate(closes)
    ]


@pytest.fixture(scope="module")
def deployment(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment(servers, tmp_path_factory.mktemp("odd"), checkpoint_interval_s=0.2)
    try:
        made.start_worker().wait_ready()
        wave = [1.0 + 0.05 * (n % 7) for n in range(60)]
        for ticker, scale in (("TINY", 0.00001234), ("HUGE", 700_000.0), (LONG, 5.0)):
            made.send_bars(days(ticker, [scale * one for one in wave]))
        made.send_bars(days("ZERO", [0.0] * 30))
        made.send_bars(days("ONE", [12.5]))
        with made.producer() as producer:
            producer.produce_news_data(
                "TEXTS", {"id": "n", "title": "Only a headline", "time": START_MS}
            )
            producer.produce_twitter_sentiment(
                "ONE", {"id": "p", "text": "a post", "time": START_MS + 1, "author": "a" * 60}
            )
        made.drained()
        yield made
    finally:
        made.close()


def wait_live(page: Page) -> None:
    expect(page.locator("#live[data-state=live]")).to_be_visible(timeout=PATIENCE_MS)


#: Last price, change, and the difference of two averages: the first figure of the pane of MACD.
FIGURES = {
    "TINY": ("0.00001419", "+0.00000062 (+4.55%)", r"hist−?0\.0{6,}[1-9]"),
    "HUGE": ("805,000.00", "+35,000.00 (+4.55%)", r"hist−?[\d,]+\.\d\dmacd"),
    "ZERO": ("0.00", "0.00 (–)", r"hist(0\.00|–)macd"),
}


@pytest.mark.parametrize("ticker", FIGURES)
def test_prices_of_any_size_are_readable(
    ticker: str, deployment: Deployment, browser: Browser
) -> None:
    """In the head, in the watchlist, and at the crosshair; also beside each other."""
    last, change, macd = FIGURES[ticker]
    with opened(browser, address(deployment, f"#{ticker}/1d/1Y")) as (page, complaints):
        wait_live(page)
        expect(page.locator("#price")).to_have_text(last, timeout=PATIENCE_MS)
        expect(page.locator("#change")).to_have_text(change)
        row = page.locator(f'#watchlist button[data-ticker="{ticker}"]')
        expect(row.locator(".last")).to_have_text(last)
        box, whole = row.locator(".last").bounding_box(), row.bounding_box()
        assert box is not None and whole is not None
        assert box["x"] + box["width"] <= whole["x"] + whole["width"]
        expect(page.locator(".legend").first).to_contain_text(f"C{last}")
        expect(page.locator(".legend").filter(has_text="MACD")).to_contain_text(re.compile(macd))
        assert complaints == []


def test_one_bar_is_no_wall_and_says_how_many_texts_it_has(
    deployment: Deployment, browser: Browser
) -> None:
    with opened(browser, address(deployment, "#ONE/1d/1Y")) as (page, complaints):
        wait_live(page)
        legend = page.locator(".legend").first
        expect(legend).to_contain_text("C12.50")
        expect(legend).to_contain_text("Posts1")
        expect(page.locator("#feed .meta").first).to_contain_text("aaa")
        # One line; asked in one go, as the feed may be drawn anew at any moment.
        page.wait_for_function("() => document.querySelector('#feed .meta').offsetHeight < 30")
        assert complaints == []


def test_a_ticker_without_bars_shows_what_there_is(
    deployment: Deployment, browser: Browser
) -> None:
    with opened(browser, address(deployment, "#TEXTS/1d/1Y")) as (page, _complaints):
        wait_live(page)
        expect(page.locator("#chart-state")).to_contain_text("No 1d bars of TEXTS are stored")
        expect(page.locator("#feed")).to_contain_text("Only a headline")
        expect(page.locator("#price")).to_be_empty()
        expect(page.locator("#csv")).to_be_hidden()
        with deployment.producer() as producer:
            producer.produce_stock_data("TEXTS", days("TEXTS", [3.0]))
        expect(page.locator("#price")).to_have_text("3.00", timeout=PATIENCE_MS)
        expect(page.locator("#chart-state")).to_be_empty()


def test_nothing_of_one_ticker_stands_under_the_name_of_another(
    deployment: Deployment, browser: Browser
) -> None:
    """Neither while the other one is read, nor where it cannot be."""

    def never(route: Route) -> None:
        """Leave it without an answer."""

    def refuse(route: Route) -> None:
        error = {"field": "request", "value": "", "reason": "MongoDB is away", "remedy": "wait"}
        route.fulfill(status=503, json={"error": error})

    with opened(browser, address(deployment, "#ONE/1d/1Y")) as (page, _complaints):
        wait_live(page)
        expect(page.locator("#feed")).to_contain_text("a post")
        for answer, word in ((never, "Loading"), (refuse, "Could not be loaded")):
            page.route("**/api/tickers/TINY*/**", answer)
            page.route("**/api/tickers/TINY", answer)
            page.locator('#watchlist button[data-ticker="TINY"]').click()
            expect(page.locator("#symbol")).to_have_text("TINY")
            expect(page.locator("#chart-state")).to_contain_text(
                "Loading" if answer is never else "MongoDB is away"
            )
            for place in ("#trend", "#feed", "#sentiment-note"):
                expect(page.locator(place)).to_have_text(word)
            expect(page.locator("#price")).to_be_empty()
            page.unroute_all(behavior="ignoreErrors")
            page.locator('#watchlist button[data-ticker="ONE"]').click()
            expect(page.locator("#feed")).to_contain_text("a post")
            expect(page.locator("#price")).to_have_text("12.50")


def test_slow_bars_take_nothing_away_that_is_read_already(
    deployment: Deployment, browser: Browser
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with opened(browser, address(deployment, "#TINY/1d/1Y")) as (page, complaints):
        wait_live(page)
        page.route("**/api/tickers/ONE/bars*", hold)
        page.locator('#watchlist button[data-ticker="ONE"]').click()
        expect(page.locator("#chart-state")).to_contain_text("Loading")
        expect(page.locator("#feed")).to_contain_text("a post")
        held[0].continue_()
        expect(page.locator("#price")).to_have_text("12.50")
        expect(page.locator("#feed")).to_contain_text("a post")
        expect(page.locator("#sentiment-keys")).to_contain_text("X")
        expect(page.locator("#trend strong")).not_to_be_empty()
        assert complaints == []


def test_the_clock_of_the_market_says_whether_it_is_open(
    deployment: Deployment, browser: Browser
) -> None:
    with opened(browser, address(deployment, "#HUGE/1d/1Y")) as (page, complaints):
        for moment, word in (
            ("2024-07-05T19:59:30Z", "New York 15:59 open"),
            ("2024-07-05T20:00:30Z", "New York 16:00 closed"),
            ("2024-07-06T15:00:00Z", "New York 11:00 closed"),
        ):
            page.clock.set_fixed_time(moment)
            expect(page.locator("#clocks")).to_contain_text(word, timeout=PATIENCE_MS)
        assert complaints == []


def test_names_of_any_length_fit_a_phone(deployment: Deployment, browser: Browser) -> None:
    place = address(deployment, f"#{LONG}/1d/1Y")
    with opened(browser, place, **PHONE) as (page, complaints):
        wait_live(page)
        expect(page.locator("#price")).not_to_be_empty()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        row = page.locator(f'#watchlist button[data-ticker="{LONG}"]')
        name, spark = row.locator(".ticker").bounding_box(), row.locator("svg").bounding_box()
        assert name is not None and name["height"] < 24
        assert spark is not None and spark["width"] > 100
        for path in ("/tables/indicators/TINY", "/topics/stock-prices/", "/nowhere"):
            page.goto(address(deployment, "").rstrip("/") + path)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, path
        # The browser's own words about the page that there is not.
        assert [one for one in complaints if "404" not in one] == []


def test_many_panes_are_scrolled_and_not_squeezed(deployment: Deployment, browser: Browser) -> None:
    with opened(browser, address(deployment, "#HUGE/1d/1Y")) as (page, complaints):
        wait_live(page)
        page.keyboard.press("n")
        for box in page.locator("#indicators-menu input").all():
            box.check()
        page.keyboard.press("Escape")
        expect(page.locator(".legend")).to_have_count(11)
        plot = page.evaluate("() => [plot.scrollHeight, plot.clientHeight]")
        assert plot[0] > plot[1]
        assert plot[0] >= 220 + 10 * 72
        assert complaints == []


def test_people_log_in_and_stay_where_they_were(deployment: Deployment, browser: Browser) -> None:
    """By a browser, which says by itself where a form comes from."""
    token = "a-token-of-24-characters"  # noqa: S105 - of nobody
    worker = deployment.start_worker(WEB_TOKEN=token)
    worker.wait_ready()
    with opened(browser, f"http://127.0.0.1:{worker.port}/tables/") as (page, _complaints):
        page.get_by_label("Token").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("That is not the token.")
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Tables")).to_be_visible()
        page.goto(f"http://127.0.0.1:{worker.port}/#HUGE/1d/1Y")
        wait_live(page)
        expect(page.locator("#price")).to_have_text("805,000.00", timeout=PATIENCE_MS)
    worker.stop()
