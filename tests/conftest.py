"""What all tests share: one Kafka and one MongoDB for the run, and patience with slow machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.isolation import objection
from tests.servers import servers

__all__ = ["servers"]

# How fast an example comes says something about the machine alone: the first one of a fresh clone
# has to compute tables of characters, for seconds.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_sessionstart() -> None:
    """Refuse to run under settings that a .env makes."""
    said = objection(Path(__file__).parent.parent / ".env")
    if said is not None:
        pytest.exit(f"error: {said}", returncode=2)
