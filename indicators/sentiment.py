"""How good or bad a text about finance sounds: VADER with a vocabulary and rules of finance."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from nltk.sentiment.vader import SentimentIntensityAnalyzer, VaderConstants

from indicators import finance_lexicon as lexicon
from indicators.finance_lexicon import (
    FILLER,
    NUMBER,
    PERCENT,
    STRENGTHS,
    TICKER,
    base_of,
    token_for,
)

THRESHOLD: Final = 0.2
"""From here a score counts as positive, and from its negative as negative."""

LEXICON_PACKAGE = "vaderSentiment"
LEXICON_FILE = "vader_lexicon.txt"

RATING_GOALS = {"sell": -2.0, "underweight": -2.0, "underperform": -2.0, "reduce": -2.0}
RATING_GOALS |= {"junk": -2.0, "buy": 2.0, "overweight": 2.0, "outperform": 2.0}
_URL = re.compile(r"(?:https?://|www\.)\S+")
_HANDLE = re.compile(r"(?<!\w)@\w+")
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[.\-][A-Za-z]{1,2})?(?!\w)")
_REPORTED = re.compile(
    r"(?<![\w.])\$?(-?\d{0,9}\.?\d{1,6})[a-z]?\s*(?:vs\.?|versus)\s*\$?(-?\d{0,9}\.?\d{1,6})[a-z]?"
    r"\s*(?:est|exp|cons|forecast)[a-z]*",
    re.IGNORECASE,
)
_MOVE = re.compile(r"(?<![\w.)])([+\-−])\s?\$?\d[\d.,]*\s?%")
_PERCENT = re.compile(
    r"(?:\d[\d.,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten))\s?"
    r"(?:%|per ?cent\b|bps\b|basis points?\b)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W\d_][\w'&]*|\d[\d.,]*\w*|[,;]|[.!?]+(?=\s|$)|\S")
_SENTENCE_END = re.compile(r"[.!?]+")


class _Analyzer(SentimentIntensityAnalyzer):  # type: ignore[misc, unused-ignore]
    """NLTK's analyser with the words of finance.

    NLTK loads lexicons from its data folders alone, and refuses other paths; so the file is read
    here.
    """

    def __init__(self, text: str, words: dict[str, float]) -> None:
        self.lexicon_file = text.rstrip("\n")
        valences: dict[str, float] = self.make_lex_dict() | words
        # In VADER's eyes a word of the lexicon, and be its valence 0, negates nothing.
        self.lexicon = {word: valence for word, valence in valences.items() if valence}
        self.constants = VaderConstants()

    def compound(self, text: str) -> float:
        """The score of a text that is tokens with spaces between them."""
        scores: dict[str, Any] = self.polarity_scores(text)
        return float(scores["compound"])


def lexicon_path() -> Path:
    """Where VADER's lexicon is.

    Raises:
        FileNotFoundError: The package vaderSentiment, which carries it, is not installed.
    """
    spec = find_spec(LEXICON_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        path = Path(folder) / LEXICON_FILE
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{LEXICON_FILE} of the package {LEXICON_PACKAGE} was not found: "
        f"install it, pip install {LEXICON_PACKAGE}"
    )


@cache
def _analyzer() -> _Analyzer:
    words = dict.fromkeys((*lexicon.NEUTRAL, "no"), 0.0) | lexicon.WORDS
    words |= {token_for(sign * size): sign * size for size in STRENGTHS for sign in (1, -1)}
    return _Analyzer(lexicon_path().read_text(encoding="utf-8"), words)


def _words(text: str) -> Iterator[str]:
    """The tokens of a text in lower case, with cashtags, numbers and emoji replaced."""
    text = unicodedata.normalize("NFKC", text.replace("’", "'").replace("‘", "'"))
    text = _HANDLE.sub(" ", _URL.sub(" ", text))
    text = _CASHTAG.sub(f" {TICKER} ", text)
    text = _REPORTED.sub(_surprise, text)
    text = _MOVE.sub(lambda m: f" {token_for(1.3 if m[1] == '+' else -1.3)} ", text)
    text = _PERCENT.sub(f" {PERCENT} ", text)
    tokens = _TOKEN.findall(text)
    letters = [token for token in tokens if token[0].isalpha() and len(token) > 1]
    capitals = sum(token.isupper() for token in letters)
    shouting = capitals > len(letters) / 2
    seen: dict[str, int] = {}
    for i, token in enumerate(tokens):
        if token in lexicon.EMOJI:
            # A row of rockets is one thought.
            seen[token] = seen.get(token, 0) + 1
            if seen[token] <= 2:
                yield token_for(lexicon.EMOJI[token])
        elif token[0].isdigit():
            yield NUMBER
        elif _is_ticker(token, tokens[i - 1] if i else "") and not shouting:
            yield TICKER
        elif token[0].isalpha() or token in {",", ";"} or token[0] in ".!?":
            yield token.lower().removesuffix("'s") if token.lower() != "what's" else "what"


def _surprise(match: re.Match[str]) -> str:
    """What was reported, beside what was expected."""
    reported, expected = float(match[1]), float(match[2])
    if reported == expected:
        return " "
    return f" {token_for(1.8 if reported > expected else -1.8)} "


def _is_ticker(token: str, before: str) -> bool:
    """Whether a word in capitals, in a text that is not, is a symbol."""
    return (
        token.isascii()
        and token.isupper()
        and 2 <= len(token) <= 5
        and token.lower() not in lexicon.SHOUTED
        and before.lower() not in lexicon.BEFORE_WORDS
        and (
            token.lower() in _analyzer().lexicon
            or token.lower() in lexicon.NEUTRAL
            or base_of(token.lower()) in lexicon.DIRECTION
        )
    )


def _merge(words: list[str]) -> list[str]:
    """Phrases put together, the longest first; everything else as it was."""
    bases = [base_of(word) for word in words]
    merged: list[str] = []
    i = 0
    while i < len(words):
        most = lexicon.LONGEST if bases[i] in lexicon.FIRST_WORDS else 0
        for length in range(min(most, len(words) - i), 1, -1):
            token = lexicon.MERGED.get(tuple(bases[i : i + length]))
            if token is None:
                token = lexicon.MERGED.get(tuple(words[i : i + length]))
            if token is not None:
                merged.append(token)
                i += length
                break
        else:
            merged.append(words[i])
            i += 1
    return merged


def _find(bases: list[str], places: Iterable[int], stops: frozenset[str]) -> int | None:
    """The first place with a noun of which more is good or bad."""
    for place in places:
        word = bases[place]
        if word in stops or word[0] in ".!?":
            return None
        if word in lexicon.GOOD or word in lexicon.BAD:
            return place
    return None


class _Sentence:
    """One sentence on its way through the rules, each word with what it will be replaced by."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.bases = [base_of(word) for word in words]
        self.out = list(words)

    def apply(self) -> list[str]:
        """The tokens for VADER."""
        # First, so that "record low" is not taken for a record.
        for i in range(len(self.words)):
            self._level(i)
        for i in range(len(self.words)):
            if self.out[i] == self.words[i]:
                self._comparison(i)
            if self.out[i] == self.words[i]:
                self._direction(i)
            if self.out[i] == self.words[i]:
                self._deal(i)
        for i, word in enumerate(self.words):
            if self.out[i] == word and (word in lexicon.UNDONE or word == "no"):
                self.out[i] = "zbad8 not" if word in lexicon.UNDONE else "not"
            elif self.out[i] == word:
                self.out[i] = lexicon.ALONE.get(word, word)
        return self.out

    def _set(self, i: int, valence: float, noun: int | None = None) -> None:
        for place in self._compound(i, noun):
            self.out[place] = FILLER
        self.out[i] = token_for(valence)

    def _compound(self, i: int, noun: int | None) -> list[int]:
        """The nouns that stand around one: "share buyback", "fears of recession"."""
        if noun is None:
            return []
        nouns, bases = lexicon.NOUNS, self.bases
        # Four words each way at most, so that the time stays linear.
        last = noun
        while last < min(noun + 4, len(bases) - 1) and last + 1 != i and bases[last + 1] in nouns:
            last += 1
        first = noun
        while first > max(noun - 4, 0):
            step = 2 if bases[first - 1] == "of" and first > 1 else 1
            if i in {first - 1, first - step} or bases[first - step] not in nouns:
                break
            first -= step
        return list(range(first, last + 1))

    def _noun(self, i: int, ahead: int, back: int) -> int | None:
        """The noun a word of direction belongs to."""
        bases = self.bases
        after = range(i + 1, min(i + 1 + ahead, len(bases)))
        # "A drop in sales", but not "fell 3% in spite of sales".
        if "in" in bases[i + 2 : i + 1 + ahead]:
            after = range(i + 1, bases.index("in", i + 2))
        before = range(i - 1, max(i - 1 - back, -1), -1)
        if bases[i] in lexicon.TRANSITIVE or (i + 1 < len(bases) and bases[i + 1] in {"in", "of"}):
            noun = _find(bases, after, lexicon.OBJECT_ENDS)
            return noun if noun is not None else _find(bases, before, lexicon.BOUNDARIES)
        noun = _find(bases, before, lexicon.BOUNDARIES)
        return noun if noun is not None else _find(bases, after, lexicon.OBJECT_ENDS)

    def _sign(self, i: int, noun: int | None) -> int:
        """-1 where more of it is bad: of a loss forecast, and not of a debt rating."""
        bases = [self.bases[place] for place in self._compound(i, noun)]
        if not bases or bases[-1] in lexicon.OPINIONS:
            return 1
        return -1 if lexicon.BAD.intersection(bases) else 1

    def _level(self, i: int) -> None:
        """Highs and lows, and up or down with a number: "at a 52-week low", "down 3%"."""
        word = self.words[i]
        near = self.words[max(i - 1, 0) : i + 3]
        if word in {"high", "highs", "low", "lows"} and i and self.words[i - 1] in lexicon.PERIODS:
            sign = 1 if word.startswith("high") else -1
            self.out[i - 1] = FILLER
        elif word in {"up", "down"} and (
            any(one in {NUMBER, PERCENT, "sharply", "big", "premarket", "on"} for one in near)
        ):
            sign = 1 if word == "up" else -1
        else:
            return
        noun = _find(self.bases, range(i - 1, max(i - 7, -1), -1), lexicon.BOUNDARIES)
        self._set(i, 1.6 * sign * self._sign(i, noun), noun)

    def _comparison(self, i: int) -> None:
        """Results beside expectations: "tops estimates", "fell short of consensus"."""
        base = self.bases[i]
        if base not in lexicon.ABOVE and base not in lexicon.BELOW:
            return
        sign = 1 if base in lexicon.ABOVE else -1
        alone = lexicon.ABOVE.get(base, lexicon.BELOW.get(base, 0.0))
        expected = None
        for place in range(i + 1, min(i + 6, len(self.bases))):
            if self.bases[place] in lexicon.BOUNDARIES:
                break
            if self.bases[place] in lexicon.EXPECTED:
                expected = place
                break
        noun = _find(self.bases, range(i - 1, max(i - 6, -1), -1), lexicon.BOUNDARIES)
        if expected is not None:
            self._set(i, 2.0 * sign * self._sign(i, noun), noun)
            self.out[expected] = FILLER
        elif alone:
            self._set(i, alone)

    def _direction(self, i: int) -> None:
        """More or less of something: "losses narrow", "cuts guidance", "rising costs"."""
        if self.bases[i] not in lexicon.DIRECTION or self.words[max(i - 1, 0)] == "better":
            return
        sign, alone, beside = lexicon.DIRECTION[self.bases[i]]
        noun = self._noun(i, ahead=6 if self.bases[i] in lexicon.TRANSITIVE else 3, back=6)
        if self.bases[i] == "contract" and (noun is None or noun < i - 1):
            return
        if self.bases[i] in lexicon.REMOVERS:
            bad = noun is not None and self._sign(i, noun) < 0
            if noun is not None and (bad or self.bases[i] == "clear"):
                self._set(i, 1.6, noun)
            return
        if self.bases[i] == "lift" and noun is not None and self.bases[noun] in lexicon.IMPOSED:
            self._set(i, 1.6, noun)
            return
        if noun is not None:
            self._set(i, beside * sign * self._sign(i, noun), noun)
            return
        goals = self.words[i + 1 : i + 6]
        goal = next((goals[k + 1] for k, w in enumerate(goals[:-1]) if w in {"to", "at"}), "")
        own = _analyzer().lexicon.get(self.words[i], 0.0)
        if goal in RATING_GOALS:
            self._set(i, RATING_GOALS[goal])
        elif alone:
            self._set(i, alone * sign)
        else:
            # Nothing to weigh it with: what the lexicon says of adjectives, no more.
            self.out[i] = self.words[i] if own else FILLER

    def _deal(self, i: int) -> None:
        """Buying and selling parts of a company, or a deal to come, is no opinion."""
        if self.words[i] in lexicon.DEALS and (
            (i and self.words[i - 1] == "to")
            or lexicon.DEALT_IN.intersection(self.words[i + 1 : i + 5])
        ):
            self.out[i] = FILLER


