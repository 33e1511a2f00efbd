"""A member that is closed leaves its group at once, however far a rebalance has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiokafka
import pytest
from aiokafka.abc import ConsumerRebalanceListener

import transport
from tests.deployment import Deployment
from transport.coordinator import LeavingCoordinator

pytestmark = pytest.mark.integration

#: Longer than any test: in these, nobody is given up by the broker.
SESSION_MS = 300_000
#: What would wait for ever without the mend has so long, in seconds.
PATIENCE_S = 60.0


async def until(condition: Callable[[], bool]) -> None:
    """Look at every turn of the event loop until the condition holds."""
    while not condition():  # noqa: ASYNC110 - aiokafka has no asyncio.Event for it
        await asyncio.sleep(0)


class Stubborn(ConsumerRebalanceListener):
    """A member that gives its partitions up when it is told to."""

    def __init__(self, may: asyncio.Event) -> None:
        self.asked = asyncio.Event()
        self.may = may

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        if revoked:
            self.asked.set()
            await self.may.wait()

    async def on_partitions_assigned(self, assigned: set[Any]) -> None:
        pass


class Group:
    """One group, with members in this process."""

    def __init__(self, deployment: Deployment, topic: str, stack: AsyncExitStack) -> None:
        self._broker = deployment.broker
        self._address = deployment.settings.kafka_bootstrap_servers
        self._name = f"{topic}-readers"
        self._topic = topic
        self._stack = stack
        self._holds: list[asyncio.Event] = []

    def hold(self) -> asyncio.Event:
        """Return what somebody is kept waiting with, at the longest to the end of the test."""
        self._holds.append(asyncio.Event())
        return self._holds[-1]

    def let_go(self) -> None:
        """Keep nobody waiting any more."""
        for hold in self._holds:
            hold.set()

    async def join(self, listener: ConsumerRebalanceListener | None = None) -> Any:
        """Return a member that begins to join."""
        member = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self._address,
            group_id=self._name,
            enable_auto_commit=False,
            heartbeat_interval_ms=100,
            session_timeout_ms=SESSION_MS,
            rebalance_timeout_ms=SESSION_MS,
            request_timeout_ms=SESSION_MS,
        )
        await member.start()
        self._stack.push_async_callback(member.stop)
        assert isinstance(member._coordinator, LeavingCoordinator)
        member.subscribe([self._topic], listener=listener)
        return member

    async def joined(self, listener: ConsumerRebalanceListener | None = None) -> Any:
        """Return a member that has partitions."""
        member = await self.join(listener)
        await until(lambda: bool(member.assignment()))
        return member

    async def size(self) -> int:
        """How many members the broker knows."""
        return len(await asyncio.to_thread(self._broker.members, self._name))


@pytest.fixture
def topic(prefix: str) -> str:
    return f"{prefix}-plain"


@asynccontextmanager
async def group_of(deployment: Deployment, topic: str) -> AsyncIterator[Group]:
    assert transport.BatchingApp is not None
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        group = Group(deployment, topic, stack)
        try:
            yield group
        finally:
            group.let_go()


async def test_a_member_that_others_keep_waiting(deployment: Deployment, topic: str) -> None:
    """Its first join is not answered: it has an id and no generation."""
    async with group_of(deployment, topic) as group:
        stubborn = Stubborn(group.hold())
        await group.joined(stubborn)
        joining = await group.join()
        await stubborn.asked.wait()
        assert joining._coordinator.member_id
        assert joining._coordinator.generation == -1
        await joining.stop()
        assert await group.size() == 1


async def test_a_later_rebalance(deployment: Deployment, topic: str) -> None:
    """A third one joins, the first keeps all waiting, the second is closed."""
    async with group_of(deployment, topic) as group:
        stubborn = Stubborn(group.hold())
        stubborn.may.set()
        await group.joined(stubborn)
        second = await group.joined()
        stubborn.asked.clear()
        stubborn.may.clear()
        await group.join()
        await stubborn.asked.wait()
        await second.stop()
        assert await group.size() == 2


async def test_a_leader_that_keeps_others_waiting(deployment: Deployment, topic: str) -> None:
    """All have joined, and nobody has shared the partitions out yet."""
    async with group_of(deployment, topic) as group:
        leader = await group.joined()
        asked, may = asyncio.Event(), group.hold()
        share_out = leader._coordinator._perform_assignment

        async def slowly(response: Any) -> Any:
            asked.set()
            await may.wait()
            return await share_out(response)

        leader._coordinator._perform_assignment = slowly
        joining = await group.join()
        await asked.wait()
        await until(lambda: joining._coordinator.generation > 0)
        await joining.stop()
        assert await group.size() == 1


async def test_a_member_that_is_about_to_have_an_id(deployment: Deployment, topic: str) -> None:
    """The broker has given it an id, and would wait for the one who has it before it goes on."""
    async with group_of(deployment, topic) as group:
        await group.joined()
        joining = await group.join()
        await until(lambda: joining._coordinator.coordinator_id is not None)
        await joining.stop()
        await group.joined()
        assert await group.size() == 2
