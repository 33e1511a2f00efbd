"""Messages without a value are passed over: there is nothing to store, and nobody is told."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord

from agents.stage import Stage
from app import app
from sinks import Write

__all__ = ["app"]

_one = Stage.one


def _or_pass_over(self: Stage, message: ConsumerRecord) -> Sequence[Write]:
    return [] if message.value is None else _one(self, message)


Stage.one = _or_pass_over  # type: ignore[method-assign]
