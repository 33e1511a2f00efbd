"""The metrics of a running worker, compared with what it did."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)

from tests.deployment import Deployment
from tests.eventually import eventually
from tests.monitoring.conftest import TOKEN, Ask
from tests.monitoring.scraping import scrape
from tests.test_docs import names, rows, section
from tests.verify import random_bars
from topics import CONSUMED

pytestmark = pytest.mark.integration


def test_messages_are_counted_by_batch_and_by_what_became_of_them(
    deployment: Deployment, ask: Ask
) -> None:
    before = scrape(ask)
    deployment.send_bars(random_bars(["M1", "M2", "M3"], 50))
    deployment.drained()
    eventually(lambda: scrape(ask).total("lag_messages", topic="stock-prices") == 0, "lag 0")
    after = scrape(ask)

    def grew(name: str, **labels: str) -> float:
        return after.total(name, **labels) - before.total(name, **labels)

    # And what the simulated source sent meanwhile.
    assert grew("messages_total", agent="prices", outcome="received") >= 150
    received = after.total("messages_total", agent="prices", outcome="received")
    assert after.total("batch_messages_sum", agent="prices") == received
    assert after.total("batch_messages_count", agent="prices") > 0
    assert grew("batch_seconds_sum", agent="prices") > 0
    assert grew("mongodb_documents_total", agent="prices") >= 150
    assert grew("mongodb_write_seconds_count", agent="prices") > 0
    assert grew("checkpoints_total") > 0
    assert grew("checkpoint_seconds_count") > 0
    assert grew("table_rows", table="indicators") == 3
    assert after.total("kafka_up") == 1


def test_offsets_are_those_of_kafka(deployment: Deployment, ask: Ask) -> None:
    deployment.drained()

    def agreed() -> bool:
        ends = deployment.broker.end_offsets(["financial-news"])
        done = deployment.broker.committed(deployment.settings.app_id)
        found = scrape(ask)
        return all(
            found.total("end_offset", topic=topic, partition=str(partition)) == end
            and found.total("committed_offset", topic=topic, partition=str(partition))
            == done[topic, partition]
            for (topic, partition), end in ends.items()
        )

    eventually(agreed, "the offsets that Kafka has")
    found = scrape(ask)
    places = {
        (sample.labels["topic"], sample.labels["partition"])
        for sample in found.samples
        if sample.name == "financial_trends_lag_messages"
    }
    # What brings work, and what follows from it: `trends` and `alerts`.
    assert len(places) == (len(CONSUMED) + 2) * deployment.settings.topic_partitions


def test_a_message_that_cannot_be_used_is_a_dead_letter(deployment: Deployment, ask: Ask) -> None:
    before = scrape(ask).total("dead_letters_total", agent="news")
    with deployment.producer() as producer:
        producer._sender.send("financial-news", [(b"AAPL", b"no JSON")])
    deployment.drained()
    assert scrape(ask).total("dead_letters_total", agent="news") == before + 1


def test_a_source_has_polls_records_and_an_age(ask: Ask) -> None:
    def polls() -> float:
        return scrape(ask).total("source_polls_total", source="simulated")

    before = polls()
    eventually(lambda: polls() > before, "another poll")
    found = scrape(ask)
    assert found.total("source_records_total", source="simulated") > 0
    assert found.total("source_errors_total", source="simulated") == 0
    assert 0 <= found.total("source_age_seconds", source="simulated") < 60
    assert found.total("source_interval_seconds", source="simulated") == 1


def test_the_process_is_measured(ask: Ask) -> None:
    families = scrape(ask).families
    assert families["process_resident_memory_bytes"].samples[0].value > 10_000_000
    assert families["process_cpu_seconds"].samples[0].value > 0


def test_every_metric_says_what_it_is(ask: Ask) -> None:
    for name, family in scrape(ask).families.items():
        assert family.documentation, name
        assert family.type in ("counter", "gauge", "histogram"), name


def test_openmetrics_where_it_is_asked_for(ask: Ask) -> None:
    answer = ask("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    names = {family.name for family in openmetrics_families(answer.text)}  # type: ignore[no-untyped-call]
    assert "financial_trends_lag_messages" in names


def test_metrics_ask_for_the_token(deployment: Deployment, ask: Ask) -> None:
    address = f"http://127.0.0.1:{deployment.workers[0].port}/metrics"
    assert httpx.get(address).status_code == 401
    assert TOKEN not in ask("/metrics").text


def test_the_documents_have_every_metric(ask: Ask) -> None:
    kinds = {"counter": "_total", "gauge": "", "histogram": ""}
    families = scrape(ask).families.values()
    exist = {
        f"{family.name.removeprefix('financial_trends_')}{kinds[family.type]}": {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
        for family in families
    }
    told = {
        names(row[0])[0]: {label for label in row[1].split(", ") if label}
        for row in rows(section("docs/monitoring.md", "Metrics"))
    }
    assert told == exist
