"""Connections that fail as aiokafka expects, on either event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from aiokafka import conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

import transport
from embedded.locate import Servers
from transport.connection import SteadyConnection

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_write_on_a_closed_connection(servers: Servers, run: Callable[[Any], Any]) -> None:
    """Whatever the loop raises, aiokafka sees a connection error, and goes on."""
    host, _, port = servers.kafka.rpartition(":")

    async def write_after_close() -> None:
        connection = await conn.create_conn(host, int(port))
        assert isinstance(connection, SteadyConnection)
        await connection.send(MetadataRequest([]))
        connection._writer.transport.abort()
        with pytest.raises(KafkaConnectionError):
            await connection.send(MetadataRequest([]))
        await connection.close()

    assert transport.BatchingApp is not None
    run(write_after_close())
