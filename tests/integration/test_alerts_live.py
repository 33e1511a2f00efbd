"""Alerts about trends and silence, and webhooks, in a worker that is stopped in mid-delivery."""

from __future__ import annotations

import hashlib
import hmac
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

from models import NEWS_ITEM
from sinks.documents import as_date, as_ms
from tests.alerts.receiver import receiving
from tests.deployment import bar
from tests.eventually import eventually
from tests.integration.conftest import Deploy
from topics import FINANCIAL_NEWS

pytestmark = [pytest.mark.integration, pytest.mark.long]

SECRET = "sixteen characters"  # noqa: S105 - of nothing
#: Traded at all hours.
TICKER = "BTC-USD"

RULES = """
[[rule]]
name = "turned"
when = "trend changes to up and trend.strength >= 20"
message = "{ticker} is {trend}"

[[rule]]
name = "gone"
when = "silence of feed > 2s"
webhooks = []
"""


@pytest.mark.timeout(240)
def test_a_worker_that_is_stopped_while_nobody_takes_its_alerts(
    deploy: Deploy, tmp_path: Path
) -> None:
    rules = tmp_path / "alerts.toml"
    rules.write_text(RULES, encoding="utf-8")
    with receiving(*[500] * 99) as receiver:
        deployment = deploy(
            checkpoint_interval_s=0.2,
            alert_rules=rules,
            alert_webhooks=f"ops={receiver.url}/s3cret",
            alert_webhook_secret=SECRET,
        )
        database = deployment.database
        worker = deployment.start_worker()
        worker.wait_ready()
        now = int(time.time() * 1000)
        for number, sentiment in enumerate((-0.9, 0.9, 0.9, 0.9)):
            fields = {"ticker": TICKER, "id": f"n{number}", "time": now + number, "title": "t"}
            more = {"source": "test", "ingested": now, "sentiment": sentiment}
            with deployment.producer() as producer:
                producer.produce_records(FINANCIAL_NEWS, [NEWS_ITEM.parse(fields | more)])
            # Each has its own checkpoint, so that there are trends to change.
            due = {"time": {"$gte": as_date(now + number)}}
            eventually(partial(database["trends"].find_one, due), "its trend")
        (turned,) = eventually(lambda: list(database["alerts"].find()), "an alert")
        assert (turned["rule"], turned["message"]) == ("turned", f"{TICKER} is up")
        eventually(lambda: receiver.got, "an attempt")
        assert worker.stop() == 0, worker.tail()
        assert "s3cret" not in worker.log.read_text(encoding="utf-8")

        receiver.answers.clear()
        deployment.send_bars([bar(TICKER, now, source="feed", ingested=int(time.time() * 1000))])
        second = deployment.start_worker()
        eventually(
            lambda: database["alerts"].find_one({"deliveries.ops": "delivered"}),
            f"a delivery\n{second.tail()}",
        )
        assert set(receiver.taken()) == {turned["_id"]}
        got = receiver.got[-1]
        signed = got.headers["x-alert-timestamp"].encode() + b"." + got.content
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert got.headers["x-alert-signature"] == f"sha256={digest}"

        (gone,) = eventually(lambda: list(database["alerts"].find({"rule": "gone"})), "a silence")
        heard = gone["_id"].rpartition("|")[2]
        assert as_ms(gone["time"]) == int(heard) + 2_000
        deployment.drained()
        row = httpx.get(f"http://127.0.0.1:{second.port}/tables/alerts/{TICKER}").json()
        assert "gone" in str(row)
        assert "turned" in str(row)
        assert database["alerts"].count_documents({}) == 2
