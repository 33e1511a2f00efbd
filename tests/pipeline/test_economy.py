"""The initial load of economic series, from a local FRED onto a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
from rich.console import Console

from pipeline.economy import load_series
from pipeline.environment import derive
from sources.fred import FredSource
from sources.registry import economic_source
from tests.deployment import Deployment
from tests.sources.providers.fred import API_KEY, FredSeries, FredServer
from tests.sources.providers.server import Answer

pytestmark = pytest.mark.integration

DAYS = [(f"20{year}-01-01", f"20{year}-02-03", f"{year}.5") for year in range(10, 24)]


@pytest.fixture
def server() -> Iterator[FredServer]:
    with FredServer() as made:
        made.series = {name: FredSeries(name, releases=DAYS[:]) for name in ("GDP", "UNRATE")}
        made.series["GDP"].releases.append(("2010-01-01", "2011-01-05", "99"))
        yield made


def loaded(deployment: Deployment, server: FredServer, series: str, stop: Event) -> tuple[int, str]:
    """Load, and return how much was sent, and what was shown."""
    settings = derive(
        deployment.settings, fred_api_key=API_KEY, fred_base_url=server.base_url, fred_series=series
    )
    source = economic_source(settings)
    assert isinstance(source, FredSource)
    console = Console(force_terminal=False, width=200)
    with console.capture() as shown, deployment.producer() as producer:
        sent = load_series(settings, source, producer, console, stop)
    return sent, shown.get()


def test_history_with_revisions_is_loaded_once(deployment: Deployment, server: FredServer) -> None:
    sent, shown = loaded(deployment, server, "GDP,NOPE,UNRATE", Event())
    assert sent == 2 * len(DAYS) + 1
    assert "GDP: 15 observations of history produced" in shown
    assert "does not have NOPE" in shown
    assert "UNRATE: 14 observations of history produced" in shown

    again, shown = loaded(deployment, server, "GDP,UNRATE", Event())
    assert again == 0
    assert "GDP: history already loaded" in shown

    deployment.start_worker()
    deployment.drained()
    stored = deployment.database["economic_indicators"]
    assert stored.count_documents({"series": "GDP"}) == 15
    first = stored.find({"series": "GDP"}).sort([("time", 1), ("realtime_start", 1)]).limit(2)
    assert [one["value"] for one in first] == [10.5, 99.0]


def test_without_fred_the_rest_goes_on(deployment: Deployment, server: FredServer) -> None:
    server.on("/fred/series", Answer(500))
    sent, shown = loaded(deployment, server, "GDP,UNRATE", Event())
    assert sent == 0
    assert shown.count("the workers try again") == 1
    # Nothing says that it was loaded.
    server.on("/fred/series", server.answer)
    assert loaded(deployment, server, "GDP,UNRATE", Event())[0] == 2 * len(DAYS) + 1


def test_a_stop_leaves_no_cursor(deployment: Deployment, server: FredServer) -> None:
    stop = Event()
    stop.set()
    assert loaded(deployment, server, "GDP", stop)[0] == 0
    assert loaded(deployment, server, "GDP", Event())[0] == len(DAYS) + 1
