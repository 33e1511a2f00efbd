"""Any order of fetches, acknowledgements, seeks and revocations: what may be committed is exactly
the end of the longest run of batches done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from faust.types import TP
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from transport.offsets import Offsets

PLACES = [TP("a", 0), TP("a", 1), TP("b", 0)]
places = st.sampled_from(PLACES)


def records(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in offsets]


class Model:
    """One partition, said in the plainest way: all batches since the last seek, and their fate."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.batches: list[tuple[int, bool]] = []
        self.committed = -1

    def run(self) -> int | None:
        """The end of the longest run of batches done."""
        end = None
        for batch, done in self.batches:
            if not done:
                break
            end = batch
        return end


class Deliveries(RuleBasedStateMachine):
    """Offsets beside the model, under any sequence of events."""

    @initialize()
    def begin(self) -> None:
        self.offsets = Offsets()
        self.models = {place: Model() for place in PLACES}
        #: Batches that became void: their agents may still say done.
        self.void: list[tuple[TP, int]] = []

    @rule(place=places, gaps=st.lists(st.integers(1, 9), min_size=1, max_size=4))
    def fetch(self, place: TP, gaps: list[int]) -> None:
        """Records come, with gaps between their offsets, and some that came before."""
        model = self.models[place]
        position = self.offsets.position(place)
        before = position or 0
        found = []
        offset = before - 2
        for gap in [1, *gaps]:
            offset += gap
            found.append(offset)
        fresh = [one.offset for one in self.offsets.fresh(place, records(*found))]
        assert fresh == [offset for offset in found if offset >= before]
        if fresh:
            end = fresh[-1] + 1
            self.offsets.delivered(place, end)
            model.batches.append((end, False))

    @rule(place=places, data=st.data())
    def acknowledge(self, place: TP, data: st.DataObject) -> None:
        """An agent is done with any of the batches, in any order, or once more."""
        model = self.models[place]
        if model.batches:
            number = data.draw(st.integers(0, len(model.batches) - 1))
            end = model.batches[number][0]
            self.offsets.done(place, end)
            model.batches[number] = (end, True)

    @precondition(lambda self: self.void)
    @rule(data=st.data())
    def acknowledge_late(self, data: st.DataObject) -> None:
        """One that is void is as if it had never been, unless its place was delivered again."""
        place, end = data.draw(st.sampled_from(self.void))
        if all(batch != end for batch, _ in self.models[place].batches):
            self.offsets.done(place, end)

    @rule()
    def commit(self) -> None:
        """The broker takes what may be committed."""
        found = self.offsets.uncommitted()
        self.offsets.committed(found)
        for place, end in found.items():
            self.models[place].committed = end
        assert self.offsets.uncommitted() == {}

    @rule()
    def revoke(self) -> None:
        """A new epoch: everything is void."""
        self.offsets.void()
        for place in PLACES:
            self._forget(place)

    @rule(place=places)
    def seek(self, place: TP) -> None:
        """Back to what is committed, or to the first record there is."""
        model = self.models[place]
        committed = model.committed >= 0
        offset = model.committed if committed else 0
        self.offsets.seek(place, offset, committed=committed)
        self._forget(place)
        assert self.offsets.position(place) == offset

    @rule(kept=st.sets(places))
    def lose(self, kept: set[TP]) -> None:
        """Partitions go to another worker; with them what was known of them."""
        self.offsets.void()
        self.offsets.keep_only(kept)
        for place in PLACES:
            self._forget(place)
            if place not in kept:
                self.models[place] = Model()

    def _forget(self, place: TP) -> None:
        model = self.models[place]
        self.void += [(place, end) for end, _ in model.batches]
        model.batches.clear()

    @invariant()
    def commits_exactly_the_longest_run(self) -> None:
        expected = {
            place: end
            for place, model in self.models.items()
            if (end := model.run()) is not None and end > model.committed
        }
        assert self.offsets.uncommitted() == expected

    @invariant()
    def counts_what_is_outstanding(self) -> None:
        for topic in ("a", "b"):
            open_batches = sum(
                not done
                for place, model in self.models.items()
                if place.topic == topic
                for _, done in model.batches
            )
            assert self.offsets.outstanding[topic] == open_batches


Deliveries.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestDeliveries = Deliveries.TestCase


def test_a_void_batch_does_not_count() -> None:
    offsets = Offsets()
    offsets.delivered(PLACES[0], 5)
    offsets.void()
    offsets.done(PLACES[0], 5)
    assert offsets.uncommitted() == {}
    assert offsets.outstanding["a"] == 0
