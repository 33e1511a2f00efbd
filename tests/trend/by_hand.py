"""The trend of a ticker from all messages at once, by the formulas of docs/trend.md: the judge."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from indicators import DEFAULT_SPEC, IndicatorSet, Ohlcv, parse
from models import Bar, EconomicObservation, NewsItem, SocialPost

HOUR_MS = 3_600_000

WEIGHTS = {
    "price": 0.35,
    "momentum": 0.2,
    "volume": 0.1,
    "news": 0.15,
    "twitter": 0.05,
    "reddit": 0.05,
    "macro": 0.1,
}
#: What a change of a series means: its sense, whether it is in percent, what is usual, the scale.
SERIES = {
    "GDP": (1, True, 1.2, 1.0),
    "CPIAUCSL": (-1, True, 0.2, 0.3),
    "UNRATE": (-1, False, 0.0, 0.2),
    "FEDFUNDS": (-1, False, 0.0, 0.25),
    "DGS10": (-1, False, 0.0, 0.1),
    "T10Y2Y": (1, False, 0.0, 0.1),
    "VIXCLS": (-1, True, 0.0, 10.0),
}

#: A component: its score, and the share of its weight that it has.
Component = tuple[float, float]


@dataclass
class Heard:
    """All messages about one ticker, in any order."""

    bars: list[Bar] = field(default_factory=list)
    news: list[NewsItem] = field(default_factory=list)
    twitter: list[SocialPost] = field(default_factory=list)
    reddit: list[SocialPost] = field(default_factory=list)


def by_hand(heard: Heard, economy: Iterable[EconomicObservation]) -> dict[str, object]:
    """Return the trend of a ticker with closed bars of one interval, as it is published."""
    texts = {"news": heard.news, "twitter": heard.twitter, "reddit": heard.reddit}
    times = [one.time for one in heard.bars]
    times += [one.time for kind in texts.values() for one in kind]
    now = max(times)
    components = of_bars(heard.bars)
    for kind, found in texts.items():
        if found:
            components[kind] = of_texts(found, now)
    components["macro"] = of_series(economy)
    scores, weights = {}, {}
    for name, weight in WEIGHTS.items():
        score, share = components.get(name, (0.0, 0.0))
        if round(weight * share, 3):
            scores[name], weights[name] = round(score, 2), round(weight * share, 3)
    confidence = sum(weights.values())
    score = sum(scores[name] * weights[name] for name in scores) / confidence
    strength = round(abs(100 * score))
    return {
        "time": now,
        "direction": "sideways" if strength < 10 else "up" if score > 0 else "down",
        "strength": strength,
        "confidence": round(confidence, 3),
        "components": scores,
        "weights": weights,
    }


def of_bars(bars: list[Bar]) -> dict[str, Component]:
    """Return price, momentum and volume; at least 34 bars, so that everything is warm."""
    ordered = sorted(bars, key=lambda one: one.time)
    found = IndicatorSet(parse(DEFAULT_SPEC))
    for bar in ordered:
        found.update(Ohlcv(bar.open, bar.high, bar.low, bar.close, bar.volume))
    v = {name: value for name, value in found.values().items() if value is not None}
    close = ordered[-1].close
    change = close - close / (1 + v["roc"] / 100)
    away = v["rsi"] - 50
    rsi = away / 20 if abs(away) <= 20 else math.copysign((50 - abs(away)) / 30, away)
    momentum = (
        rsi
        + math.tanh(2 * v["macd_hist"] / v["atr"])
        + math.tanh(change / (math.sqrt(12) * v["atr"]))
    )
    signed = traded = 0.0
    for before, bar in pairwise(ordered):
        step = (bar.close > before.close) - (bar.close < before.close)
        signed = signed * (13 / 15) + step * bar.volume * (2 / 15)
        traded = traded * (13 / 15) + bar.volume * (2 / 15)
    flow = max(-1.0, min(1.0, (v["mfi"] - 50) / 20))
    price = math.tanh(v["macd"] / (2 * v["atr"])) * min(1.0, v["adx"] / 25)
    return {
        "price": (price, 1.0),
        "momentum": (momentum / 3, 1.0),
        "volume": ((signed / traded + flow) / 2, 1.0),
    }


def of_texts(texts: Iterable[NewsItem | SocialPost], now: int) -> Component:
    """Return what texts say, each as it came first, those of 24 hours, with a half-life of 6."""
    once: dict[str, NewsItem | SocialPost] = {}
    for one in texts:
        once.setdefault(one.id, one)
    newest = max(one.time for one in once.values())
    weight = value = 0.0
    for one in once.values():
        if one.time // HOUR_MS <= newest // HOUR_MS - 24:
            continue
        engagement = one.engagement if isinstance(one, SocialPost) else 0.0
        decayed = (1 + math.log10(1 + engagement)) * 2 ** ((one.time - now) / (6 * HOUR_MS))
        weight += decayed
        value += decayed * (one.sentiment or 0.0)
    return value / weight, weight / (1 + weight)


def of_series(observations: Iterable[EconomicObservation]) -> Component:
    """Return what the last two periods of each series say, each as it was revised last."""
    revised: dict[tuple[str, int], tuple[int, float]] = {}
    for one in observations:
        place = one.series, one.time
        revised[place] = max(revised.get(place, (0, 0.0)), (one.realtime_start, one.value))
    scores = []
    for series, (sense, relative, usual, scale) in SERIES.items():
        periods = sorted(time for name, time in revised if name == series)
        if len(periods) > 1:
            before, last = (revised[series, time][1] for time in periods[-2:])
            size = (last - before) * (100 / before if relative else 1)
            scores.append(sense * math.tanh((size - usual) / scale))
    return (sum(scores) / len(scores), len(scores) / 7) if scores else (0.0, 0.0)
