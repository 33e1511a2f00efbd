"""What is sent: a stream of messages that is the same for the same seed, however long."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chaos import poison

#: A Monday in 2024, 00:00 UTC, in ms; a round later is a minute later.
START_MS = 1_704_672_000_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000

#: These get each bar once closed and in the order of time (and perhaps again, the same).
PUNCTUAL = tuple(f"C{number:02d}" for number in range(20))
#: Of these some bars come late, and some again with other numbers.
LATE = tuple(f"L{number}" for number in range(4))
#: Of these the past comes meanwhile, in bulk and not always in order.
HISTORY = tuple(f"H{number}" for number in range(3))
SERIES = ("XGDP", "XCPI", "XRATE", "XJOBS")

PRICES = "stock-prices"
BULK = "price-history"
INDICATORS = "technical-indicators"
NEWS = "financial-news"
TWITTER = "twitter-sentiment"
REDDIT = "reddit-sentiment"
ECONOMY = "economic-indicators"
MACRO = "macro-backdrop"
COMMANDS = "commands"
#: What the program reads. Good messages on MACRO are its own.
TOPICS = (PRICES, BULK, INDICATORS, NEWS, TWITTER, REDDIT, ECONOMY, MACRO, COMMANDS)

SOURCE = "chaos"

#: How far before the first round the past begins, in minutes.
_PAST_ROUNDS = 20_000
#: Bars in the first series of a past, so that there are enough to judge.
_FIRST_SERIES = 60
_COLUMNS = ("time", "open", "high", "low", "close", "volume", "adjusted_close")


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send.

    ``reason`` is a part of what its dead letter must say; None where the message is good.
    ``number`` counts all messages of a run and travels in the message's header.
    """

    number: int
    topic: str
    key: bytes | None
    value: bytes | None
    reason: str | None = None


