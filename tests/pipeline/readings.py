"""Made-up numbers for displays and summaries."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pipeline.status import Headline, KindStatus, Reading, TickerStatus
from pipeline.workers import WorkerStatus
from topics import DATA_TOPICS

WORKER = WorkerStatus(0, "running", 4711, "http://127.0.0.1:6066", 2, Path("worker-0.log"))

AAPL = TickerStatus(
    ticker="AAPL",
    time=datetime(2012, 3, 1, tzinfo=UTC),
    close=544.47,
    change=0.0037,
    closed=True,
    indicators={"rsi": 88.4, "macd_hist": 2.5, "bollinger_lower": 540.0, "bollinger_upper": 550.0},
    trend="up 63",
)

HEADLINE = Headline(
    ticker="AAPL",
    time=datetime(2012, 3, 1, 9, 30, tzinfo=UTC),
    title="Apple wins large contract in Europe",
    sentiment=0.571,
)


def reading(
    produced: int, stored: int | None, lag: int = 0, at: float = 0.0, history: int = 0
) -> Reading:
    """Return numbers where only prices have come."""
    data = {kind: KindStatus(spec.name, 0, 0, 0) for kind, spec in DATA_TOPICS.items()}
    data["prices"] = KindStatus("stock-prices", produced, stored, lag)
    return Reading(
        data=data,
        history=history,
        collections={
            "stock_prices": stored or 0,
            "news": 0,
            "trends": 1,
            "trend_history": 9,
            "dead_letters": 3,
        },
        waiting=0,
        tickers={"AAPL": AAPL},
        headlines={"AAPL": HEADLINE},
        cursors={},
        at=at,
    )
