"""What all tests share: one Kafka and one MongoDB for the run, and patience with slow machines."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.servers import servers

__all__ = ["servers"]

# How fast an example comes says something about the machine alone: the first one of a fresh clone
# has to compute tables of characters, for seconds.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
