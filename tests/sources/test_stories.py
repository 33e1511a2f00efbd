"""Stories: who they are about, what their text and their link is."""

from __future__ import annotations

import pytest

from sources.feeds import canonical_link
from sources.html_text import plain_text
from sources.matching import tickers_in


def test_links() -> None:
    same = {
        "https://n.test/a?id=1&x=",
        "http://N.test:80/a/?x=&id=1#part",
        " https://n.test/a?utm_campaign=c&id=1&x=&guccounter=1 ",
    }
    assert {canonical_link(link) for link in same} == {"https://n.test/a?id=1&x="}
    assert canonical_link("https://n.test:8443/A") == "https://n.test:8443/A"
    for nothing in ("", "story.html", "mailto:a@n.test", "https://[::1", "javascript:alert(1)"):
        assert canonical_link(nothing) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$AAPL.", ["AAPL"]),
        ("$aapl and $brk.b", ["AAPL", "BRK-B"]),
        ("US$AAPL, $AAPLX, $5", []),
        ("Berkshire (NYSE: BRK.B) (NASDAQ:AAPL)", ["AAPL", "BRK-B"]),
        ("AAPL jumps", ["AAPL"]),
        ("AAPLE jumps, aapl too", []),
        ("SEE ALL OF IT", []),
        ("SEE: A plan for IT and ALL", []),
        ("$A, $ALL and $IT", ["A", "ALL", "IT"]),
        ("Apple's phone, APPLE", ["AAPL"]),
        ("an apple a day, Pineapple, Applebee", []),
        ("Nvidia and NVIDIA", ["NVDA"]),
        ("Amazon cuts; Amazon.com grows", ["AMZN"]),
        ("Target raises target", []),
        ("Target Corp. raises", ["TGT"]),
        ("Agilent Technologies falls", ["A"]),
        ("Bitcoin: $BTC", ["BTC-USD"]),
        ("IBM and AT&T", ["IBM", "T"]),
    ],
)
def test_who_is_meant(text: str, expected: list[str]) -> None:
    names = {
        "AAPL": "Apple Inc.",
        "BRK-B": "Berkshire Hathaway Inc. New",
        "NVDA": "NVIDIA Corporation",
        "AMZN": "Amazon.com, Inc.",
        "TGT": "Target Corporation",
        "A": "Agilent Technologies, Inc.",
        "IBM": "International Business Machines Corporation",
        "T": "AT&T Inc.",
    }
    tickers = ["AAPL", "BRK-B", "NVDA", "AMZN", "TGT", "A", "ALL", "IT", "BTC-USD", "IBM", "T"]
    assert tickers_in(text, tickers, names) == expected


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("a<br>b<p>c", "a b c"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("un<b>broken</b>", "unbroken"),
        ("<style>p {}</style>x<script>if (a < b) {}", "x"),
        ("&lt;b&gt; &copy; &#x41;", "<b> © A"),
        ("<!-- no --> yes", "yes"),
    ],
)
def test_plain_text(html: str, text: str) -> None:
    assert plain_text(html) == text
