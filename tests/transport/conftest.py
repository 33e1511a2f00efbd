"""The topics of `mixed_app`, for one test each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.locate import Servers
from tests.deployment import Deployment
from tests.transport.mixed import make_deployment, make_prefix


@pytest.fixture
def prefix() -> str:
    return make_prefix()


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path, prefix: str) -> Iterator[Deployment]:
    made = make_deployment(servers, tmp_path, prefix)
    yield made
    made.close()
