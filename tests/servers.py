"""The `servers` fixture: a real Kafka and a real MongoDB for the tests that need them.

In this order: the addresses in KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI, Docker where an engine
answers, embedded servers in a temporary folder. The last never share a folder or the usual ports
with servers that a developer runs. Each process of a run (`-n 3`) has its own: topics are the same
in every test, so tests that run at the same time must not share a broker.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator

import pytest

from embedded import stack
from embedded.locate import Servers, find_servers


@pytest.fixture(scope="session")
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """Find or start the servers once per run, and stop what was started."""
    data_dir = tmp_path_factory.mktemp("servers")
    found = find_servers(
        os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or None,  # set but empty means unset
        os.environ.get("MONGODB_URI") or None,
        data_dir=data_dir,
        log=logging.getLogger("tests").info,
        usual_ports=False,
    )
    with found:
        yield found
    if request.session.testsfailed == 0:  # otherwise the servers' logs may tell why
        stack.reset(data_dir)
        shutil.rmtree(data_dir)
