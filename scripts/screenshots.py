"""Takes the pictures of the page for the README, from a real worker with the tests' demo data.

::

    make screenshots
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from embedded.locate import find_servers
from sources import recorded
from tests.deployment import Deployment
from tests.web import demo
from tests.web.browser import browsing, chromium, opened

IMAGES = Path(__file__).parent.parent / "docs" / "images"

DIRECTIONS = {"AAPL": ("down", 58.0), "GOOG": ("up", 44.0), "IBM": ("sideways", 12.0)}
DIRECTIONS["MSFT"] = ("up", 71.0)

#: File, place, and the browser's settings.
PICTURES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "page.png",
        "#AAPL/1d/1Y",
        {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    ),
    (
        "phone.png",
        "#GOOG/1d/3M",
        {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    ),
)


def take(browser: Browser, address: str) -> None:
    """Take every picture."""
    for name, place, context in PICTURES:
        with opened(browser, f"{address}/{place}", **context) as (page, _):
            expect(page.locator("#live[data-state=live]")).to_be_visible(timeout=30_000)
            expect(page.locator("#price")).not_to_be_empty(timeout=30_000)
            expect(page.locator("#sentiment-keys")).not_to_be_empty(timeout=30_000)
            # The charts draw by animation frames of their own.
            page.wait_for_timeout(1_500)
            page.screenshot(path=IMAGES / name)
        sys.stdout.write(f"{IMAGES / name}\n")


def main() -> int:
    """Start what is needed, take the pictures, stop it."""
    if chromium() is None:
        sys.stderr.write("error: no Chromium here: apt-get install chromium\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    try:
        servers = find_servers(
            None,
            None,
            data_dir=folder / "servers",
            log=lambda _: None,
            usual_ports=False,
        )
        with servers:
            deployment = Deployment(servers, folder, checkpoint_interval_s=0.2)
            try:
                worker = deployment.start_worker()
                worker.wait_ready()
                demo.produce(deployment.settings, sorted(DIRECTIONS))
                demo.store_trends(
                    deployment.database,
                    [
                        demo.trend(ticker, recorded.bars(ticker)[-1].time, *judged)
                        for ticker, judged in DIRECTIONS.items()
                    ],
                )
                deployment.drained()
                with browsing() as browser:
                    take(browser, f"http://127.0.0.1:{worker.port}")
            finally:
                deployment.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
