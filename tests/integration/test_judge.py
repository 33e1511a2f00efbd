"""The judge of the crash tests has to see a program that is broken on purpose."""

from __future__ import annotations

import pytest

from tests.eventually import eventually
from tests.integration.conftest import HOLDING_BACK, Deploy
from tests.integration.test_crashes import TICKERS, check, reaches
from tests.verify import random_bars

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", ["offsets_first", "no_guards"])
def test_the_judge_sees_a_broken_program(deploy: Deploy, fault: str) -> None:
    """The same kills, with one rule broken on purpose, are caught by the same judge."""
    deployment = deploy(checkpoint_interval_s=0.1)
    bars = random_bars(TICKERS, 800)
    deployment.send_bars(bars)
    worker = deployment.start_worker(f"tests.integration.{fault}")
    reaches(deployment, 0.4 * len(bars))
    if fault == "no_guards":
        # Only a kill between the changelog and the commit leaves state ahead of its offsets.
        said = worker.log.read_text().count(HOLDING_BACK)
        eventually(lambda: worker.says(HOLDING_BACK, times=said + 1), "a checkpoint")
    worker.kill()
    deployment.start_worker(f"tests.integration.{fault}")
    with pytest.raises(AssertionError):
        check(deployment, bars)
