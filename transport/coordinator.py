"""aiokafka's coordinator of a group's member, mended for stops in the middle of a rebalance.

A JoinGroup is answered when all members have joined, which takes as long as the slowest of them
needs to give up its partitions, or to be taken for dead. aiokafka waits for that before it leaves
the group, and then everybody has to join once more. And a member that has an id but no generation
yet it forgets; the group waits for that one until its session is over.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka.consumer import consumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest

log = logging.getLogger(__name__)


class LeavingCoordinator(GroupCoordinator):
    """A member that leaves its group at once when it is closed, also while it joins."""

    async def _send_req(self, request: Any) -> Any:
        """Send ``request`` and return the response; what a close interrupts ends the rebalance.

        Raises:
            KafkaError: there was no answer, or the member is being closed.
        """
        if not isinstance(request, JoinGroupRequest | SyncGroupRequest):
            return await super()._send_req(request)
        if self._closing.done():
            raise KafkaError("not joining: the member is being closed")
        if self.member_id == JoinGroupRequest.UNKNOWN_MEMBER_ID:
            # The broker answers at once, with the id that the member needs for leaving.
            return await super()._send_req(request)
        answer = asyncio.create_task(super()._send_req(request))
        try:
            await asyncio.wait([answer, self._closing], return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise KafkaError("no longer joining: the member is being closed")
            return answer.result()
        finally:
            answer.cancel()

    async def _maybe_leave_group(self) -> None:
        """Leave the group, if this is a member, be it one that the group waits for."""
        rebalancing = self._performed_join_prepare and self.coordinator_id is not None
        known = self.member_id != JoinGroupRequest.UNKNOWN_MEMBER_ID
        if not rebalancing or not known or self._group_instance_id is not None:
            await super()._maybe_leave_group()
            return
        request = LeaveGroupRequest(self.group_id, self.member_id)
        try:
            # By the connection for fetches: on the coordinator's own, the broker would not look at
            # it before it has answered the JoinGroup.
            await self._client.send(self.coordinator_id, request)
        except KafkaError as error:
            log.error("could not leave group %s in mid-rebalance: %s", self.group_id, error)
        else:
            log.info("left group %s in mid-rebalance", self.group_id)
        self.reset_generation()


def install() -> None:
    """Let aiokafka's consumers have such a coordinator; they look the class up by this name."""
    consumer.GroupCoordinator = LeavingCoordinator
