"""One run: a worker, everything hostile, and the judgement."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import psutil
from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Delivered

from agents.services import partition_of
from broker import client_config
from fuzz.account import Account, Place, account
from fuzz.answers import Answered, answers
from fuzz.messages import TOPICS, Message, key_of, messages, valid
from fuzz.requests import Asked, Requests
from tests.deployment import Deployment, Worker

#: Portions that are sent, and worked through, one after another.
PORTIONS = 10
#: Resident memory may grow so much while the same messages come again, in MB: they add no state.
GROWTH_MB = 30.0
TOKEN = "token-of-the-fuzzer"  # noqa: S105 - of nobody, on loopback
_PATIENCE_S = 300.0

Say = Callable[[str], None]


@dataclass
class Report:
    """What a run has found.

    Attributes:
        memory_mb: resident memory of the worker: at the start, and after each portion.
        findings: what must not be; none is good.
    """

    messages: Account
    requests: Asked = field(default_factory=Asked)
    answers: Answered = field(default_factory=Answered)
    memory_mb: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def all_findings(self) -> list[str]:
        """Those of every part."""
        parts = (self.messages, self.requests, self.answers)
        return [*self.findings, *(finding for part in parts for finding in part.findings)]

    def lines(self) -> list[str]:
        """Return the report for people."""
        counts = (
            ("messages", self.messages.fates),
            ("requests", self.requests.answers),
            ("answers", self.answers.outcomes),
        )
        lines = []
        for title, counted in counts:
            lines.append(f"{title}: {sum(counted.values())}")
            lines += [f"  {count:>7}  {what}" for what, count in counted.most_common()]
        shown = ", ".join(f"{mb:.0f}" for mb in self.memory_mb)
        lines.append(f"memory of the worker, MB, at the start and after each tenth: {shown}")
        lines.append("  (the second half of the messages is the first one again)")
        found = self.all_findings
        lines.append(f"findings: {len(found)}")
        return lines + [f"  {finding[:1_000]}" for finding in found[:50]]


class Run:
    """A run against a deployment that nobody else uses.

    Args:
        deployment: with WEB_TOKEN set to :data:`TOKEN`; a worker is started in it.
        seed: of all that is random.
        say: receives one-line reports.
    """

    def __init__(self, deployment: Deployment, seed: int, say: Say) -> None:
        self._deployment = deployment
        self._seed = seed
        self._say = say
        self._findings: list[str] = []
        self._sent: dict[Place, Message] = {}
        self._producer = Producer(
            client_config(deployment.settings)
            | {"partitioner": "murmur2_random", "message.max.bytes": 1_000_000, "linger.ms": 5}
        )

    def go(self, count: int, requests: int, fetches: int) -> Report:
        """Carry it out.

        Args:
            count: messages; half as many are made, and each is sent twice.
            requests: HTTP requests.
            fetches: of each source.
        """
        self._say(f"making {count // 2} messages, to be sent twice")
        made = messages(count // 2, self._seed) * 2
        worker = self._deployment.start_worker()
        worker.wait_ready()
        process = psutil.Process(worker.process.pid)
        memory = [_resident_mb(process)]
        portion = -(-len(made) // PORTIONS)
        for start in range(0, len(made), portion):
            self._send(made[start : start + portion])
            self._drained()
            memory.append(_resident_mb(process))
            self._say(f"{start + len(made[start : start + portion])} messages, {memory[-1]:.0f} MB")
        self._say(f"asking {requests} times")
        asked = Requests(self._deployment.settings, worker.port, self._seed).ask(requests)
        self._say(f"having providers answer {fetches} times each source")
        folder = self._deployment.directory / "providers"
        folder.mkdir()
        answered = asyncio.run(answers(fetches, self._seed, folder))
        self._still_well(worker)
        self._drained()
        self._judge(worker, memory)
        found = account(self._sent, self._deployment.database)
        return Report(found, asked, answered, memory, self._findings)

    def _send(self, portion: Sequence[Message]) -> None:
        partitions = self._deployment.settings.topic_partitions
        for message in portion:
            place = message.astray
            if place is None:
                key = None if message.key is None else message.key.decode("utf-8", "replace")
                place = 0 if key is None else partition_of(key, partitions)
            self._produce(message, place)
        self._producer.flush(_PATIENCE_S)

    def _produce(self, message: Message, partition: int) -> None:
        def note(error: KafkaError | None, delivered: Delivered) -> None:
            if error is not None:
                self._findings.append(f"Kafka did not take {message}: {error}")
                return
            offset = delivered.offset()
            self._sent[message.topic, delivered.partition(), 0 if offset is None else offset] = (
                message
            )

        while True:
            try:
                self._producer.produce(
                    message.topic,
                    message.value,
                    key=message.key,
                    partition=partition,
                    on_delivery=note,
                )
            except BufferError:
                self._producer.poll(0.5)
            else:
                self._producer.poll(0)
                return

    def _drained(self) -> None:
        try:
            self._deployment.drained(_PATIENCE_S)
        except AssertionError as error:
            self._findings.append(f"messages are left: {error}")

    def _still_well(self, worker: Worker) -> None:
        """What is valid lands, and can be read."""
        chance = random.Random("last")
        last = []
        for topic in TOPICS:
            now = int(time.time() * 1000)
            fields = valid(chance, topic)
            fields["time"] = [now - 2, now - 1, now] if topic == "price-history" else now
            last.append(Message(topic, key_of(fields), json.dumps(fields).encode()))
        self._send([one for one in last if one.topic not in ("trends", "alerts", "dead-letters")])
        right = {"Authorization": f"Bearer {TOKEN}"}
        said = httpx.get(f"http://127.0.0.1:{worker.port}/api/tickers", headers=right, timeout=60)
        if said.status_code != 200 or not said.json()["tickers"]:
            self._findings.append(f"/api/tickers says {said.status_code}: {said.text[:300]}")

    def _judge(self, worker: Worker, memory: Sequence[float]) -> None:
        if worker.process.poll() is not None:
            self._findings.append(f"the worker ended: {worker.tail()}")
        log = worker.log.read_text(errors="replace")
        place = log.find("Traceback")
        if place >= 0:
            self._findings.append(f"the worker's log: {log[max(0, place - 300) : place + 1500]}")
        # The first half has brought all tickers, intervals and ids that there are.
        growth = memory[-1] - memory[len(memory) // 2]
        if growth > GROWTH_MB:
            self._findings.append(
                f"memory grew by {growth:.0f} MB as the same came again: {memory}"
            )


def _resident_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


def run(deployment: Deployment, seed: int, counts: tuple[int, int, int], say: Say) -> Report:
    """Carry out one run; ``counts`` are those of messages, requests, and fetches of each source."""
    return Run(deployment, seed, say).go(*counts)
