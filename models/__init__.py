"""The Records on the wire, and the strict codec of each.

A Record's namespace is part of the wire format: it names the type whatever module it moves to.
"""

from models.alert import ALERT, Alert
from models.codec import Codec
from models.command import COMMAND, Command, follow_orders, recompute_orders, unfollow_orders
from models.dead_letter import DeadLetter, dead_letter
from models.economy import ECONOMIC_OBSERVATION, SERIES_UPDATE, EconomicObservation, SeriesUpdate
from models.market import BAR, INDICATOR_SNAPSHOT, Bar, IndicatorSnapshot
from models.news import NEWS_ITEM, NewsItem
from models.series import BAR_SERIES, BarSeries
from models.social import SOCIAL_POST, SocialPost
from models.trend import TREND, Trend

#: Records from a check of the deployment: stored, but never applied to state, trends or alerts.
INTEGRATION_TEST = "integration-test"

#: The source of what this program computes itself.
OURSELVES = "financial-trends"

__all__ = [
    "ALERT",
    "BAR",
    "BAR_SERIES",
    "COMMAND",
    "ECONOMIC_OBSERVATION",
    "INDICATOR_SNAPSHOT",
    "INTEGRATION_TEST",
    "NEWS_ITEM",
    "OURSELVES",
    "SERIES_UPDATE",
    "SOCIAL_POST",
    "TREND",
    "Alert",
    "Bar",
    "BarSeries",
    "Codec",
    "Command",
    "DeadLetter",
    "EconomicObservation",
    "IndicatorSnapshot",
    "NewsItem",
    "SeriesUpdate",
    "SocialPost",
    "Trend",
    "dead_letter",
    "follow_orders",
    "recompute_orders",
    "unfollow_orders",
]
