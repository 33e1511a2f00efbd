"""A deployment of its own for each integration test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.locate import Servers
from tests.deployment import Deployment, free_port


@pytest.fixture
def deployment(servers: Servers, tmp_path: Path) -> Iterator[Deployment]:
    """A group and a database of its own; workers put their files below ``tmp_path``."""
    deployed = Deployment(servers, tmp_path, data_dir=tmp_path / "workers", web_port=free_port())
    yield deployed
    deployed.close()