class Stream:
    """Messages in rounds: a round is one minute of the market, for all tickers.

    Args:
        seed: the same one brings the same messages.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"messages {seed}")
        self._closes = {t: self._chance.uniform(5, 500) for t in PUNCTUAL + LATE + HISTORY}
        self._round = 0
        self._number = 0
        self._items = 0
        #: Bars that are held back, by the round in which they come.
        self._held: dict[int, list[dict[str, Any]]] = defaultdict(list)
        #: Bars of LATE that may come again, the last few.
        self._sent: dict[str, list[dict[str, Any]]] = defaultdict(list)
        #: The minute before which each past is told, and series that are held back or come again.
        self._told = dict.fromkeys(HISTORY, -_PAST_ROUNDS)
        self._series: dict[str, list[dict[str, Any]]] = defaultdict(list)
        #: The last news item and posts, which may come again, changed.
        self._last: dict[tuple[str, str], dict[str, Any]] = {}

    def round(self) -> list[Message]:
        """Return the messages of the next round, in the order of sending."""
        found = [self._message(topic, fields) for topic, fields in self._facts()]
        if self._chance.random() < 0.5:
            topic, key, value, reason = poison.choose(self._chance, self._example)
            found.insert(
                self._chance.randrange(len(found)), self._numbered(topic, key, value, reason)
            )
        self._round += 1
        return found

    def _message(self, topic: str, fields: dict[str, Any]) -> Message:
        key = fields["series" if topic == ECONOMY else "ticker"]
        return self._numbered(topic, key.encode(), json.dumps(fields).encode(), None)

    def _numbered(
        self, topic: str, key: bytes | None, value: bytes | None, reason: str | None
    ) -> Message:
        self._number += 1
        return Message(self._number, topic, key, value, reason)

    def _facts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        chance = self._chance
        for ticker in PUNCTUAL:
            yield from ((PRICES, bar) for bar in self._punctual(ticker))
            if chance.random() < 0.1:
                for _ in range(chance.choice((1, 1, 2))):
                    yield INDICATORS, self._snapshot(ticker)
        for ticker in LATE:
            yield from ((PRICES, bar) for bar in self._unpunctual(ticker))
        for ticker in HISTORY:
            yield PRICES, self._bar(ticker)
            yield from ((BULK, series) for series in self._past(ticker))
        for bar in self._held.pop(self._round, []):
            yield PRICES, bar
        for ticker in PUNCTUAL + LATE:
            if chance.random() < 0.1:
                yield NEWS, self._news(ticker)
            for topic in (TWITTER, REDDIT):
                if chance.random() < 0.1:
                    yield topic, self._post(ticker, topic)
        for series in SERIES:
            if chance.random() < 0.3:
                yield ECONOMY, self._observation(series)

    # -- bars

    def _punctual(self, ticker: str) -> Iterator[dict[str, Any]]:
        chance = self._chance
        if chance.random() < 0.05:
            return  # no trade in this minute
        bar = self._bar(ticker)
        fate = chance.random()
        if fate < 0.3:
            yield self._forming(bar)
        if fate < 0.02:
            return  # its end is never told
        yield bar
        if fate > 0.98:
            yield bar  # polled twice
        elif fate > 0.96:
            # What is over is told of late: in another batch, also of a worker with a backlog.
            self._held[self._round + chance.randint(55, 70)].append(self._forming(bar))

    def _unpunctual(self, ticker: str) -> Iterator[dict[str, Any]]:
        chance = self._chance
        bar = self._bar(ticker)
        if chance.random() < 0.1:
            self._held[self._round + chance.randint(2, 5)].append(bar)
        else:
            yield bar
            self._sent[ticker] = [*self._sent[ticker][-9:], bar]
        if chance.random() < 0.05 and self._sent[ticker]:
            old = chance.choice(self._sent[ticker])
            yield old | {"volume": old["volume"] + chance.randint(1, 500)}

    def _past(self, ticker: str) -> Iterator[dict[str, Any]]:
        """Now and then the next piece of the past; it may come after a later one, or twice."""
        if self._round and self._chance.random() > 0.02:
            return
        count = self._chance.randint(1, 40) if self._round else _FIRST_SERIES
        begin = self._told[ticker]
        self._told[ticker] += count
        bars = [self._bar(ticker, minute) for minute in range(begin, begin + count)]
        series = {name: bars[0][name] for name in ("ticker", "interval", "source", "ingested")}
        series |= {name: [bar[name] for bar in bars] for name in _COLUMNS}
        fate = self._chance.random()
        if fate > 0.3 or not self._round:
            yield series
        if fate < 0.2:
            yield from self._series.pop(ticker, [])
        if fate < 0.4:
            self._series[ticker].append(series)

    def _bar(self, ticker: str, minute: int | None = None) -> dict[str, Any]:
        """A bar of this round, or of another minute."""
        chance = self._chance
        opening = self._closes[ticker]
        close = self._closes[ticker] = round(max(0.5, opening * (1 + chance.gauss(0, 0.01))), 4)
        return {
            "ticker": ticker,
            "interval": "1m",
            "time": START_MS + (self._round if minute is None else minute) * MINUTE_MS,
            "open": opening,
            "high": round(max(opening, close) * (1 + chance.random() / 100), 4),
            "low": round(min(opening, close) * (1 - chance.random() / 100), 4),
            "close": close,
            "volume": chance.choice((0.0, *(float(chance.randint(1, 10_000)) for _ in range(9)))),
            "source": SOURCE,
            "ingested": START_MS + self._number,
            "adjusted_close": chance.choice((None, round(close * 0.9, 4))),
            "closed": True,
        }

    def _forming(self, bar: dict[str, Any]) -> dict[str, Any]:
        return bar | {
            "close": bar["open"],
            "volume": float(int(bar["volume"] / 2)),
            "closed": False,
        }

    # -- what others say

    def _snapshot(self, ticker: str) -> dict[str, Any]:
        chance = self._chance
        names = chance.choice((["chaos_beta"], ["chaos_score"], ["chaos_beta", "chaos_score"]))
        return {
            "ticker": ticker,
            "interval": "1m",
            "time": START_MS + self._round * MINUTE_MS,
            "values": {name: round(chance.uniform(-5, 5), 6) for name in names},
            "source": SOURCE,
            "closed": True,
        }

    def _news(self, ticker: str) -> dict[str, Any]:
        chance = self._chance
        last = self._last.get((NEWS, ticker))
        if last is not None and chance.random() < 0.3:
            return last | {"summary": f"corrected {self._number}", "sentiment": self._opinion()}
        item = self._item(ticker) | {
            "title": f"{ticker} <b>does</b> something & more",
            "summary": chance.choice(("", "shares rise on strong demand", "loss, fraud, lawsuit")),
            "url": f"https://news.example/{self._items}",
            "publisher": "Chaos Daily",
            "sentiment": self._opinion(),
        }
        self._last[NEWS, ticker] = item
        return item

    def _post(self, ticker: str, topic: str) -> dict[str, Any]:
        chance = self._chance
        last = self._last.get((topic, ticker))
        if last is not None and chance.random() < 0.4:
            # Polled again: more people have liked it since.
            last = last | {"engagement": last["engagement"] + chance.randint(1, 50)}
            self._last[topic, ticker] = last
            return last
        post = self._item(ticker) | {
            "platform": topic.partition("-")[0],
            "text": chance.choice((f"${ticker} to the moon 🚀", "selling all", "who knows")),
            "author": chance.choice((None, "somebody")),
            "sentiment": self._opinion(),
            "engagement": float(chance.randint(0, 100)),
            "url": "",
        }
        self._last[topic, ticker] = post
        return post

    def _item(self, ticker: str) -> dict[str, Any]:
        self._items += 1
        return {
            "ticker": ticker,
            "id": f"i{self._items}",
            "time": START_MS + self._round * MINUTE_MS,
            "source": SOURCE,
            "ingested": START_MS + self._number,
        }

    def _opinion(self) -> float | None:
        return self._chance.choice((None, round(self._chance.uniform(-1, 1), 6)))

    def _observation(self, series: str) -> dict[str, Any]:
        chance = self._chance
        period = chance.randrange(20)
        return {
            "series": series,
            "time": START_MS - (100 - period) * DAY_MS,
            "value": round(chance.uniform(-3, 3), 6),
            "realtime_start": START_MS - chance.randrange(3) * DAY_MS,
            "source": SOURCE,
            "ingested": START_MS + self._number,
            "title": series.lower(),
            "units": "percent",
            "frequency": "daily",
        }

    def _example(self, topic: str) -> dict[str, Any]:
        """A good message of a topic, for poison to be made of; it stands for no fact."""
        ticker = self._chance.choice(PUNCTUAL)
        observed = dict.fromkeys(("time", "realtime_start", "ingested"), START_MS)
        item = {"ticker": ticker, "id": "poison", "time": START_MS, "sentiment": None}
        origin = {"source": SOURCE, "ingested": START_MS}
        bar = dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0)
        examples: dict[str, dict[str, Any]] = {
            PRICES: {"ticker": ticker, "interval": "1m", "time": START_MS} | bar | origin,
            BULK: {"ticker": ticker, "interval": "1m", "time": [START_MS, START_MS + MINUTE_MS]}
            | {name: [value, value] for name, value in bar.items()}
            | origin,
            INDICATORS: self._snapshot(ticker),
            NEWS: item | {"title": "poison"} | origin,
            TWITTER: item | {"platform": "twitter", "text": "poison"} | origin,
            REDDIT: item | {"platform": "reddit", "text": "poison"} | origin,
            ECONOMY: self._observation(self._chance.choice(SERIES)),
            MACRO: {
                "series": SERIES[0],
                "time": START_MS,
                "observations": [observed | {"value": 1.0}],
            },
            COMMANDS: {"ticker": ticker, "action": "recompute", "time": START_MS},
        }
        return examples[topic]
