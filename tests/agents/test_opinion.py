"""Where the sentiment of a stored text comes from."""

from __future__ import annotations

import pytest

from agents.news import to_writes
from agents.social import to_writes_of
from models import NEWS_ITEM, SOCIAL_POST
from sinks import Origin
from tests.verify import START_MS

ORIGIN = Origin("t", 0, 0, b"AAPL", b"{}")
COMMON = {"ticker": "AAPL", "id": "1", "time": START_MS, "source": "test", "ingested": START_MS}


def news(**fields: object) -> float:
    """The sentiment that is stored of a news item."""
    (write,) = to_writes(NEWS_ITEM.parse(COMMON | {"title": "t"} | fields), ORIGIN)
    value: float = write.document["sentiment"]
    return value


def post(**fields: object) -> float:
    """The sentiment that is stored of a post."""
    record = SOCIAL_POST.parse(COMMON | {"platform": "reddit", "text": "t"} | fields)
    (write,) = to_writes_of("reddit")(record, ORIGIN)
    value: float = write.document["sentiment"]
    return value


@pytest.mark.parametrize("given", [-1.0, 0.0, 0.25])
def test_what_somebody_said_stands(given: float) -> None:
    assert news(title="Profit surges", sentiment=given) == given
    assert post(text="Profit surges", sentiment=given) == given


def test_a_text_without_one_is_judged() -> None:
    assert news(title="Quarterly profit surges past estimates") > 0.2
    assert news(title="Results", summary="The company files for bankruptcy") < -0.2
    assert post(text="$AAPL to the moon 🚀") > 0.2
    assert post(text="$AAPL guidance cut, I am out") < -0.2
    assert post(text="The meeting is on Tuesday") == pytest.approx(0, abs=0.2)
