"""The bars that all contestants work through: a seeded random walk per ticker, interleaved."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from benchmarks.forms import USUAL, Form
from benchmarks.forms import Bar as Fields
from config import Settings
from delivery import Sender
from indicators import Ohlcv
from models import BAR, Bar


def bars(tickers: int, first_index: int = 0, form: Form = USUAL) -> Iterator[Fields]:
    """Bars without end, as the fields of a :class:`models.Bar`: one of each ticker, then the next.

    The n-th bar of a ticker is the same however many tickers there are beside it.

    Args:
        tickers: how many tickers.
        first_index: the index of the first bar of each; bars before it are left out.
        form: how they look.
    """
    walks = [form.walk(number, first_index) for number in range(tickers)]
    while True:
        for walk in walks:
            yield next(walk)


def history(ticker: int, count: int) -> list[Ohlcv]:
    """The first ``count`` bars of one ticker, as indicators read them."""
    names = Ohlcv._fields
    return [Ohlcv(*(bar[name] for name in names)) for bar in islice(USUAL.walk(ticker, 0), count)]


def records(tickers: int, count: int) -> dict[str, list[Bar]]:
    """The first ``count`` bars in all, as Records, by ticker."""
    found: dict[str, list[Bar]] = {}
    for fields in islice(bars(tickers), count):
        found.setdefault(fields["ticker"], []).append(BAR.parse(fields))
    return found


def message(bar: Fields, form: Form = USUAL) -> tuple[bytes, bytes]:
    """Key and value of the message that holds a bar."""
    return bar["ticker"].encode(), form.value(bar)


def produce(
    settings: Settings,
    topic: str,
    tickers: int,
    count: int,
    *,
    first_index: int = 0,
    form: Form = USUAL,
) -> None:
    """Put ``count`` bars on ``topic``, acknowledged.

    Raises:
        BrokerUnavailable: Kafka did not acknowledge in time.
    """
    sender = Sender(settings)
    stream = (message(bar, form) for bar in islice(bars(tickers, first_index, form), count))
    while chunk := list(islice(stream, form.at_once)):
        sender.send(topic, chunk)
    sender.close()
