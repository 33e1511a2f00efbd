"""The vocabulary of `indicators.sentiment`: what words, phrases and emoji mean to an investor.

It stands in data/finance_lexicon.tsv; here it is read and inflected, so that rules see base forms.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

FILE = Path(__file__).parent / "data" / "finance_lexicon.tsv"

FILLER: Final = "zz"
"""What a word becomes that says nothing any more."""
NUMBER: Final = "znumber"
PERCENT: Final = "zpercent"
TICKER: Final = "zticker"

STRENGTHS: Final = (0.8, 1.0, 1.3, 1.6, 1.8, 2.0, 2.4, 2.8)
"""The valences that rules can give."""


def token_for(valence: float) -> str:
    """The made-up word that has, nearly, this valence; the filler for 0."""
    if not valence:
        return FILLER
    nearest = min(STRENGTHS, key=lambda strength: abs(strength - abs(valence)))
    return f"z{'good' if valence > 0 else 'bad'}{round(nearest * 10)}"


def _read() -> dict[str, list[tuple[str, str]]]:
    """The lines of the file by table, each a value and its members."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            table, value, members = line.split("\t")
            tables.setdefault(table, []).append((value, members))
    return tables


_TABLES: Final = _read()


def _all(table: str) -> list[str]:
    return [word for _, members in _TABLES[table] for word in members.split()]


def _valued(table: str) -> dict[str, float]:
    return {word: float(value) for value, words in _TABLES[table] for word in words.split()}


WORDS: Final = _valued("word")
NEUTRAL: Final = frozenset(_all("neutral"))
EMOJI: Final = _valued("emoji")
PHRASES: Final = {
    phrase: float(value) for value, line in _TABLES["phrase"] for phrase in line.split("|")
}
GOOD: Final = frozenset(_all("more_is_good")) | {TICKER}
BAD: Final = frozenset(_all("more_is_bad"))
NOUNS: Final = GOOD | BAD
TRANSITIVE: Final = frozenset(_all("transitive"))
REMOVERS: Final = frozenset(_all("remover"))
IMPOSED: Final = frozenset(_all("imposed"))
OPINIONS: Final = frozenset(_all("opinion"))
ABOVE: Final = _valued("above")
BELOW: Final = _valued("below")
EXPECTED: Final = frozenset(_all("expected"))
UNDONE: Final = frozenset(_all("undone"))
BOUNDARIES: Final = frozenset(_all("boundary"))
OBJECT_ENDS: Final = BOUNDARIES | frozenset(_all("object_end"))
QUESTION_WORDS: Final = frozenset(_all("question"))
BEFORE_WORDS: Final = frozenset(_all("before_word"))
SHOUTED: Final = frozenset(_all("shouted"))
DEALS: Final = frozenset(_all("deal"))
DEALT_IN: Final = frozenset(_all("dealt_in"))
PERIODS: Final = frozenset(_all("period"))

DIRECTION: Final = {
    word.removesuffix("+"): (sign, *map(float, values.split()))
    for table, sign in (("up", 1.0), ("down", -1.0))
    for values, words in _TABLES[table]
    for word in words.split()
}
"""Words of direction: 1 or -1, the valence alone, the valence beside a noun."""

_IRREGULAR: Final = dict(_TABLES["irregular"])


def verb_forms(base: str) -> Iterator[str]:
    """A verb and its inflected forms; of several words the first is inflected."""
    word, underscore, rest = base.removesuffix("+").partition("_")
    tail = underscore + rest
    ends_in_consonant_and_y = word.endswith("y") and word[-2:-1] not in "aeiou"
    yield word + tail
    if ends_in_consonant_and_y:
        yield f"{word[:-1]}ies{tail}"
    else:
        yield word + ("es" if word.endswith(("s", "sh", "ch", "x", "z")) else "s") + tail
    known = _IRREGULAR.get(word + tail) or _IRREGULAR.get(word)
    if known is not None:
        yield from (form if form.endswith(tail) else form + tail for form in known.split())
        return
    stem = word + word[-1] if base.endswith("+") else word
    silent_e = stem.endswith("e")
    if ends_in_consonant_and_y:
        yield f"{stem[:-1]}ied{tail}"
    else:
        yield f"{stem}{'d' if silent_e else 'ed'}{tail}"
    yield (stem[:-1] if silent_e else stem) + "ing" + tail


def noun_forms(base: str) -> Iterator[str]:
    """A noun and its plural."""
    yield base
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        yield f"{base[:-1]}ies"
    else:
        yield base + ("es" if base.endswith(("s", "sh", "ch", "x")) else "s")


def _lemmas() -> dict[str, str]:
    """Inflected forms of verbs and nouns, each with its base."""
    bases: dict[str, str] = {}
    nouns = _all("more_is_good") + _all("more_is_bad")
    # Parts of a name of several words are inflected, too: bad loans.
    nouns += [part for noun in nouns for part in noun.split("_")]
    nouns += _all("phrase_noun") + _all("expected")
    for noun in nouns:
        for form in noun_forms(noun):
            bases.setdefault(form, noun)
    verbs = _all("up") + _all("down") + list(_IRREGULAR) + _all("phrase_verb")
    for verb in verbs + list(ABOVE) + list(BELOW):
        for form in verb_forms(verb):
            bases.setdefault(form, verb.removesuffix("+"))
            # Phrases are looked up word by word: picks, up.
            bases.setdefault(form.partition("_")[0], verb.removesuffix("+").partition("_")[0])
    return bases


_LEMMAS: Final = _lemmas()


def base_of(word: str) -> str:
    """The base form of a word in lower case, or the word itself."""
    return _LEMMAS.get(word, word)


def _merged() -> dict[tuple[str, ...], str]:
    """Phrases and names of several words, in base forms, each with what takes its place."""
    table: dict[tuple[str, ...], str] = {}
    for name in (*sorted(NOUNS), *DIRECTION, *sorted(UNDONE), *ABOVE, *BELOW):
        if "_" in name:
            table[tuple(base_of(part) for part in name.split("_"))] = name
    for phrase, valence in PHRASES.items():
        parts = (NUMBER if part.isdigit() else base_of(part) for part in phrase.split())
        table.setdefault(tuple(parts), token_for(valence))
    return table


MERGED: Final = _merged()
FIRST_WORDS: Final = frozenset(key[0] for key in MERGED)
LONGEST: Final = max(map(len, MERGED))

ALONE: Final = {
    phrase.replace(" ", "_"): token_for(valence)
    for phrase, valence in PHRASES.items()
    if phrase.replace(" ", "_") in NOUNS | set(DIRECTION)
}
"""What a noun of several words says where no rule has weighed it."""
