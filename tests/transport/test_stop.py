"""A worker that ends while it starts, or in the middle of a rebalance, ends as it should."""

from __future__ import annotations

import pytest

from tests.deployment import Deployment

pytestmark = pytest.mark.integration

APP, STOPPING_APP = "tests.transport.mixed_app", "tests.transport.stopping_app"
STARTING_APP = "tests.transport.starting_app"


def members(deployment: Deployment) -> int:
    return len(deployment.broker.members(deployment.settings.app_id))


def test_a_stop_while_it_starts(deployment: Deployment, prefix: str) -> None:
    """What is starting then fails, as what it needs has been stopped; that is no failure."""
    starting = deployment.start_worker(STARTING_APP, TEST_PREFIX=prefix)
    assert starting.process.wait(60) == 0, starting.tail()
    assert starting.says("stopped while starting"), starting.tail()


def test_a_stop_while_it_joins(deployment: Deployment, prefix: str) -> None:
    """The join is answered while the worker is on its way down."""
    deployment.start_worker(APP, TEST_PREFIX=prefix).wait_ready()
    joining = deployment.start_worker(STOPPING_APP, TEST_PREFIX=prefix, TEST_STOP_AT="1")
    assert joining.process.wait(60) == 0, joining.tail()
    assert joining.says("Joined group"), joining.tail()
    # Without it there would be two until its session is over.
    assert members(deployment) == 1, joining.tail()


def test_a_stop_while_another_joins(deployment: Deployment, prefix: str) -> None:
    """The worker is told to end when it has given up its partitions for a new one."""
    stopping = deployment.start_worker(STOPPING_APP, TEST_PREFIX=prefix, TEST_STOP_AT="2")
    stopping.wait_ready()
    joining = deployment.start_worker(APP, TEST_PREFIX=prefix)
    assert stopping.process.wait(60) == 0, stopping.tail()
    assert stopping.says("Joined group", times=2), stopping.tail()
    assert members(deployment) == 1, stopping.tail()
    joining.wait_ready()
