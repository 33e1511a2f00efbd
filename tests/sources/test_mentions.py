"""Which texts are about which tickers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from errors import SourceUnavailable
from models import SOCIAL_POST, SocialPost
from sources import mentions
from sources.mentions import PostReader, matches, mentioned, search_terms, short_name

YES = [
    ("Bought $AAPL today", "AAPL", ""),
    ("$AAPL", "AAPL", ""),
    ("Sold ($AAPL).", "AAPL", ""),
    ("$aapl to the moon", "AAPL", ""),
    ("$AAPL, $MSFT", "MSFT", ""),
    ("long $AAPL-led rally", "AAPL", ""),
    ("$A", "A", ""),
    ("$BRK.B", "BRK-B", ""),
    ("$BRK-B", "BRK.B", ""),
    ("brk: $brk/b", "BRK-B", ""),
    ("BRK.B is cheap", "BRK-B", ""),
    ("$NOW is cheap", "NOW", ""),
    ("NASDAQ:AAPL", "AAPL", ""),
    ("#AAPL", "AAPL", ""),
    ("AAPL 200c", "AAPL", ""),
    ("AMD!", "AMD", ""),
    ("$BTC and $ETH", "BTC-USD", ""),
    ("$GSPC", "^GSPC", ""),
    ("$EURUSD", "EURUSD=X", ""),
    ("$0700.HK", "0700.HK", ""),
    ("Apple's quarter", "AAPL", "Apple Inc."),
    ("APPLE RISES", "AAPL", "Apple Inc."),
    ("Nvidia and friends", "NVDA", "NVIDIA Corporation"),
    ("eBay sells", "EBAY", "eBay Inc."),
    ("goldman  sachs upgrades", "GS", "The Goldman Sachs Group, Inc."),
    ("Target Corp. beats", "TGT", "Target Corporation"),
    ("Block, Inc. reports", "SQ", "Block, Inc."),
]

NO = [
    ("Bought $AAPL today", "A", ""),
    ("$AAPLE", "AAPL", ""),
    ("$AAPL_x", "AAPL", ""),
    ("US$AAPL", "AAPL", ""),
    ("$BRK.B", "BRK", ""),
    ("BRK-B", "BRK", ""),
    ("$BRK.B", "BRK-A", ""),
    ("cost me $a lot", "A", ""),
    ("A good day", "A", ""),
    ("IT IS TIME: BUY NOW", "NOW", ""),
    ("aapl", "AAPL", ""),
    ("@AAPL says", "AAPL", ""),
    ("http://x.com/AAPL", "AAPL", ""),
    ("XAAPL", "AAPL", ""),
    ("an apple a day", "AAPL", "Apple Inc."),
    ("Pineapple, Applesauce", "AAPL", "Apple Inc."),
    ("Target is 200", "TGT", "Target Corporation"),
    ("The Gap is wide", "GPS", "The Gap, Inc."),
    ("", "AAPL", "Apple Inc."),
    ("anything", "AAPL", ""),
]


@pytest.mark.parametrize(("text", "ticker", "name"), YES)
def test_is_about(text: str, ticker: str, name: str) -> None:
    assert matches(text, ticker, name)


@pytest.mark.parametrize(("text", "ticker", "name"), NO)
def test_is_not_about(text: str, ticker: str, name: str) -> None:
    assert not matches(text, ticker, name)


def test_one_text_may_be_about_several() -> None:
    names = {"AAPL": "Apple Inc.", "IBM": "", "MSFT": "Microsoft Corporation", "F": "Ford"}
    assert mentioned("$F: Microsoft overtakes Apple", names) == ["AAPL", "MSFT", "F"]
    assert mentioned("", names) == []


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("Apple Inc.", "Apple"),
        ("Amazon.com, Inc.", "Amazon"),
        ("Berkshire Hathaway Inc. Class B", "Berkshire Hathaway"),
        ("JPMorgan Chase & Co.", "JPMorgan Chase"),
        ("The Coca-Cola Company", "Coca-Cola"),
        ("Walt Disney Company (The)", "Walt Disney"),
        ("Nestlé S.A.", "Nestlé"),
        ("SAP SE", "SAP"),
        ("Inc.", "Inc."),
        ("", ""),
    ],
)
def test_names_as_people_write_them(full: str, short: str) -> None:
    assert short_name(full) == short


@pytest.mark.parametrize(
    ("ticker", "name", "terms"),
    [
        ("AAPL", "Apple Inc.", ["$AAPL", "Apple"]),
        ("AAPL", "", ["$AAPL"]),
        ("TGT", "Target Corporation", ["$TGT", "Target Corporation"]),
        ("SNAP", "Snap", ["$SNAP"]),
        ("X", 'So "called" (it)', ["$X", "So called it"]),
    ],
)
def test_what_is_searched_for(ticker: str, name: str, terms: list[str]) -> None:
    assert search_terms(ticker, name) == terms


def test_every_searched_name_is_recognized() -> None:
    for ticker, name in {"AAPL": "Apple Inc.", "TGT": "Target Corporation"}.items():
        for term in search_terms(ticker, name):
            assert matches(f"so {term} it is", ticker, name)


@pytest.mark.parametrize(("ticker", "needed"), [("A", True), ("CAT", True), ("NOW", True)])
def test_tickers_that_searches_confuse(ticker: str, needed: bool) -> None:
    assert mentions.needs_check(ticker) is needed
    assert not mentions.needs_check("AAPL")


def _post(ticker: str) -> SocialPost:
    fields = {"ticker": ticker, "platform": "reddit", "id": "1", "time": 1, "text": ""}
    return SOCIAL_POST.parse({**fields, "source": "reddit", "ingested": 1})


async def test_a_reader_hands_out_what_it_has_when_time_is_up() -> None:
    end = threading.Event()
    turns: list[str] = []

    def prepare(given_up: threading.Event) -> mentions.ReadOne:
        def read_one(key: str) -> list[SocialPost]:
            turns.append(key)
            if key == "SLOW":
                end.wait(10)
            return [_post(key)]

        return read_one

    reader = PostReader("a source", 0.2)
    assert [p.ticker for p in await reader.read(["AAPL", "SLOW", "IBM"], prepare)] == ["AAPL"]
    # The library is in use still, and is not entered twice.
    with pytest.raises(SourceUnavailable, match="a source: "):
        await reader.read(["AAPL", "SLOW", "IBM"], prepare)
    assert turns == ["AAPL", "SLOW"]
    end.set()
    await asyncio.to_thread(reader._reading.acquire)
    reader._reading.release()
    assert len(await reader.read(["AAPL", "SLOW", "IBM"], prepare)) == 3
