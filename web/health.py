"""``/health/``: for those who start and stop workers; ``/metrics``: for Prometheus."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from broker import Broker
from errors import BrokerUnavailable
from monitoring.collector import Collector, Ends, exposed
from monitoring.kafka import Kafka
from monitoring.readiness import WELL, Readiness

log = logging.getLogger(__name__)


class Health:
    """Whether the worker lives, and whether it can work.

    Args:
        readiness: looks at what the work needs.
    """

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def live(self, _: web.Request) -> web.Response:
        """``GET /health/live``: 200 as long as the event loop turns."""
        return _answer(200, {"status": "live"})

    async def ready(self, _: web.Request) -> web.Response:
        """``GET /health/ready``: 200 if the worker can work, else 503 and what is missing."""
        checks = await self._readiness.checks()
        well = all(found == WELL for found in checks.values())
        return _answer(
            200 if well else 503, {"status": "ready" if well else "not ready", "checks": checks}
        )


class Metrics:
    """The worker's metrics.

    Args:
        collector: reads what the worker counts.
        kafka: asks the brokers for the ends of the partitions.
    """

    def __init__(self, collector: Collector, kafka: Kafka) -> None:
        self._collector = collector
        self._kafka = kafka

    async def metrics(self, request: web.Request) -> web.Response:
        """``GET /metrics``: in the format of Prometheus, or of OpenMetrics where that is asked."""
        families = self._collector.families(await self._ends())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = encode(exposed(families))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _ends(self) -> Ends | None:
        topics = sorted({tp.topic for tp in self._collector.consumed()})
        try:
            return await self._kafka.ask(Broker.end_offsets, topics)
        except BrokerUnavailable as error:
            log.warning("metrics without lag: %s", error)
            return None


def _answer(status: int, content: dict[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")
