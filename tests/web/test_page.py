"""The page as people see it: a real browser on a real worker."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from embedded.locate import Servers
from sources import recorded
from tests.deployment import Deployment, bar
from tests.web import demo
from tests.web.browser import address, chromium, opened
from tests.web.rows import alert, put
from topics import STOCK_PRICES

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.timeout(300),
]

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
PATIENCE_MS = 30_000
#: Adds up what tasks take beyond the 50 ms that people do not notice.
_COUNT_LONG_TASKS = """() => {
  window.blocked = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.blocked += task.duration - 50;
  }).observe({ type: "longtask" });
}"""
#: What is produced next after the recorded bars of AAPL.
NEXT_MS = 1_362_096_000_000 + 86_400_000


@pytest.fixture(scope="module")
def deployment(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One worker with recorded bars, texts, series and trends."""
    made = Deployment(servers, tmp_path_factory.mktemp("page"), checkpoint_interval_s=0.2)
    try:
        made.start_worker().wait_ready()
        assert demo.produce(made.settings, ["AAPL", "MSFT"]) > 6_000
        ends = {name: recorded.bars(name)[-1].time for name in ("AAPL", "MSFT")}
        trends = [demo.trend("AAPL", ends["AAPL"], "down"), demo.trend("MSFT", ends["MSFT"])]
        demo.store_trends(made.database, trends)
        first = alert("MSFT", "oversold", ends["MSFT"], {"ops": "failed: it answered 404"})
        put(made.database, [first])
        made.drained()
        yield made
    finally:
        made.close()


