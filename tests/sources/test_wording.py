"""The words of simulated texts: many, filled, and of the mood that they are meant to have."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest

from indicators.sentiment import label, score
from sources.wording import Mood, Subject, phrase, wording

PIECES: dict[str, tuple[str, ...]] = {
    "news": ("title",),
    "twitter": ("text",),
    "reddit": ("title", "text"),
}
MOODS: dict[Mood, str] = {"bullish": "positive", "bearish": "negative", "neutral": "neutral"}
PLACES = [
    pytest.param(place, mood, piece, id=f"{place}-{mood}-{piece}")
    for place, pieces in PIECES.items()
    for mood, piece in product(MOODS, pieces)
]


class Nth(random.Random):
    """Draws the template of that number, and all else at random."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(seed)
        self._number: int | None = number

    def choice(self, seq):  # type: ignore[no-untyped-def]
        """Return the chosen template the first time."""
        number, self._number = self._number, None
        return super().choice(seq) if number is None else seq[number]


def samples(place: str, mood: Mood, piece: str) -> Iterator[str]:
    """Every template, each filled in some ways."""
    subjects = [Subject("AAPL", 540.0), Subject("GE", 8.4), Subject("ANY-1", 87.2)]
    for number in range(len(wording()[place][mood][piece])):
        for seed in range(12):
            yield phrase(place, mood, piece, subjects[seed % 3], Nth(number, seed))


@pytest.mark.parametrize(("place", "mood", "piece"), PLACES)
def test_every_text_sounds_as_it_is_meant(place: str, mood: Mood, piece: str) -> None:
    wrong = {
        text: score(text)
        for text in samples(place, mood, piece)
        if label(score(text)) != MOODS[mood]
    }
    assert wrong == {}


@pytest.mark.parametrize(("place", "mood", "piece"), PLACES)
def test_no_blank_is_left(place: str, mood: Mood, piece: str) -> None:
    for text in samples(place, mood, piece):
        assert not set("{}") & set(text)
        assert "  " not in text
        assert text == text.strip()


@pytest.mark.parametrize("place", PIECES)
def test_what_is_said_besides_does_not_turn_a_text_round(place: str) -> None:
    """Summaries, tails and emoji may be weak, never the opposite."""
    for mood, sign in (("bullish", 1), ("bearish", -1)):
        pieces = wording()[place][mood].keys() - set(PIECES[place])
        for piece in pieces:
            for text in filter(None, samples(place, mood, piece)):  # type: ignore[arg-type]
                assert score(text) * sign > -0.05, text


def test_every_part_is_used() -> None:
    """And none is missing: `phrase` would raise."""
    templates = " ".join(
        template
        for place in PIECES
        for mood in MOODS
        for piece in wording()[place][mood].values()
        for template in piece
    )
    unused = {name for name in wording()["parts"] if f"{{{name}}}" not in templates}
    assert unused == {"publisher"}  # which the newsroom draws itself
