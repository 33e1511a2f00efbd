"""Deployments for the tests of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded.locate import Servers
from tests.deployment import Deployment

Deploy = Callable[..., Deployment]

#: What `tests.integration.slow_commit` says in the log when its pause begins.
HOLDING_BACK = "holding back a commit"


@pytest.fixture
def deploy(servers: Servers, tmp_path: Path) -> Iterator[Deploy]:
    """Make deployments, with other settings where given; ended after the test."""
    made: list[Deployment] = []

    def make(**overrides: Any) -> Deployment:
        directory = tmp_path / str(len(made))
        directory.mkdir()
        made.append(Deployment(servers, directory, **overrides))
        return made[-1]

    yield make
    for one in made:
        one.close()