def wait_live(page: Page) -> None:
    """Return once the stream has begun and the chart is drawn."""
    expect(page.locator("#live[data-state=live]")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#price")).not_to_be_empty(timeout=PATIENCE_MS)
    expect(page.locator("#feed li").first).to_be_visible(timeout=PATIENCE_MS)


def test_it_shows_what_there_is(deployment: Deployment, browser: Browser) -> None:
    with opened(browser, address(deployment, "#AAPL/1d/5Y")) as (page, complaints):
        wait_live(page)
        expect(page.locator("#watchlist button")).to_have_count(2)
        expect(page.locator("#symbol")).to_have_text("AAPL")
        expect(page.locator("#price")).to_have_text("430.47")
        expect(page.locator("#change")).to_have_text("−10.93 (−2.48%)")
        expect(page.locator("#trend strong")).to_have_text("▼ Down")
        expect(page.locator("#trend .components dt")).not_to_have_count(0)
        expect(page.locator("#macro")).to_contain_text("UNRATE")
        expect(page.locator("#sentiment-keys")).to_contain_text("Reddit")
        expect(page.locator("#clocks")).to_contain_text("New York")
        expect(page.locator(".legend").first).to_contain_text("430.47")
        expect(page.locator(".credit a").first).to_have_attribute(
            "href", "https://www.tradingview.com/"
        )
        assert page.locator("#chart canvas").count() > 5
        assert complaints == []


@pytest.mark.long
def test_five_years_are_there_within_a_second(deployment: Deployment, browser: Browser) -> None:
    """The best of some loads: the machine may be busy, and no load is faster than the page."""
    times = []
    for _ in range(5):
        with opened(browser, address(deployment, "#AAPL/1d/5Y")) as (page, _complaints):
            expect(page.locator("#price")).to_have_text("430.47", timeout=PATIENCE_MS)
            entry = "performance.getEntriesByType('resource')"
            ends = page.evaluate(
                f"() => {entry}.filter(e => e.name.includes('/bars')).map(e => e.responseEnd)[0]"
            )
            wait_live(page)
            times.append(ends)
    assert min(times) < 1_000, times


def test_a_produced_bar_is_seen_within_two_seconds(
    deployment: Deployment, browser: Browser
) -> None:
    with opened(browser, address(deployment, "#MSFT/1d/1Y")) as (page, complaints):
        wait_live(page)
        took = []
        with deployment.producer() as producer:
            for n in range(3):
                close = 30.0 + n
                one = bar("MSFT", NEXT_MS + n * 86_400_000, close, interval="1d")
                producer.produce_stock_data("MSFT", one)
                began = time.monotonic()
                expect(page.locator("#price")).to_have_text(f"{close:.2f}", timeout=PATIENCE_MS)
                took.append(time.monotonic() - began)
        row = page.locator('#watchlist button[data-ticker="MSFT"] .last')
        expect(row).to_have_text("32.00")
        assert min(took) < 2, took
        assert complaints == []


def test_switching_by_mouse_and_by_keyboard(deployment: Deployment, browser: Browser) -> None:
    with opened(browser, address(deployment, "#AAPL/1d/1Y")) as (page, complaints):
        wait_live(page)
        page.locator('#watchlist button[data-ticker="MSFT"]').click()
        expect(page.locator("#symbol")).to_have_text("MSFT")
        expect(page.locator("#trend strong")).to_have_text("▲ Up")
        page.locator("body").press("k")
        expect(page.locator("#symbol")).to_have_text("AAPL")
        page.keyboard.press("6")
        expect(page.locator('#ranges [aria-pressed="true"]')).to_have_text("5Y")
        assert page.url.endswith("#AAPL/1d/5Y")
        page.keyboard.press("n")
        page.get_by_label("Stochastic").check()
        page.get_by_label("MACD").uncheck()
        page.keyboard.press("Escape")
        expect(page.locator("#indicators-menu")).to_be_hidden()
        expect(page.locator(".legend").filter(has_text="Stochastic")).to_contain_text("%K")
        expect(page.locator(".legend").filter(has_text="MACD")).to_have_count(0)
        page.keyboard.press("/")
        page.keyboard.type("ms")
        expect(page.locator("#watchlist button")).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()
        was = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        page.keyboard.press("t")
        now = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert was != now
        page.reload()
        wait_live(page)
        assert now == page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        expect(page.locator(".legend").filter(has_text="Stochastic")).to_have_count(1)
        assert complaints == []


def test_hostile_text_is_text(deployment: Deployment, browser: Browser) -> None:
    item = {"id": "h", "title": HOSTILE, "time": NEXT_MS, "url": "javascript:alert(1)"}
    post = {"id": "h", "text": HOSTILE, "time": NEXT_MS, "author": HOSTILE[:200]}
    with opened(browser, address(deployment, "#AAPL/1d/1Y")) as (page, complaints):
        wait_live(page)
        with deployment.producer() as producer:
            producer.produce_news_data("AAPL", item)
            producer.produce_reddit_sentiment("AAPL", post)
        expect(page.locator("#feed li").filter(has_text="onerror")).to_have_count(
            2, timeout=PATIENCE_MS
        )
        assert page.locator("#feed img, #feed script").count() == 0
        assert page.locator('#feed a[href^="javascript"]').count() == 0
        expect(page).to_have_title(re.compile("AAPL"))
        assert complaints == []


def test_alerts_come_by_themselves_and_are_text(deployment: Deployment, browser: Browser) -> None:
    """Newest first, with what was not delivered; one that is delivered later changes in place."""
    with opened(browser, address(deployment, "#AAPL/1d/1Y")) as (page, complaints):
        wait_live(page)
        rows = page.locator("#alerts li")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("ops failed: it answered 404")
        fields = {"message": HOSTILE, "severity": "critical"}
        put(
            deployment.database,
            [alert("AAPL", "hostile", NEXT_MS, {"ops": f"failed: {HOSTILE}"}, **fields)],
        )
        expect(rows).to_have_count(2, timeout=PATIENCE_MS)
        expect(rows.first).to_contain_text("onerror")
        expect(rows.first.locator("p.undelivered")).to_have_count(1)
        assert page.locator("#alerts img, #alerts script").count() == 0
        put(
            deployment.database, [alert("AAPL", "hostile", NEXT_MS, {"ops": "delivered"}, **fields)]
        )
        expect(rows.first.locator("p.undelivered")).to_have_count(0, timeout=PATIENCE_MS)
        rows.nth(1).get_by_role("link").click()
        expect(page.locator("#symbol")).to_have_text("MSFT")
        expect(page).to_have_title(re.compile("MSFT"))
        assert complaints == []


def test_it_comes_back_when_the_worker_does_and_misses_nothing(
    deployment: Deployment, browser: Browser
) -> None:
    worker = deployment.workers[-1]
    with opened(browser, address(deployment, "#AAPL/1d/1Y")) as (page, _complaints):
        wait_live(page)
        worker.kill()
        expect(page.locator("#live[data-state=waiting]")).to_be_visible(timeout=PATIENCE_MS)
        with deployment.producer() as producer:
            one = bar("AAPL", NEXT_MS, 444.0, interval="1d")
            producer.produce_stock_data("AAPL", one)
        deployment.start_worker(port=worker.port).wait_ready()
        expect(page.locator("#live[data-state=live]")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator("#price")).to_have_text("444.00", timeout=PATIENCE_MS)


def test_a_phone_shows_the_names_of_the_watchlist(deployment: Deployment, browser: Browser) -> None:
    with opened(browser, address(deployment), viewport={"width": 390, "height": 844}) as (page, _):
        name = page.locator(".watch .ticker").first
        expect(name).to_have_text(re.compile(r"\S"))
        box = name.bounding_box()
        assert box is not None and box["width"] > 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible(
    scheme: str, width: int, deployment: Deployment, browser: Browser
) -> None:
    """No violation of axe's rules, contrast included, on a desk and on a phone."""
    size = {"width": width, "height": 844}
    place = address(deployment, "#AAPL/1d/1Y")
    with opened(browser, place, color_scheme=scheme, viewport=size, bypass_csp=True) as (page, _):
        wait_live(page)
        page.keyboard.press("n")
        assert _violations(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        assert _violations(page) == []
        across = page.evaluate("() => document.documentElement.scrollWidth")
        assert across <= width


def test_fifty_tickers_at_ten_updates_a_second(
    servers: Servers, tmp_path: Path, browser: Browser
) -> None:
    """The page draws once a frame, whatever comes: it is busy for a part of the time only."""
    names = [f"S{n:02}" for n in range(50)]
    many = Deployment(servers, tmp_path, checkpoint_interval_s=0.5)
    try:
        many.start_worker().wait_ready()
        many.send_bars([bar(name, NEXT_MS, 100.0, closed=False) for name in names])
        many.drained()
        with opened(browser, address(many, "#S00/1m/1D")) as (page, complaints):
            wait_live(page)
            expect(page.locator("#watchlist button")).to_have_count(50)
            page.evaluate(_COUNT_LONG_TASKS)
            began = time.monotonic()
            with many.producer() as producer:
                for n in range(50):
                    bars = [bar(name, NEXT_MS, 101.0 + n, closed=False) for name in names]
                    producer.produce_records(STOCK_PRICES, bars)
                    # The rate is what is tested: ten a second.
                    page.wait_for_timeout(max(0, 100 * (n + 1) - 1000 * (time.monotonic() - began)))
            last = page.locator("#watchlist .last")
            expect(last).to_have_text(["150.00"] * 50, timeout=PATIENCE_MS)
            took_ms = 1000 * (time.monotonic() - began)
            blocked_ms = page.evaluate("() => window.blocked")
            assert blocked_ms < took_ms / 2, (blocked_ms, took_ms)
            assert complaints == []
    finally:
        many.close()


def test_without_data_it_says_what_to_do(
    servers: Servers, tmp_path: Path, browser: Browser
) -> None:
    """And shows the first bar by itself."""
    empty = Deployment(servers, tmp_path, checkpoint_interval_s=0.2)
    try:
        empty.start_worker().wait_ready()
        with opened(browser, address(empty)) as (page, complaints):
            expect(page.locator("#chart-state")).to_contain_text("No prices yet")
            expect(page.locator("#live[data-state=live]")).to_be_visible(timeout=PATIENCE_MS)
            empty.send_bars([bar("NEW", NEXT_MS, 5.0), bar("NEW", NEXT_MS + 60_000, 6.0)])
            expect(page.locator("#symbol")).to_have_text("NEW", timeout=PATIENCE_MS)
            expect(page.locator("#price")).to_have_text("6.00", timeout=PATIENCE_MS)
            expect(page.locator("#freshness")).to_contain_text("source silent")
            expect(page.locator("#chart-state")).to_be_empty()
            assert complaints == []
    finally:
        empty.close()


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]
