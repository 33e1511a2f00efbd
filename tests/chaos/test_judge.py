"""The judge finds nothing where all is right, and every fault that is put there by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from chaos.feed import Feed, Ledger
from chaos.judge import Case, Finding, judge, log
from chaos.judge.letters import compare_letters
from chaos.judge.reference import Parameters
from chaos.messages import LATE, TOPICS, Stream
from embedded.locate import Servers
from tests.chaos.spoil import SPOILS
from tests.deployment import Deployment
from tests.integration.test_tables import faust
from topics import ALL_TOPICS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Trial:
    """What a worker made of 90 minutes of the market; late bars are not taken in yet."""

    case: Case
    deployment: Deployment


@pytest.fixture(scope="module")
def trial(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """One trial for all tests."""
    deployment = Deployment(servers, tmp_path_factory.mktemp("judge"), checkpoint_interval_s=0.2)
    starts = deployment.broker.end_offsets(spec.name for spec in ALL_TOPICS)
    ledger = Ledger()
    Feed(servers.kafka, Stream(seed=5), ledger).send(rounds=90)
    deployment.start_worker()
    deployment.drained(timeout_s=120)
    name, group = deployment.settings.mongodb_database, deployment.settings.app_id
    yield Trial(Case(servers.kafka, servers.mongodb, name, group, ledger, starts), deployment)
    deployment.close()


@pytest.fixture(scope="module")
def spoiled(trial: Trial) -> tuple[dict[str, str], list[Finding]]:
    """Everything is spoiled at once, judged, and put right again; what each must be told by."""
    database = trial.deployment.database
    before = {name: list(database[name].find()) for name in database.list_collection_names()}
    told = {name: spoil(database) for name, (_, spoil) in SPOILS.items()}
    found = judge(trial.case, Parameters(), recomputed=False)
    for name, documents in before.items():
        database[name].delete_many({})
        if documents:
            database[name].insert_many(documents)
    return told, found


def test_a_sound_run_passes(trial: Trial) -> None:
    assert judge(trial.case, Parameters(), recomputed=False) == []
    sent = trial.case.ledger.sent.values()
    assert {message.topic for message in sent} == set(TOPICS)
    assert sum(message.reason is not None for message in sent) > 20


@pytest.mark.parametrize("name", SPOILS)
def test_what_is_spoiled_is_found(spoiled: tuple[dict[str, str], list[Finding]], name: str) -> None:
    told, found = spoiled
    kind = SPOILS[name][0]
    assert [f for f in found if f.kind == kind and told[name] in f.what], told[name]


@pytest.mark.parametrize("field", ["key", "value", "size", "error"])
def test_a_letter_on_the_topic_that_differs_is_found(trial: Trial, field: str) -> None:
    case = trial.case
    sent, places = case.ledger.sent, case.ledger.acknowledged
    poison = {
        "|".join(map(str, places[number])): message
        for number, message in sent.items()
        if message.reason is not None
    }
    letters = log.read(case.kafka, ["dead-letters"], case.starts)
    assert list(compare_letters(trial.deployment.database, poison, letters)) == []
    first = letters[0]
    told = json.loads(first.value or b"")
    # A tombstone has neither value nor size; no message has this of all four.
    changed = json.dumps(told | {field: "bad luck" if field != "size" else -1})
    spoiled = replace(first, value=changed.encode())
    found = list(compare_letters(trial.deployment.database, poison, [spoiled, *letters[1:]]))
    place = f"{told['topic']}|{told['partition']}|{told['offset']}"
    assert [(kind, place in what) for kind, what in found] == [("wrong", True)]


def test_offsets_that_are_behind_are_found(trial: Trial) -> None:
    found = judge(replace(trial.case, group="nobody"), Parameters(), recomputed=False)
    assert {finding.kind for finding in found} == {"offsets"}


def test_a_message_that_kafka_lost_is_found(trial: Trial) -> None:
    number, place = next(iter(trial.case.ledger.acknowledged.items()))
    other = (place[0], place[1], place[2] + 10**6)
    ledger = replace(
        trial.case.ledger, acknowledged=trial.case.ledger.acknowledged | {number: other}
    )
    found = judge(replace(trial.case, ledger=ledger), Parameters(), recomputed=False)
    assert found == [Finding("lost", f"Kafka: message {number} is not at {other}")]


def test_after_a_recompute_late_bars_count(trial: Trial) -> None:
    """Runs last: before it the late bars are missing from the values, after it they are in."""
    found = judge(trial.case, Parameters(), recomputed=True)
    assert {finding.kind for finding in found} == {"wrong"}
    done = faust(trial.deployment, "recompute", *LATE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert judge(trial.case, Parameters(), recomputed=True) == []
