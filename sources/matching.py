"""Which tickers a text is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z^][\w.\-^=]*)")
_LISTED = re.compile(
    r"\b(?:NASDAQ|Nasdaq|NYSE|AMEX|NYSEARCA|NYSEAMERICAN|OTC|TSX|LSE)\s?:\s?([A-Za-z][\w.\-]*)"
)
_BARE = re.compile(r"(?<![\w$.&-])[A-Z][A-Z0-9]*(?:[.\-][A-Z]{1,2})?(?![\w&])")

#: What ends a company's name without being what people call it.
_SUFFIX = re.compile(
    r"[,\s]+(?:inc|incorporated|corp|corporation|company|& co|co|ltd|limited|plc|s\.?a|n\.?v|ag|se|"
    r"llc|l\.?p|holdings?|group|class [a-c]|common stock|ordinary shares|\(the\)|adr)\.?$",
    re.IGNORECASE,
)
#: After a name that is a word as well, this makes it a company's.
_FIRM = r",?\s+(?:Inc|Corp|Corporation|Company|Co|Ltd|PLC|plc|Holdings?|Group|INC|CORP)\b"

#: Tickers that headlines use as words or abbreviations: the bare letters say nothing.
_WORD_TICKERS = """
    ALL AND ANY API APP ARE ART ASK BAR BEST BIG BILL BIT BOND BUY CALL CAN CAR CARS CASH CEO
    CFO CIO COO COST CPI CTO CUT DAY DEBT DNA DOW EAT ECB EPS ESG ETF FAST FDA FED FOR FTC FUN
    FUND GAP GDP GOLD GOOD GROW HAS HERE HOLD HOPE ICE IMF IPO IRA IRS JOB JOBS KEY LAND LIFE
    LIKE LINE LOVE LOW MAIN MAN MIND NEW NEWS NEXT NICE NOT NOTE NOW NYSE OIL OLD ONE OPEC
    OPEN OUT PAY PEAK PLAN PLAY PLUS POST PPI RARE REAL RIDE RISK ROAD ROCK RUN SAFE SAVE SEC
    SEE SELL SHOP SKY SPOT STAY STEP SUN TALK TEAM TECH THE TOP TOWN TRUE TURN TWO USA USD
    VERY WALL WANT WAR WELL WIN WORK YOU YTD
"""
_WORDS = frozenset(_WORD_TICKERS.split())

#: Companies whose short name is a word that headlines capitalise.
_NAMES_OF_WORDS = """
    ally ball block carnival chase crown discover dollar energy first gap global key match now on
    open progressive public shell snap southern square target total travelers unity visa
"""
_WORD_NAMES = frozenset(_NAMES_OF_WORDS.split())

#: Shorter bare letters (``GM``, ``IT``) are too often something else.
_SHORTEST_BARE = 3


@dataclass(frozen=True, slots=True)
class _Forms:
    """How a text may write one ticker."""

    codes: frozenset[str]
    bare: bool
    names: tuple[str, ...]
    pattern: re.Pattern[str] | None


def tickers_in(text: str, tickers: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Return those of ``tickers`` that ``text`` is about, in their order.

    A ticker is meant by its cashtag (``$BRK.B``, in any case), by its exchange (``NASDAQ: AAPL``),
    by its bare capitals if they are no word (``AAPL``, not ``ALL``, and at least three letters),
    and by the company's name, capitalised, as whole words, without ``Inc.`` and the like; a
    name that is a word itself (``Target``) needs them (``Target Corp``).

    Args:
        text: plain text.
        tickers: those to look for.
        names: the company's name of each ticker, as far as known.

    >>> names = {"AAPL": "Apple Inc."}
    >>> tickers_in("Apple and $BRK.B rise, ALL of it", ["AAPL", "BRK-B", "ALL"], names)
    ['AAPL', 'BRK-B']
    """
    tagged = {_code(found) for found in _CASHTAG.findall(text) + _LISTED.findall(text)}
    # Where all is in capitals, capitals say nothing.
    shouted = text.upper() == text
    bare = set() if shouted else {_code(found) for found in _BARE.findall(text)}
    found = []
    for ticker in tickers:
        forms = _forms(ticker, names.get(ticker, ""))
        if (
            not forms.codes.isdisjoint(tagged)
            or (forms.bare and not forms.codes.isdisjoint(bare))
            or _named(forms, text)
        ):
            found.append(ticker)
    return found


def _named(forms: _Forms, text: str) -> bool:
    # Most texts are about somebody else, and a substring is found faster than a pattern.
    if forms.pattern is None or not any(name in text for name in forms.names):
        return False
    return forms.pattern.search(text) is not None


def _code(found: str) -> str:
    """Return the one spelling of ``BRK.B``, ``brk-b`` and ``AAPL.`` at a sentence's end."""
    return found.upper().rstrip(".-^=").replace(".", "-").removesuffix("-USD")


@lru_cache(maxsize=16_384)
def _forms(ticker: str, name: str) -> _Forms:
    code = _code(ticker)
    names, pattern = _name_forms(name)
    return _Forms(
        codes=frozenset({code}) - {""},
        bare=len(code) >= _SHORTEST_BARE and code.isascii() and code not in _WORDS,
        names=names,
        pattern=pattern,
    )


def _name_forms(name: str) -> tuple[tuple[str, ...], re.Pattern[str] | None]:
    core = " ".join(name.split()).removeprefix("The ")
    while (shorter := _SUFFIX.sub("", core)) != core:
        core = shorter
    if len(core) < 2 or core.isdigit():
        return (), None
    short = {core, core.removesuffix(".com")}
    forms = {form for text in short for form in (text, text.upper(), _calm(text))}
    # Longest first: the alternatives are tried in order.
    ordered = tuple(sorted(forms, key=lambda form: (-len(form), form)))
    alternatives = "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in ordered)
    suffix = _FIRM if core.casefold() in _WORD_NAMES else ""
    return ordered, re.compile(rf"(?<![\w$])(?:{alternatives}){suffix}(?!\w)")


def _calm(name: str) -> str:
    """Return ``NVIDIA`` as ``Nvidia``, and ``IBM`` as it is."""
    return " ".join(
        word.capitalize() if word.isupper() and len(word) > 3 else word for word in name.split()
    )
