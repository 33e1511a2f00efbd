"""The page of the topics and its JSON, compared with Kafka."""

from __future__ import annotations

import base64
import uuid
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from agents.services import partition_of
from broker import Broker
from config import read_settings
from monitoring.peek import MOST_MESSAGES, SHOWN_BYTES
from monitoring.topics import Look, is_ours
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.monitoring.conftest import TOKEN, Ask
from tests.web.browser import browsing, chromium, opened
from topics import ALL_TOPICS, CONSUMED, TECHNICAL_INDICATORS, ticker_topic

#: Read by nobody. Tests of other files send to it as well, so a test looks for its own keys.
LETTERS = "dead-letters"
PEOPLE = {"Accept": "text/html"}


def put(deployment: Deployment, topic: str, key: str, *values: bytes) -> int:
    """Send messages of one key, and return their partition."""
    with deployment.producer() as producer:
        producer._sender.send(topic, [(key.encode(), value) for value in values])
    return partition_of(key, deployment.settings.topic_partitions)


def shown(ask: Ask, topic: str, partition: int, key: str) -> list[dict[str, Any]]:
    """Return the messages of one key among the last of a partition."""
    found = ask(f"/topics/{topic}/{partition}?last={MOST_MESSAGES}").json()["messages"]
    return [one for one in found if one["key"] == key]


@pytest.mark.integration
def test_offsets_and_lag_are_those_of_kafka(deployment: Deployment, ask: Ask) -> None:
    deployment.drained()
    answer = ask("/topics/").json()
    names = [topic["name"] for topic in answer["topics"]]
    own = [spec.name for spec in ALL_TOPICS]
    assert names[: len(own)] == own
    group = deployment.settings.app_id
    assert f"{group}-indicators-changelog" in names
    assert answer["groups"][0] == group
    lags = {topic["name"]: topic["lag"].get(group) for topic in answer["topics"]}
    assert set(CONSUMED) <= {name for name, lag in lags.items() if lag is not None}
    assert lags[f"{group}-indicators-changelog"] is None
    found = ask("/topics/financial-news/").json()
    begins = deployment.broker.start_offsets(["financial-news"])
    ends = deployment.broker.end_offsets(["financial-news"])
    shown = {
        ("financial-news", one["partition"]): (one["begin"], one["end"])
        for one in found["partitions"]
    }
    assert shown == {place: (begins[place], ends[place]) for place in ends}
    assert {one["lag"][group] for one in found["partitions"]} == {0}


@pytest.mark.integration
def test_the_rate_is_what_came_between_two_looks(deployment: Deployment, ask: Ask) -> None:
    quiet = ticker_topic(TECHNICAL_INDICATORS.name, f"QUIET{uuid.uuid4().hex[:8]}")
    deployment.broker.ensure_topics(views={quiet: TECHNICAL_INDICATORS})

    def look() -> tuple[int, float, float]:
        answer = ask("/topics/").json()
        for topic in answer["topics"]:
            if topic["name"] == quiet:
                return topic["messages"], topic["rate"] or 0.0, answer["seconds"] or 0.0
        return -1, 0.0, 0.0

    eventually(lambda: look()[0] == 0, "the new topic")
    put(deployment, quiet, "rate", *([b"{}"] * 40))

    def grown() -> tuple[float, float] | None:
        messages, rate, seconds = look()
        return (rate, seconds) if messages == 40 else None

    found = eventually(grown, "a new look")
    assert found is not None
    rate, seconds = found
    # Exactly so many messages in the time between; the time is rounded.
    assert rate * seconds == pytest.approx(40, rel=0.06)


@pytest.mark.integration
def test_the_last_messages_are_shown_decoded(deployment: Deployment, ask: Ask) -> None:
    packed = base64.b64encode("<b>naïve</b>".encode()).decode()
    values = [
        b'{"topic": "stock-prices", "value": "' + packed.encode() + b'"}',
        b"no JSON \xff",
        b"x" * (SHOWN_BYTES + 1),
    ]
    partition = put(deployment, LETTERS, "peek", *values)

    def committed() -> int:
        return deployment.broker.committed(deployment.settings.app_id)[LETTERS, partition]

    before = committed()
    begin = deployment.broker.end_offsets([LETTERS])[LETTERS, partition]
    found = ask(f"/topics/{LETTERS}/{partition}?last=3").json()
    assert committed() == before
    assert found["end"] >= begin
    offsets = [one["offset"] for one in found["messages"]]
    assert offsets == list(range(found["end"] - 3, found["end"]))
    letter, text, long = shown(ask, LETTERS, partition, "peek")
    assert letter["value"] == {"topic": "stock-prices", "value": "<b>naïve</b>"}
    assert (text["value"], text["truncated"], text["key"]) == ("no JSON \\xff", False, "peek")
    assert (len(long["value"]), long["truncated"]) == (SHOWN_BYTES, True)
    assert long["size"] == SHOWN_BYTES + 1
    assert long["time"] > 1_700_000_000_000


