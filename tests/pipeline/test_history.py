"""How far the history is, and that it stands still."""

from __future__ import annotations

from pipeline.history import STANDS_STILL_S, HistoryProgress
from tests.pipeline.readings import reading


def test_progress_counts_from_what_was_stored_before() -> None:
    progress = HistoryProgress(4_000, reading(0, 100))
    note, warning = progress.look(reading(0, 1_600, history=6))
    assert note == "working through the history: 1,500 of 4,000 bars stored"
    assert warning == ""
    # The number of documents is not known at times.
    assert "-100 of" not in progress.look(reading(0, None, history=6))[0]


def test_a_standstill_is_said_once() -> None:
    progress = HistoryProgress(4_000, None)
    at = 1_000.0
    for waiting in (9, 9, 8):
        assert progress.look(reading(0, 0, at=at, history=waiting))[1] == ""
        at += STANDS_STILL_S - 1
    assert progress.look(reading(0, 0, at=at, history=8))[1] == ""
    late = reading(0, 0, at=at + 2, history=8)
    assert progress.look(late)[1] == "no history was processed for 61 s, 8 messages wait"
    assert progress.look(late)[1] == ""


def test_history_counts_as_lag() -> None:
    assert reading(0, 0, lag=2, history=3).lag == 5
