"""What is simulated beside the prices: news, posts and economic series that nobody provides."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from faust import Record

from config import Settings
from sources import recorded
from sources.base import Source
from sources.market_path import MarketPath, Positions, RecordedPath, SimulatedPath
from sources.simulated_economy import SimulatedEconomy
from sources.simulated_text import SimulatedText
from sources.simulated_writers import Newsroom, RedditCrowd, TwitterCrowd, Writer

log = logging.getLogger(__name__)

Kind = Literal["news", "reddit", "twitter", "economy"]


class MadeUp(Source, Protocol):
    """A simulated source, which has a past as well."""

    async def history(self, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Return per key, in time order, what belongs to the last bars before the live part.

        A fetch with the last one's time as ``since`` continues without gap or overlap.

        Raises:
            UnknownKeys: some of ``keys`` do not exist here.
            SourceUnavailable: the recorded prices are missing.
        """


def wanted(settings: Settings) -> dict[Kind, tuple[str, ...]]:
    """Return the kinds that are not turned off, each with the keys that the settings name."""
    tickers = settings.tickers
    kinds: dict[Kind, tuple[bool, tuple[str, ...]]] = {
        "news": (settings.skip_news, tickers),
        "reddit": (settings.skip_reddit, tickers),
        "twitter": (settings.skip_twitter, tickers),
        "economy": (settings.skip_economic, settings.fred_series),
    }
    return {kind: keys for kind, (skipped, keys) in kinds.items() if not skipped}


def simulated_sources(settings: Settings, positions: Positions) -> dict[Kind, MadeUp]:
    """Return the sources that are simulated, none unless SIMULATE_MISSING says so.

    Those are the wanted ones that no provider is configured for.

    Args:
        settings: which sources, along which prices.
        positions: how far these prices have come.

    Raises:
        ConfigurationError: simulated bars cannot have the length BAR_INTERVAL.
    """
    path = _path(settings) if settings.simulate_missing else None
    if path is None:
        return {}
    missing = [kind for kind in wanted(settings) if not _configured(settings, kind)]
    return {kind: _source(kind, settings, path, positions) for kind in missing}


def _path(settings: Settings) -> MarketPath | None:
    """Return the path of the prices that PRICE_SOURCE names, if they are known ahead."""
    match settings.price_source:
        case "simulated":
            return SimulatedPath(settings.simulated_seed, settings.bar_interval)
        case "replay" if settings.bar_interval == recorded.INTERVAL:
            return RecordedPath()
        case "yahoo" | "none":
            log.warning(
                "SIMULATE_MISSING has no effect: news and posts can be made up for prices that are "
                "known ahead only, PRICE_SOURCE=replay or simulated, and it is %s",
                settings.price_source,
            )
    return None


def _configured(settings: Settings, kind: Kind) -> bool:
    """Return whether there is a provider for this kind."""
    match kind:
        case "news":
            return settings.news_source == "rss"
        case "reddit":
            return None not in (settings.reddit_client_id, settings.reddit_client_secret)
        case "twitter":
            return settings.twitter_bearer_token is not None
        case "economy":
            return settings.fred_api_key is not None


def _source(kind: Kind, settings: Settings, path: MarketPath, positions: Positions) -> MadeUp:
    seed, interval = settings.simulated_seed, settings.poll_interval_s
    if kind == "economy":
        return SimulatedEconomy(path, settings.tickers, positions, seed=seed, interval=interval)
    writers: dict[Kind, Writer] = {
        "news": Newsroom(),
        "reddit": RedditCrowd(authors=settings.social_authors),
        "twitter": TwitterCrowd(authors=settings.social_authors),
    }
    return SimulatedText(writers[kind], path, positions, seed=seed, interval=interval)