@pytest.mark.integration
def test_pages_for_people_are_escaped(deployment: Deployment, ask: Ask) -> None:
    partition = put(deployment, LETTERS, "<script>", b'{"<i>": "<script>alert(1)</script>"}')
    listing = ask("/topics/", **PEOPLE).text
    assert f'href="/topics/{LETTERS}/"' in listing
    assert f"lag of {deployment.settings.app_id}" in listing
    assert f'href="/topics/{LETTERS}/{partition}"' in ask(f"/topics/{LETTERS}/", **PEOPLE).text
    page = ask(f"/topics/{LETTERS}/{partition}?last={MOST_MESSAGES}", **PEOPLE).text
    assert "<script>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.integration
@pytest.mark.parametrize(
    "value",
    [
        b'{"a":' * 600 + b"1" + b"}" * 600,
        b"[" * 2_000 + b"]" * 2_000,
        b'{"topic": "x", "value": "\xc3\xa9 is no base64"}',
        b'{"value": 1e400, "n": 123456789012345678901234567890}',
        b'{"text": "\\ud800"}',
        b"\x00\x1b[31m",
        b"",
    ],
    ids=["maps", "lists", "no base64", "numbers", "surrogate", "control", "empty"],
)
def test_whatever_was_sent_is_shown(deployment: Deployment, ask: Ask, value: bytes) -> None:
    key = f"hostile-{uuid.uuid4().hex}"
    partition = put(deployment, LETTERS, key, value)
    (message,) = shown(ask, LETTERS, partition, key)
    assert message["size"] == len(value)
    page = ask(f"/topics/{LETTERS}/{partition}?last={MOST_MESSAGES}", **PEOPLE)
    assert (page.status_code, key in page.text) == (200, True)


@pytest.mark.integration
@pytest.mark.skipif(chromium() is None, reason="no Chromium: apt-get install chromium")
def test_pages_are_accessible(deployment: Deployment) -> None:
    """No violation of axe's rules, on a desk and on a phone, where nothing goes over the edge."""
    port = deployment.workers[0].port
    options: dict[str, Any] = {
        "extra_http_headers": {"Authorization": f"Bearer {TOKEN}"},
        "bypass_csp": True,
    }
    with browsing() as browser:
        for width, path in product((1440, 390), ("", f"{LETTERS}/", "stock-prices/0")):
            options["viewport"] = {"width": width, "height": 844}
            address = f"http://127.0.0.1:{port}/topics/{path}"
            with opened(browser, address, **options) as (page, complaints):
                assert Axe().run(page).response["violations"] == []
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert complaints == []


@pytest.mark.integration
@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/topics/nothing/", 404, "name"),
        ("/topics/nothing/0", 404, "name"),
        ("/topics/__consumer_offsets/0", 404, "name"),
        ("/topics/dead-letters/8", 404, "partition"),
        ("/topics/dead-letters/-1", 400, "partition"),
        ("/topics/dead-letters/one", 400, "partition"),
        (f"/topics/dead-letters/0?last={MOST_MESSAGES + 1}", 400, "last"),
        ("/topics/dead-letters/0?from=0", 400, "from"),
    ],
)
def test_what_cannot_be_shown_is_said(ask: Ask, path: str, status: int, field: str) -> None:
    answer = ask(path)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


@pytest.mark.integration
def test_groups_with_members_come_first(deployment: Deployment) -> None:
    with Broker(deployment.settings) as broker:
        groups = broker.groups()
    assert deployment.settings.app_id in groups


def test_topics_of_others_are_not_ours() -> None:
    settings = read_settings(_env_file=None, app_id="mine")
    own = [spec.name for spec in ALL_TOPICS]
    own += [f"{settings.app_id}-trends-changelog", "stock-prices.AAPL"]
    assert all(is_ours(name, settings) for name in own)
    others = ["__consumer_offsets", "payments", "x-trends-changelog", "commands.AAPL", "stock"]
    assert not any(is_ours(name, settings) for name in others)


def test_lag_begins_at_what_is_kept_and_is_none_of_who_commits_nothing() -> None:
    here, there = ("t", 0), ("t", 1)
    look = Look(10.0, {here: 5, there: 0}, {here: 9, there: 7}, {"a": {here: 2}, "b": {}}, 0)
    assert look.messages([here, there]) == 11
    assert look.lag("a", [here]) == 4
    assert look.lag("b", [here]) is None
    assert look.lag("a", [there]) == 7
    later = Look(12.0, look.begins, {here: 13, there: 7}, {}, 0)
    assert later.rate(look, [here, there]) == 2.0
    assert look.rate(None, [here]) is None
