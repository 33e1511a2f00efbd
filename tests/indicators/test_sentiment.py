"""What the judgement of texts promises, rule by rule, and for any text at all."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indicators import finance_lexicon, sentiment
from indicators.sentiment import THRESHOLD, label, lexicon_path, score

# None of these is in the labelled texts.
POSITIVE = {
    "less of what is bad": ["Costs fell sharply", "Unemployment drops", "Firm narrows its losses"],
    "more of what is good": ["Margins expand", "Studio raises guidance", "A jump in new orders"],
    "compared": ["Results exceed consensus", "Sales above expectations"],
    "numbers": ["EPS 1.20 vs 1.05 est", "$CAT +4.5% today"],
    "phrases": ["A short squeeze is coming", "Price target raised to 90", "Index at all-time high"],
    "undone": ["Judge dismisses lawsuit", "Union ends strike", "Lender averts default"],
    "emoji": ["$CAT 🚀", "$CAT 📈"],
    "emoji with modifiers": ["$CAT 💪🏽"],
    "negated": ["No recession this year", "Not bearish at all on this"],
    "level": ["Shares at 52-week high", "Jobless claims at record low"],
    "rating": ["Broker raises shares to overweight"],
}
NEGATIVE = {
    "more of what is bad": ["Costs rose sharply", "Unemployment climbs", "Losses widen"],
    "less of what is good": ["Margins contract", "Studio cuts guidance", "A drop in new orders"],
    "compared": ["Results miss consensus", "Inflation tops expectations", "Sales below estimates"],
    "numbers": ["EPS 0.95 vs 1.05 est", "$CAT -4.5% today"],
    "phrases": ["Price target cut to 60", "Company files for chapter 11", "Going concern doubt"],
    "undone": ["Fails to beat", "Bank suspends dividend", "Regulator blocks merger"],
    "emoji": ["$CAT 💀", "$CAT 📉🐻"],
    "negated": ["Not a buy", "This isn't bullish"],
    "level": ["Shares at 52-week low", "Jobless claims at record high"],
    "rating": ["Broker lowers shares to underweight"],
}
NEUTRAL = {
    "words of finance": [
        "Gross debt, crude and tax liabilities per share",
        "Vice president of securities",
    ],
    "phrases": ["Short interest is published twice a month", "Conference call at 5pm"],
    "cashtags": ["$GAIN", "$LOVE and $HOPE", "$FUN.A at 12.40"],
    "symbols": ["LOVE reports on Monday", "Watching CARE and GAIN today"],
    "questions": ["How does a short squeeze work?", "Is there a list of dividend cuts?"],
    "links and names": ["@winner https://example.com/great/win"],
    "dealing": ["Fund sells its stake in a hotel", "Group to buy a rival"],
    "nothing": ["", " ", "\n", "...", "$", "1234"],
}


def cases(table: dict[str, list[str]]) -> list[object]:
    return [pytest.param(text, id=f"{rule}: {text}") for rule in table for text in table[rule]]


@pytest.mark.parametrize("text", cases(POSITIVE))
def test_positive(text: str) -> None:
    assert label(score(text)) == "positive"


@pytest.mark.parametrize("text", cases(NEGATIVE))
def test_negative(text: str) -> None:
    assert label(score(text)) == "negative"


@pytest.mark.parametrize("text", cases(NEUTRAL))
def test_neutral(text: str) -> None:
    assert label(score(text)) == "neutral"


@pytest.mark.parametrize("text", ["profit falls as costs rise", "bank raises dividend again"])
def test_headlines_in_capitals_do_not_shout(text: str) -> None:
    assert score(text) == score(text.upper()) == score(text.title())


def test_a_cashtag_is_no_word() -> None:
    assert score("$LOVE beats estimates") == score("$XYZ beats estimates")


def test_a_row_of_emoji_is_one_thought() -> None:
    assert score("🚀🚀") == score("🚀" * 50)


@settings(max_examples=300)
@given(st.text() | st.text(st.characters(), max_size=40))
def test_any_text_has_a_score(text: str) -> None:
    first = score(text)
    assert -1.0 <= first <= 1.0
    assert score(text) == first


WORDS = sorted(finance_lexicon.NOUNS | set(finance_lexicon.DIRECTION) | set(",;.?!$+-%"))


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS) | st.sampled_from(["no", "5%", "vs", "in", "of"])))
def test_any_row_of_words_that_rules_know_has_a_score(words: list[str]) -> None:
    assert -1.0 <= score(" ".join(words).replace("_", " ")) <= 1.0


def test_halves_of_characters_and_long_texts_are_accepted() -> None:
    assert score("\ud83d profit \udc00 falls \x00") < 0
    assert -1.0 <= score("stock of " * 20_000) <= 1.0


def test_threads_agree() -> None:
    texts = [text for table in (POSITIVE, NEGATIVE) for rule in table.values() for text in rule]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(score, texts * 5)) == [score(text) for text in texts] * 5


def test_thresholds_belong_to_the_labels() -> None:
    assert label(THRESHOLD) == "positive"
    assert label(-THRESHOLD) == "negative"
    assert label(0.99 * THRESHOLD) == label(-0.99 * THRESHOLD) == "neutral"


def test_a_missing_lexicon_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentiment, "LEXICON_PACKAGE", "no_such_package")
    with pytest.raises(FileNotFoundError, match="pip install no_such_package"):
        lexicon_path()
    assert "no_such_package" not in sys.modules


def test_the_vocabulary_is_well_formed() -> None:
    assert len(finance_lexicon.WORDS) > 300
    assert all(0 < abs(value) <= 4 for value in finance_lexicon.WORDS.values())
    assert not finance_lexicon.GOOD & finance_lexicon.BAD
    for words in (finance_lexicon.TRANSITIVE, finance_lexicon.REMOVERS):
        assert words - set(finance_lexicon.DIRECTION) <= {"record", "win"} | finance_lexicon.NOUNS


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("drop+", {"drop", "drops", "dropped", "dropping"}),
        ("raise", {"raise", "raises", "raised", "raising"}),
        ("rally", {"rally", "rallies", "rallied", "rallying"}),
        ("fall", {"fall", "falls", "fell", "fallen", "falling"}),
        ("pick_up", {"pick_up", "picks_up", "picked_up", "picking_up"}),
        ("crash", {"crash", "crashes", "crashed", "crashing"}),
    ],
)
def test_verbs_are_inflected(verb: str, forms: set[str]) -> None:
    assert set(finance_lexicon.verb_forms(verb)) == forms
