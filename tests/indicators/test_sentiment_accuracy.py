"""How often the judgement is right: recomputed, and compared with what the document says."""

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.sentiment import (
    LABELS,
    SPLITS,
    Labelled,
    PlainVader,
    accuracy,
    confusion,
    labelled,
    ours,
)
from indicators.sentiment import THRESHOLD

DOCUMENT = Path(__file__).parents[2] / "docs" / "sentiment.md"

TEXTS = labelled()
JUDGES = {"sentiment": ours, "plain VADER": PlainVader().label}


def of(split: str) -> list[Labelled]:
    return [one for one in TEXTS if one.split == split]


@pytest.fixture(scope="module")
def document() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def counts() -> dict[tuple[str, str], Counter[tuple[str, str]]]:
    return {(m, s): confusion(judge, of(s)) for m, judge in JUDGES.items() for s in SPLITS}


def test_the_labelled_texts_are_balanced() -> None:
    assert len(TEXTS) >= 260
    assert len({one.text for one in TEXTS}) == len(TEXTS)
    assert {one.kind for one in TEXTS} == {"headline", "tweet", "reddit"}
    assert len(of("held_out")) >= 100
    for split in SPLITS:
        assert len({Counter(one.label for one in of(split))[name] for name in LABELS}) == 1


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("method", JUDGES)
def test_the_document_has_the_measured_numbers(
    method: str,
    split: str,
    document: str,
    counts: dict[tuple[str, str], Counter[tuple[str, str]]],
) -> None:
    measured = counts[method, split]
    assert f"| {method} | {split} | {measured.total()} | {accuracy(measured):.1%} |" in document
    for name in LABELS:
        cells = " | ".join(str(measured[name, given]) for given in LABELS)
        assert f"| {method} | {split} | {name} | {cells} |" in document


def test_the_document_has_the_threshold(document: str) -> None:
    assert re.search(rf"positive from {THRESHOLD}\b", document)


def test_better_than_plain_vader_by_15_points(
    counts: dict[tuple[str, str], Counter[tuple[str, str]]],
) -> None:
    split = "held_out"
    gain = accuracy(counts["sentiment", split]) - accuracy(counts["plain VADER", split])
    assert gain >= 0.15
