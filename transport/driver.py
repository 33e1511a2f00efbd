"""Ties the batching consumer to Faust, and makes the producer idempotent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from faust.transport.drivers import aiokafka as driver

from transport import connection, coordinator, headers
from transport.consumer import BatchingConsumer

connection.install()
coordinator.install()
headers.install()


class IdempotentProducer(driver.Producer):
    """Faust's producer, every message acknowledged by all replicas and appended once."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class BatchingTransport(driver.Transport):
    """Faust's aiokafka transport with batches in place of messages, for the topics that ask."""

    Consumer: ClassVar[Any] = BatchingConsumer
    Producer: ClassVar[Any] = IdempotentProducer
