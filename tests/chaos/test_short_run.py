"""The chaos run in its short form: few faults, and then the same judge."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from chaos.arena import arena
from chaos.faults import KILL_LEADER, KILL_PRIMARY, KILL_WORKER
from chaos.story import Story

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.mark.timeout(400)
def test_nothing_is_lost_doubled_or_wrong(tmp_path: Path) -> None:
    """A worker, the broker that leads and the MongoDB primary are killed, one after the other.

    Whether pauses are as short as promised is for `make chaos` to say, on a machine of its own.
    """
    kinds = (KILL_WORKER, KILL_LEADER, KILL_PRIMARY)
    say = logging.getLogger("tests").info
    with arena(tmp_path) as made:
        report = Story(made, seed=7, seconds=0, kinds=kinds, say=say, roll=False).run()
    assert report.findings == []
    assert report.judged == ["as it went", "after a recompute", "trends"]
    measured = {pause.fault for pause in report.pauses}
    assert measured >= {kind.name for kind in kinds}
    assert all(pause.settled for pause in report.pauses)
    assert report.acknowledged == report.sent
    assert report.poison > 0
