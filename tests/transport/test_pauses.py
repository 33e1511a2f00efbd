"""How long a consumer waits for its next checkpoint."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faust.types import TP

from transport import consumer as module
from transport.consumer import IDLE_S, BatchingConsumer

BEGAN = 1_000.0
PLACE = TP("stock-prices", 0)


class Waiting:
    """A consumer's part in a pause, on a clock that only its sleeps move."""

    _pause = BatchingConsumer._pause

    def __init__(self, last_batch: float, caught_up: Callable[[TP], bool], behind: bool) -> None:
        self.now = BEGAN
        self.slept: list[float] = []
        self.should_stop = False
        self.offsets = [PLACE]
        self.caught_up = caught_up
        self._last_batch = last_batch
        self._behind = behind
        self._delivered_at = min(last_batch, BEGAN)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self._delivered_at = min(self._last_batch, self.now)


Make = Callable[..., Waiting]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a consumer that waits, by whose clock the module goes."""

    def make(
        last_batch: float,
        *,
        caught_up: Callable[[TP], bool] = lambda _: True,
        behind: bool = False,
    ) -> Waiting:
        made = Waiting(last_batch, caught_up, behind)
        monkeypatch.setattr(module, "time", made)
        return made

    return make


async def pause(consumer: Waiting, least_s: float, most_s: float) -> float:
    """Return how long the consumer waits, in seconds of its own clock."""
    await consumer._pause(least_s, most_s)  # type: ignore[misc]
    return consumer.now - BEGAN


@pytest.mark.parametrize(
    ("behind", "last_batch", "expected", "still"),
    [
        # Nothing comes: at the interval.
        (False, BEGAN - 60, 1.0, False),
        # A few messages, now and then: the same.
        (False, BEGAN + 0.3, 1.0, False),
        # A backlog comes to its end: at once, as somebody waits for that.
        (True, BEGAN + 0.3, 0.3 + IDLE_S, False),
        # There is work to do all the time: at the longer pause; the backlog goes on.
        (True, BEGAN + 60, 4.0, True),
        (False, BEGAN + 60, 4.0, False),
        # It ends between the two.
        (False, BEGAN + 2.5, 2.5 + IDLE_S, False),
    ],
)
async def test_when_the_next_checkpoint_is_due(
    waiting: Make, behind: bool, last_batch: float, expected: float, still: bool
) -> None:
    consumer = waiting(last_batch, behind=behind)
    assert await pause(consumer, 1.0, 4.0) == pytest.approx(expected, abs=2 * IDLE_S)
    assert consumer._behind is still


async def test_what_is_not_worked_through_is_work(waiting: Make) -> None:
    def caught_up(_: TP) -> bool:
        return consumer.now > BEGAN + 1.5

    consumer = waiting(BEGAN - 1, caught_up=caught_up, behind=True)
    assert await pause(consumer, 1.0, 4.0) == pytest.approx(1.5, abs=2 * IDLE_S)


@pytest.mark.parametrize("behind", [True, False])
async def test_the_longer_pause_ends_only_where_nothing_is_left_to_read(
    waiting: Make, behind: bool
) -> None:
    """A fetch may bring nothing for a while although the brokers have more."""
    looks: list[TP] = []

    def caught_up(tp: TP) -> bool:
        looks.append(tp)
        return not behind or len(looks) > 3

    await pause(waiting(0.0, caught_up=caught_up), 0.0, 60.0)
    assert len(looks) == (4 if behind else 1)


async def test_it_rests_also_where_a_checkpoint_took_longer_than_the_interval(
    waiting: Make,
) -> None:
    """Nothing is to be saved and no pause is left: the loop must leave room for others."""
    consumer = waiting(BEGAN - 60)
    await pause(consumer, 0.0, 0.5)
    assert consumer.slept == [IDLE_S]
