"""What Faust is told, whatever stands in the environment."""

from __future__ import annotations

import socket

import faust
import pytest

from config import read_settings
from startup import faust_options


def test_faust_reads_no_variables_behind_our_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_HOST", "0.0.0.0")  # noqa: S104 - as in a container
    monkeypatch.setenv("TOPIC_PARTITIONS", "")
    monkeypatch.setenv("BROKER_MAX_POLL_RECORDS", "1")
    settings = read_settings(_env_file=None)
    found = faust.App("environment", **faust_options(settings)).conf
    # Other workers reach this one under its name; 0.0.0.0 would be themselves.
    assert found.web_host == socket.gethostname()
    assert found.web_bind == "0.0.0.0"  # noqa: S104 - compared, not bound
    assert found.topic_partitions == settings.topic_partitions == 8
    assert found.broker_max_poll_records != 1
