"""The page itself: files of ours, and the charts from the package that brings them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"

#: TradingView's lightweight-charts 5.2.0, as they publish it. The page's script tag names its hash,
#: so a browser runs this file or none.
CHARTS = "vendor/lightweight-charts.standalone.production.js"


def charts_file() -> Path:
    """Return where the package ``lwcharts`` has the charts; it is not imported.

    Raises:
        FileNotFoundError: the package is not installed, or has no such file.
    """
    spec = importlib.util.find_spec("lwcharts")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / CHARTS
        if path.is_file():
            return path
    raise FileNotFoundError(
        "the package lwcharts, which brings the charts, is not installed: "
        "pip install -r requirements.txt"
    )


async def index(_: web.Request) -> web.StreamResponse:
    """``GET /``: the page."""
    return web.FileResponse(STATIC / "index.html")


async def charts(_: web.Request) -> web.StreamResponse:
    """``GET /static/charts.js``: the charting library."""
    return web.FileResponse(charts_file(), headers={"Content-Type": "text/javascript"})


async def icon(_: web.Request) -> web.StreamResponse:
    """``GET /favicon.ico``: what browsers ask for by themselves."""
    return web.FileResponse(STATIC / "icon.svg")
