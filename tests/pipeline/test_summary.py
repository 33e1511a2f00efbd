"""What is printed at the end."""

from __future__ import annotations

from pathlib import Path

from config import read_settings
from pipeline.summary import Outcome, summary, where_next
from tests.pipeline.readings import reading

OUTCOME = Outcome(
    reason="stopped",
    seconds=75.0,
    first_document_s=9.8,
    loaded=100,
    before=reading(1_000, 900),
    after=reading(2_500, 2_400),
)


def test_numbers_of_this_run_and_altogether() -> None:
    text = "\n".join(summary(OUTCOME))
    for part in ("Summary (stopped)", "1,600, 100 of them", "2,400 (+1,500)", "3 (+0", "9.8 s"):
        assert part in text
    assert "trends           AAPL up 63" in text


def test_what_is_left_on_kafka_is_said() -> None:
    left = Outcome("stopped", 1.0, None, 0, reading(10, 10), reading(20, 15, lag=5), given_up=1)
    text = "\n".join(summary(left))
    assert "5 messages wait on Kafka" in text
    assert "workers given up 1" in text


def test_without_numbers() -> None:
    lost = Outcome("stopped", 1.0, None, 0, reading(10, 10), None)
    assert "did not answer" in "\n".join(summary(lost))


def test_where_to_look_next_shows_no_password() -> None:
    settings = read_settings(mongodb_uri="mongodb://me:secret@db.example/?tls=true", tickers="IBM")
    text = "\n".join(where_next(settings, "http://h:1", Path("/logs"), servers_stay=False))
    assert "secret" not in text
    assert "db.example/financial_trends?tls=true" in text
    assert "http://h:1/#IBM" in text
    assert "embedded up" in text
    assert "embedded up" not in "\n".join(
        where_next(settings, "http://h:1", Path("/logs"), servers_stay=True)
    )