def _tokens(text: str) -> Iterator[str]:
    """What VADER is given in place of the text."""
    sentence: list[str] = []
    for word in [*_words(text), "."]:
        if not _SENTENCE_END.fullmatch(word):
            sentence.append(word)
            continue
        # Who asks how a stop loss works has no opinion.
        if sentence and not ("?" in word and sentence[0] in lexicon.QUESTION_WORDS):
            yield from _Sentence(_merge(sentence)).apply()
        sentence = []


def score(text: str) -> float:
    """How good (up to 1) or bad (down to -1) a headline or a post sounds to an investor.

    Source: VADER (Hutto and Gilbert, 2014) as NLTK has it, its lexicon extended by
    `indicators.finance_lexicon`, after rules that weigh words of direction with what they are
    said of. docs/sentiment.md has the method and how often it is right.

    Args:
        text: Any text. Cashtags, links and names of users say nothing; capitals neither.

    Returns:
        -1 to 1; 0.0 for a text without opinion, an empty one included. The same text always has
        the same score. See `label` for what counts as positive.

    Raises:
        FileNotFoundError: The lexicon is not installed, see `lexicon_path`. No text raises.

    Examples:
        >>> score("Profit falls as costs rise") < 0 < score("Losses narrow as costs fall")
        True
        >>> score("$GAIN to hold its annual meeting")
        0.0
    """
    tokens = " ".join(_tokens(text))
    return _analyzer().compound(tokens) if tokens else 0.0


def label(value: float) -> str:
    """The word for a score: "positive" from `THRESHOLD`, "negative" from minus it, or "neutral".

    >>> label(0.6), label(0.0), label(-0.6)
    ('positive', 'neutral', 'negative')
    """
    if value >= THRESHOLD:
        return "positive"
    return "negative" if value <= -THRESHOLD else "neutral"
