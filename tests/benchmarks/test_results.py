"""What is kept: parts of a broken run, and the published shape of a finished one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report, results, roster
from benchmarks.results import Partial

RUN = {"commit": "abc", "workload": {"bars": 10}}


def measured(value: int) -> dict[str, Any]:
    return {"value": value}


def must_not_run() -> dict[str, Any]:
    raise AssertionError("measured again")


def test_a_part_is_measured_once(tmp_path: Path) -> None:
    """Also by the next run, which finds it in the file."""
    file = tmp_path / "results" / "partial.jsonl"
    first = Partial(RUN, file)
    assert "0:ours" not in first
    assert first.once("0:ours", lambda: measured(1)) == {"value": 1}
    assert first.once("0:ours", must_not_run) == {"value": 1}

    second = Partial(RUN, file)
    assert "0:ours" in second
    assert second.once("0:ours", must_not_run) == {"value": 1}
    assert second.once("1:ours", lambda: measured(2)) == {"value": 2}
    assert Partial(RUN, file).once("1:ours", must_not_run) == {"value": 2}


@pytest.mark.parametrize("other", [{"commit": "abd"}, {"workload": {"bars": 11}}])
def test_parts_of_another_run_do_not_count(tmp_path: Path, other: dict[str, Any]) -> None:
    """Another commit or another size is another measurement."""
    file = tmp_path / "partial.jsonl"
    Partial(RUN, file).once("0:ours", lambda: measured(1))
    assert Partial(RUN | other, file).once("0:ours", lambda: measured(2)) == {"value": 2}
    assert Partial(RUN, file).once("0:ours", must_not_run) == {"value": 1}


def test_a_line_that_was_broken_off_is_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "partial.jsonl"
    Partial(RUN, file).once("0:ours", lambda: measured(1))
    Partial(RUN, file).once("1:ours", lambda: measured(2))
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: len(text) - 9], encoding="utf-8")
    again = Partial(RUN, file)
    assert "0:ours" in again
    assert "1:ours" not in again


def test_what_fails_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "partial.jsonl"
    with pytest.raises(AssertionError):
        Partial(RUN, file).once("0:ours", must_not_run)
    assert "0:ours" not in Partial(RUN, file)


def test_a_finished_run_leaves_no_parts(tmp_path: Path) -> None:
    file = tmp_path / "partial.jsonl"
    partial = Partial(RUN, file)
    partial.once("0:ours", lambda: measured(1))
    partial.forget()
    assert not file.exists()
    partial.forget()


def part(rate: float) -> dict[str, Any]:
    """What `race.Result.asdict` returns, at this rate."""
    return {
        "bars": int(rate * 2),
        "seconds": 2.0,
        "cpu_s": 1.0,
        "rss_mb": 90.0,
        "load": 0.1,
        "settings": {},
        "problems": [],
    }


def one_round(ours: float) -> dict[str, dict[str, Any]]:
    """All contestants; ours is 4, 10, 250 and half times as fast as those with a target."""
    rates = {
        roster.OURS: ours,
        roster.OURS_WITH_SNAPSHOTS: ours * 0.8,
        roster.QUIX: ours / 4,
        roster.FAUST_MANUAL: ours / 10,
        roster.RECOMPUTE: ours / 250,
        roster.INSERT_MANY: ours * 2,
        roster.CONFLUENT_LOOP: ours * 5,
        roster.AIOKAFKA_LOOP: ours * 3,
        roster.BACKFILL: ours * 1.2,
    }
    return {name: part(rate) for name, rate in rates.items()}


def delay(p50: float, p99: float) -> dict[str, Any]:
    spread = {"p50": p50, "p99": p99, "max": p99 + 1}
    return {"document_ms": spread, "snapshot_ms": spread, "floor_ms": 1.0, "settings": {}}


def whole() -> dict[str, Any]:
    """The results of a whole run."""
    latency = {roster.OURS_WITH_SNAPSHOTS: delay(20.0, 90.0), roster.QUIX: delay(60.0, 300.0)}
    about = {
        "machine": {"processor": "a < b", "cores": 2, "load_before": 0.0},
        "commit": "abc",
        "workload": {"bars": 10, "tickers": 2},
    }
    return results.summary([one_round(10_000.0), one_round(5_000.0)], latency) | about


def test_the_summary_has_the_published_shape() -> None:
    found = whole()
    names = {one.name for one in (*roster.CONTESTANTS, roster.LOADER)}
    assert found["contestants"].keys() == names
    assert all(one.keys() == {"bars_per_s"} for one in found["contestants"].values())
    assert found["ratios"] == {
        "quixstreams": 4.0,
        "faust_manual": 10.0,
        "pandas_ta_recompute": 250.0,
        "insert_many": 0.5,
    }
    assert found["latency_ms"] == {"p50": 20.0, "p99": 90.0}
    assert found["contestants"][roster.OURS]["bars_per_s"] == 7_500.0
    assert found["backfill_ratio"] == 1.5


def test_a_contestant_that_failed_is_left_out() -> None:
    """In one round, or in all of them; the others keep their figures."""
    first, second = one_round(10_000.0), one_round(5_000.0)
    del first[roster.QUIX], first[roster.BACKFILL], second[roster.BACKFILL]
    found = results.summary([first, second], {})
    assert found["ratios"]["quixstreams"] == 4.0
    assert found["contestants"][roster.QUIX]["bars_per_s"] == 1_250.0
    assert roster.BACKFILL not in found["contestants"]
    assert found["backfill_ratio"] is None
    assert found["latency_ms"] == {"p50": None, "p99": None}


def test_publishing_keeps_what_others_measured_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "LATEST", tmp_path / "latest.json")
    monkeypatch.setattr(results, "CHART", tmp_path / "latest.svg")
    others = {"growth": {"kb_per_ticker": 9.0}, "shapes": {"bursts": {}}}
    results.write(others | {"ratios": {}})
    report.publish(whole())
    kept = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert {name: kept[name] for name in others} == others
    assert kept["ratios"]["quixstreams"] == 4.0
    assert (tmp_path / "latest.svg").read_text(encoding="utf-8").startswith("<svg")


def test_problems_are_told_with_round_and_name() -> None:
    found = whole()
    assert report.problems(found) == []
    found["rounds"][1][roster.QUIX]["problems"] = ["9 documents for 10 bars"]
    assert report.problems(found) == ["round 2, quixstreams: 9 documents for 10 bars"]
