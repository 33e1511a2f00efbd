"""A real browser for the tests of the page: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.deployment import Deployment

#: Without the sandbox, because tests may run as root; without what Chromium asks the web by itself.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Return where Chromium is, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def address(deployment: Deployment, place: str = "") -> str:
    """Return where a deployment's page is, at a place such as ``#AAPL``."""
    return f"http://127.0.0.1:{deployment.workers[-1].port}/{place}"


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, address: str, **context: Any) -> Iterator[tuple[Page, list[str]]]:
    """Open a page in a context of its own; yields it with what its console complains of."""
    options = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}
    own = browser.new_context(**options | {"timezone_id": "Europe/Berlin"} | context)
    page = own.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: _keep(complaints, said))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    try:
        yield page, complaints
    finally:
        own.close()


def _keep(complaints: list[str], said: Any) -> None:
    if said.type in ("error", "warning"):
        complaints.append(said.text)
