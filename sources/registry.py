"""Which sources the settings mean.

The libraries of live providers take long to load, so each is imported only where it is used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from config import Settings
from errors import ConfigurationError, SourceUnavailable
from sinks.bar_cursors import BarCursors
from sinks.company_names import CompanyNames
from sinks.cursors import Cursors
from sinks.spend import DailySpend
from sources import recorded
from sources.base import NO_FRED_KEY, BarProvider, PriceSource, Source
from sources.market_path import Positions
from sources.replay import ReplaySource
from sources.simulated import SimulatedSource
from sources.simulation import Kind, simulated_sources, wanted

if TYPE_CHECKING:
    from sources.yahoo_stream import TradeStream

log = logging.getLogger(__name__)

#: How much older than what is known already something may be that is still taken, in seconds. A
#: story shows in feeds up to hours after it was published; Reddit's search takes minutes.
LATE_NEWS_S = 6 * 3600.0
LATE_POSTS_S = 900.0


def price_source(settings: Settings) -> PriceSource | None:
    """Return the source of prices that ``PRICE_SOURCE`` names, None for ``none``.

    Raises:
        ConfigurationError: the source has no bars of the length ``BAR_INTERVAL``.
        SourceUnavailable: the source cannot be used.
    """
    match settings.price_source:
        case "replay":
            if settings.bar_interval != recorded.INTERVAL:
                raise ConfigurationError(
                    f"BAR_INTERVAL is {settings.bar_interval!r}, but only daily bars are recorded: "
                    f"set BAR_INTERVAL={recorded.INTERVAL}, or use `--source simulated`"
                )
            return ReplaySource(settings.replay_speed, settings.poll_interval_s)
        case "simulated":
            return SimulatedSource(
                settings.replay_speed,
                settings.simulated_seed,
                settings.bar_interval,
                settings.poll_interval_s,
            )
        case "yahoo":
            # All of them, so that a length that Yahoo does not have is noticed here.
            first, *_ = [_yahoo(settings, interval) for interval in _intervals(settings)]
            return first
        case "none":
            return None


def price_sources(
    settings: Settings, names: CompanyNames | None = None
) -> list[tuple[PriceSource, Cursors]]:
    """Return the sources of prices, one for each length of bars, with their cursors.

    Args:
        settings: ``PRICE_SOURCE`` names the provider, ``BAR_INTERVAL`` and ``MORE_BAR_INTERVALS``
            the lengths; only Yahoo has several.
        names: learns the names of companies.

    Raises:
        ConfigurationError: the source has no bars of such a length.
        SourceUnavailable: the source cannot be used.
    """
    if settings.price_source != "yahoo":
        source = price_source(settings)
        return [] if source is None else [(source, Cursors(settings))]
    from sources.yahoo_reach import WARM_UP_BARS  # noqa: PLC0415 - as the source itself
    from sources.yahoo_stream import TradeStream  # noqa: PLC0415

    stream = TradeStream(settings.yahoo_stream_url) if settings.yahoo_stream else None
    return [
        (
            _yahoo(settings, interval, stream, None if names is None else names.learn),
            BarCursors(settings, interval, WARM_UP_BARS),
        )
        for interval in _intervals(settings)
    ]


def _intervals(settings: Settings) -> list[str]:
    """Return the lengths of bars, each once, the main one first."""
    return list(dict.fromkeys((settings.bar_interval, *settings.more_bar_intervals)))


def _yahoo(
    settings: Settings,
    interval: str,
    stream: TradeStream | None = None,
    learn: Callable[[str, str], None] | None = None,
) -> BarProvider:
    from sources.yahoo import YahooSource  # noqa: PLC0415 - loads much that others do not need

    return YahooSource(
        settings.poll_interval_s,
        interval,
        settings.history_period,
        cache_dir=settings.data_dir / "yfinance",
        base_url=settings.yahoo_base_url,
        stream=stream,
        learn=learn,
    )


def text_and_data_sources(
    settings: Settings, positions: Positions, names: Mapping[str, str] | None = None
) -> list[Source]:
    """Return the sources of news, posts and economic series that are on.

    One that is not configured is simulated, if SIMULATE_MISSING says so, or off; if it lacks its
    credentials, with one line in the log.

    Args:
        settings: say which are on.
        positions: how far the prices have come; simulated sources follow them.
        names: the companies' names, as far as they are known, read at every fetch.

    Raises:
        ConfigurationError: an address or a name in the settings cannot be used.
    """
    known = {} if names is None else names
    simulated = simulated_sources(settings, positions)
    makers: dict[Kind, Callable[[Settings, Mapping[str, str]], Source]] = {
        "reddit": _reddit,
        "twitter": _twitter,
        "economy": _fred,
    }
    if settings.news_source == "rss":
        makers["news"] = _rss
    sources: list[Source] = []
    for kind in wanted(settings):
        if kind in simulated:
            sources.append(simulated[kind])
        elif kind in makers:
            try:
                sources.append(makers[kind](settings, known))
            except SourceUnavailable as error:
                log.info("off: %s", error)
    return sources


def economic_source(settings: Settings) -> Source | None:
    """Return the source of economic series, None where it is off.

    Raises:
        ConfigurationError: FRED_BASE_URL is no address.
    """
    if settings.skip_economic or settings.fred_api_key is None:
        return None
    return _fred(settings, {})


def _rss(settings: Settings, names: Mapping[str, str]) -> Source:
    from sources.rss import RssSource  # noqa: PLC0415

    return RssSource(
        settings.news_feeds,
        names=names,
        base_url=settings.yahoo_rss_base_url,
        interval=settings.news_poll_interval_s,
        late_s=LATE_NEWS_S,
    )


def _reddit(settings: Settings, names: Mapping[str, str]) -> Source:
    from sources.reddit import RedditSource  # noqa: PLC0415

    return RedditSource(
        settings.reddit_client_id or "",
        _open(settings.reddit_client_secret),
        settings.social_poll_interval_s,
        subreddits=settings.reddit_subreddits,
        names=names,
        comments=settings.reddit_comments,
        authors=settings.social_authors,
        base_url=settings.reddit_base_url or "",
        late_s=LATE_POSTS_S,
    )


def _twitter(settings: Settings, names: Mapping[str, str]) -> Source:
    from sources.twitter import TwitterSource  # noqa: PLC0415

    return TwitterSource(
        _open(settings.twitter_bearer_token),
        settings.social_poll_interval_s,
        names=names,
        authors=settings.social_authors,
        daily_posts=settings.twitter_daily_posts,
        spend=DailySpend(settings, "twitter"),
        base_url=settings.twitter_base_url or "",
    )


def _fred(settings: Settings, _: Mapping[str, str]) -> Source:
    key = _open(settings.fred_api_key)
    if not key.strip():
        # Here as well, since fredapi brings pandas along: half a second and 50 MB.
        raise SourceUnavailable(NO_FRED_KEY)
    from sources.fred import FredSource  # noqa: PLC0415

    return FredSource(
        key,
        base_url=settings.fred_base_url,
        interval=settings.economic_poll_interval_s,
    )


def _open(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()
