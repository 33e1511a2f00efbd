"""How often the judgement of a text is right, and how many texts it judges in a second.

python -m benchmarks.sentiment --texts 5000
"""

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from nltk.sentiment.vader import SentimentIntensityAnalyzer, VaderConstants
from rich.console import Console
from rich.table import Table

from indicators.sentiment import label, lexicon_path, score

DATA = Path(__file__).parent.parent / "tests" / "data" / "sentiment.csv"
LABELS = ("positive", "neutral", "negative")
SPLITS = ("tune", "held_out")
VADER_THRESHOLD = 0.05
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what it should be called."""

    text: str
    label: str
    kind: str
    split: str


class PlainVader(SentimentIntensityAnalyzer):
    """NLTK's analyser with the same lexicon file, and nothing of ours."""

    def __init__(self) -> None:
        self.lexicon_file = lexicon_path().read_text(encoding="utf-8").rstrip("\n")
        self.lexicon = self.make_lex_dict()
        self.constants = VaderConstants()

    def label(self, text: str) -> str:
        """The word for a text, by the thresholds that VADER's authors recommend."""
        compound = float(self.polarity_scores(text)["compound"])
        if compound >= VADER_THRESHOLD:
            return "positive"
        return "negative" if compound <= -VADER_THRESHOLD else "neutral"


def labelled() -> list[Labelled]:
    """The labelled texts of both splits."""
    with DATA.open(encoding="utf-8", newline="") as file:
        return [Labelled(**row) for row in csv.DictReader(file)]


def ours(text: str) -> str:
    """The word for a text by `indicators.sentiment`."""
    return label(score(text))


def confusion(judge: Callable[[str], str], texts: Sequence[Labelled]) -> Counter[tuple[str, str]]:
    """How many texts have a label and are given another, or the same."""
    return Counter((one.label, judge(one.text)) for one in texts)


def accuracy(counts: Counter[tuple[str, str]]) -> float:
    """The share on the diagonal, 0 to 1."""
    return sum(counts[name, name] for name in LABELS) / counts.total()


def per_second(judge: Callable[[str], str], texts: Sequence[str]) -> float:
    """Texts judged in a second: the best of a few runs."""
    judge("warm")
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        for text in texts:
            judge(text)
        times.append(perf_counter() - start)
    return len(texts) / min(times)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sentiment", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--texts", type=int, default=5000, help="texts to time (default 5000)")
    count = parser.parse_args().texts
    if count < 1:
        parser.error("--texts must be at least 1")
    texts = labelled()
    judges = {"sentiment": ours, "plain VADER": PlainVader().label}
    console = Console()
    for split in SPLITS:
        chosen = [one for one in texts if one.split == split]
        table = Table(
            "method", "label", *(f"as {name}" for name in LABELS), "accuracy", title=split
        )
        for method, judge in judges.items():
            counts = confusion(judge, chosen)
            for name in LABELS:
                cells = (str(counts[name, given]) for given in LABELS)
                table.add_row(method, name, *cells, f"{accuracy(counts):.1%}")
        console.print(table)
    timed = list(islice(cycle(one.text for one in texts), count))
    table = Table("method", "texts per second", title=f"{count} texts")
    for method, judge in judges.items():
        table.add_row(method, f"{per_second(judge, timed):,.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
