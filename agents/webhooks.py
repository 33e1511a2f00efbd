"""Webhooks: hands each alert to the receivers of its rule.

The topic is the queue: alerts wait in it, a bounded number of batches in memory, and nothing else
waits for a receiver.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from agents.alerts import Alerts
from agents.services import Services
from agents.stage import Stage
from alerts import RuleBook
from alerts.webhook import Webhook
from errors import InvalidRecord, StoreUnavailable, shorten
from models import Alert
from sinks import Origin, Write, Writer
from sinks.deliveries import DELIVERED, Deliveries
from sinks.documents import alert_write
from sinks.webhooks import NotDelivered, WebhookSender, new_client
from topics import ALERTS, DAY_MS
from transport import Batch, BatchingApp

#: After so many alerts in a row that a webhook has not taken, the rest of a batch is not tried.
MOST_FAILURES = 3

#: What a document says where an event was over long before anybody noticed.
TOO_OLD = "not sent: too old"

#: The longest bar of each unit, ms.
_UNITS_MS = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": DAY_MS,
    "wk": 7 * DAY_MS,
    "mo": 31 * DAY_MS,
}

log = logging.getLogger(__name__)

#: By alert, then by webhook: delivered, or why not.
Outcomes = dict[str, dict[str, str]]


class WebhooksStage(Stage):
    """Delivers the alerts of one batch after the other, at least once each.

    A batch counts as done when all of its alerts were delivered or given up, which the documents
    say; after a crash before that, what a document says was delivered is not sent again.
    """

    def __init__(self, services: Services, book: RuleBook, writer: Writer) -> None:
        super().__init__(services, "webhooks", ALERTS, writer)
        self._book = book
        self._deliveries = Deliveries(services.settings)
        secret = services.settings.alert_webhook_secret
        self._secret = None if secret is None else secret.get_secret_value()
        self._max_age_ms = services.settings.alert_webhook_max_age_days * DAY_MS

    async def process(self, batch: Batch) -> None:
        """Deliver a batch, unless it is void; without webhooks, pass it over."""
        writes: Sequence[Write] = []
        if self._book.webhooks:
            await self.writer.ready()
            alerts, writes = self._decoded(batch)
            if alerts and batch.current:
                writes = [*writes, *await self._delivered(alerts, batch)]
        if not batch.current:
            return
        if writes:
            self.writer.submit(writes)
            self.services.outbox.post()
        self.services.counts[self.name, "received"] += len(batch.records)
        batch.done()

    def _decoded(self, batch: Batch) -> tuple[list[Alert], list[Write]]:
        alerts: dict[str, Alert] = {}
        dead: list[Write] = []
        for message in batch.records:
            try:
                alert: Alert = self.codec.decode(message.key, message.value)
            except InvalidRecord as error:
                origin = Origin(*batch.tp, message.offset, message.key, message.value)
                dead.append(self.services.dead(origin, str(error), self.name))
            else:
                alerts[alert.id] = alert
        return list(alerts.values()), dead

    async def _delivered(self, alerts: Sequence[Alert], batch: Batch) -> list[Write]:
        known = await self._known([alert.id for alert in alerts])
        waiting: dict[Webhook, list[Alert]] = {}
        outcomes: Outcomes = {alert.id: {} for alert in alerts}
        for alert in alerts:
            for webhook in self._book.targets(alert.rule):
                if alert.ingested - _over(alert) > self._max_age_ms:
                    outcomes[alert.id][webhook.name] = TOO_OLD
                elif known.get(alert.id, {}).get(webhook.name) != DELIVERED:
                    waiting.setdefault(webhook, []).append(alert)
        async with new_client() as client:
            sender = WebhookSender(client, self._secret)
            await asyncio.gather(
                *(self._send(sender, *one, outcomes, batch) for one in waiting.items())
            )
        return [
            alert_write(self._fields(alert), known.get(alert.id, {}) | outcomes[alert.id])
            for alert in alerts
            if outcomes[alert.id]
        ]

    async def _send(
        self,
        sender: WebhookSender,
        webhook: Webhook,
        alerts: Sequence[Alert],
        outcomes: Outcomes,
        batch: Batch,
    ) -> None:
        """Send one webhook its alerts, in order; the others do not wait for it."""
        failures = 0
        for alert in alerts:
            if not batch.current:
                return
            outcome = f"failed: not tried, as {MOST_FAILURES} before it"
            try:
                if failures < MOST_FAILURES:
                    await sender.deliver(
                        webhook,
                        self._fields(alert),
                        patient=failures == 0,
                        wanted=lambda: batch.current,
                    )
                    outcome, failures = DELIVERED, 0
            except NotDelivered as error:
                failures += 1
                outcome = f"failed: {error}"
            outcomes[alert.id][webhook.name] = outcome
            if outcome == DELIVERED:
                self.count("delivered")
            else:
                self.count("failed")
                log.warning("alert %s: webhook %s %s", shorten(alert.id), webhook.name, outcome)

    async def _known(self, ids: Sequence[str]) -> Outcomes:
        try:
            return await asyncio.to_thread(self._deliveries.of, ids)
        except StoreUnavailable as error:
            # What was delivered may be delivered again; the receivers know it by its id.
            log.warning("what was delivered already is not known: %s", error)
            return {}

    def _fields(self, alert: Alert) -> dict[str, Any]:
        return {name: getattr(alert, name) for name in self.codec.fields}


def _over(alert: Alert) -> int:
    """Return when the event of an alert was over, of a bar at the latest; ms since the epoch."""
    if alert.interval is None:
        return alert.time
    number = alert.interval.rstrip("smhdwko")
    return alert.time + int(number) * _UNITS_MS[alert.interval.removeprefix(number)]


def attach(app: BatchingApp, services: Services, alerts: Alerts) -> None:
    """Declare the agent of ``alerts``."""
    stage = WebhooksStage(services, alerts.book, alerts.writer)

    @app.agent(app.batched_topic(ALERTS.name), name="webhooks")
    async def webhooks(stream: StreamT[Any]) -> None:
        """Alerts to webhooks; what became of them: collection `alerts`."""
        await stage.run(stream)
