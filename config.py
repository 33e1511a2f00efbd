"""Every setting of the program, with its unit and its default.

Settings come from the environment and from a ``.env`` file in the working directory, under the
field's name in capitals (``KAFKA_BOOTSTRAP_SERVERS``). Nothing else in the program reads the
environment. Passwords are ``SecretStr`` and never printed.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from errors import ConfigurationError
from indicators import DEFAULT_SPEC, parse
from models.rules import Interval, check_ticker
from trend import DEFAULT_WEIGHTS, parse_weights

DEFAULT_KAFKA = "127.0.0.1:9092"
#: MongoDB counts a document's age in seconds, in 31 bits.
MOST_TTL_DAYS = 24_855
DEFAULT_MONGODB = "mongodb://127.0.0.1:27017"

#: Options of a connection string that hold a password or a token.
_SECRET_OPTION = re.compile(r"[^=]*password|authMechanismProperties", re.IGNORECASE)

#: How the names of settings end whose values are never shown.
_SECRET_ENDINGS = ("_PASSWORD", "_URI", "_TOKEN", "_SECRET", "_API_KEY", "_WEBHOOKS")


class Settings(BaseSettings):
    """All settings; immutable once read."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    # -- Kafka
    kafka_bootstrap_servers: str = Field(
        DEFAULT_KAFKA, description="Addresses of Kafka brokers, host:port, separated by commas."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, with a SASL_* protocol."
    )
    kafka_sasl_username: str | None = Field(None, description="SASL user name.")
    kafka_sasl_password: SecretStr | None = Field(None, description="SASL password.")
    kafka_ssl_ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed the brokers' certificates."
    )
    kafka_ssl_cert_file: Path | None = Field(
        None, description="PEM file of this client's certificate, for mutual TLS."
    )
    kafka_ssl_key_file: Path | None = Field(
        None, description="PEM file of this client's private key, for mutual TLS."
    )
    kafka_ssl_key_password: SecretStr | None = Field(
        None, description="Password of an encrypted private key, for mutual TLS."
    )
    kafka_timeout_s: float = Field(
        30.0, gt=0, le=600, description="Longest wait for the broker to acknowledge, in seconds."
    )
    topic_partitions: int = Field(
        8, ge=1, le=1000, description="Partitions of every topic. Fixed once topics exist."
    )
    topic_replication_factor: int = Field(
        1, ge=1, le=9, description="Replicas of every topic; 3 on a cluster of three brokers."
    )
    topic_per_ticker: bool = Field(
        False,
        description="Also copy each message to a topic of its own ticker (stock-prices.AAPL).",
    )

    # -- MongoDB
    mongodb_uri: SecretStr = Field(
        SecretStr(DEFAULT_MONGODB), description="MongoDB connection string."
    )
    mongodb_database: str = Field(
        "financial_trends",
        pattern=r"^[A-Za-z0-9_-]{1,60}$",
        description="Name of the database.",
    )
    mongodb_timeout_s: float = Field(
        10.0, gt=0, le=600, description="Longest wait for one answer of MongoDB, in seconds."
    )
    posts_ttl_days: int | None = Field(
        None,
        ge=1,
        le=MOST_TTL_DAYS,
        description="Delete posts after so many days; unset keeps them.",
    )
    news_ttl_days: int | None = Field(
        None,
        ge=1,
        le=MOST_TTL_DAYS,
        description="Delete news after so many days; unset keeps them.",
    )

    # -- the worker
    app_id: str = Field(
        "financial-trends",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="Consumer group, and first part of the changelog topics' names.",
    )
    data_dir: Path = Field(Path(".data/worker"), description="Directory of the worker's files.")
    web_host: str = Field("127.0.0.1", description="Address that the worker's web server binds.")
    web_port: int = Field(6066, ge=1, le=65535, description="Port of the worker's web server.")
    web_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Token that the web server asks for; required on an address beyond loopback.",
    )
    web_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="More host names that the web server answers to, separated by commas."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="How log lines look: for people, or one JSON object each."
    )
    checkpoint_interval_s: float = Field(
        1.0,
        gt=0,
        le=60,
        description="Seconds between checkpoints: what a killed worker has to do again.",
    )
    indicators: str = Field(
        DEFAULT_SPEC, description="Indicators and their periods, separated by commas."
    )
    publish_snapshots: bool = Field(
        True,
        description="Publish the indicators of each bar, but of history, on technical-indicators.",
    )

    sentiment_half_life_s: float = Field(
        21600.0,
        ge=60,
        le=31_536_000,
        description="Age at which an item or a post counts half in the sentiment, in seconds.",
    )
    trend_weights: str = Field(
        DEFAULT_WEIGHTS,
        description="How much each component of the trend counts, separated by commas.",
    )

    # -- alerts
    alert_rules: Path | None = Field(
        None, description="File of alert rules, in TOML; without it there are no alerts."
    )
    alert_webhooks: SecretStr | None = Field(
        None,
        description="Webhooks beside those of the file: name=address, separated by commas.",
    )
    alert_webhook_max_age_days: int = Field(
        7,
        ge=1,
        le=36_500,
        description="Webhooks get no alerts of events that were over more days ago.",
    )
    alert_webhook_secret: SecretStr | None = Field(
        None, min_length=16, description="Key that webhook requests are signed with."
    )

    # -- sources
    tickers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Tickers that the worker's sources follow, separated by commas."
    )
    price_source: Literal["none", "yahoo", "replay", "simulated"] = Field(
        "none", description="Where the worker gets prices from."
    )
    poll_interval_s: float = Field(
        1.0, gt=0, le=86400, description="Seconds between two polls of a source."
    )
    bar_interval: Interval = Field("1d", description="Length of one bar: 1m, 1h, 1d, 1wk, ...")
    more_bar_intervals: Annotated[tuple[Interval, ...], NoDecode] = Field(
        (), description="Further lengths of bars to follow at Yahoo, separated by commas."
    )
    history_period: str | None = Field(
        None,
        pattern=r"^([1-9]\d{0,3}(d|wk|mo|y)|ytd|max)$",
        description="How far back Yahoo's history is loaded: 30d, 6mo, 5y, max; at least 500 bars.",
    )
    replay_speed: float = Field(
        2.0, gt=0, le=100_000, description="Bars per second and ticker of a replay or a simulation."
    )
    simulated_seed: int = Field(1, ge=0, description="Seed of the simulated source.")
    simulate_missing: bool = Field(
        False,
        description="With a replay or simulated prices: make up news, posts and economic series "
        "where no provider is configured.",
    )
    yahoo_base_url: str | None = Field(
        None, description="Another address for Yahoo's prices; unset is Yahoo's own."
    )
    yahoo_stream: bool = Field(
        False, description="Refresh forming bars by Yahoo's stream of trades between two polls."
    )
    yahoo_stream_url: str | None = Field(
        None, description="Another address for Yahoo's stream; unset is Yahoo's own."
    )
    news_source: Literal["none", "rss"] = Field(
        "none", description="Where the worker gets news from."
    )
    news_feeds: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="RSS feeds to read beside Yahoo's per ticker, separated by commas."
    )
    yahoo_rss_base_url: str = Field(
        "https://feeds.finance.yahoo.com", description="Address of Yahoo's feeds per ticker."
    )
    news_poll_interval_s: float = Field(
        60.0, gt=0, le=86400, description="Seconds between two polls of the news feeds."
    )
    fred_api_key: SecretStr | None = Field(
        None, description="Key for FRED; without it there are no economic series."
    )
    fred_base_url: str = Field(
        "https://api.stlouisfed.org/fred", description="Address of FRED's interface."
    )
    fred_series: Annotated[tuple[str, ...], NoDecode] = Field(
        ("GDP", "CPIAUCSL", "UNRATE", "FEDFUNDS", "DGS10", "T10Y2Y", "VIXCLS"),
        description="Economic series to follow, separated by commas.",
    )
    economic_poll_interval_s: float = Field(
        3600.0, gt=0, le=86400, description="Seconds between two polls of the economic series."
    )
    reddit_client_id: str | None = Field(
        None, description="Client id for Reddit; without it there are no posts from there."
    )
    reddit_client_secret: SecretStr | None = Field(None, description="Client secret for Reddit.")
    reddit_subreddits: Annotated[tuple[str, ...], NoDecode] = Field(
        ("stocks", "wallstreetbets", "investing"),
        description="Subreddits to search, separated by commas.",
    )
    reddit_comments: bool = Field(False, description="Take comments as well as posts.")
    reddit_base_url: str | None = Field(
        None, description="Another address for Reddit; unset is Reddit's own."
    )
    twitter_bearer_token: SecretStr | None = Field(
        None, description="Bearer token for Twitter/X, which bills reads; without it, none."
    )
    twitter_daily_posts: int = Field(
        1000,
        ge=10,
        description="Posts that all workers together may read of Twitter/X in a day.",
    )
    twitter_base_url: str | None = Field(
        None, description="Another address for Twitter/X; unset is its own."
    )
    social_poll_interval_s: float = Field(
        300.0, gt=0, le=86400, description="Seconds between two polls of Reddit and Twitter/X."
    )
    social_authors: bool = Field(
        True, description="Keep the handle of a post's author; nothing else of a person is kept."
    )
    skip_news: bool = Field(False, description="Turn the news source off.")
    skip_economic: bool = Field(False, description="Turn the source of economic series off.")
    skip_twitter: bool = Field(False, description="Turn the Twitter/X source off.")
    skip_reddit: bool = Field(False, description="Turn the Reddit source off.")

    @field_validator("tickers", mode="before")
    @classmethod
    def _split_tickers(cls, value: Any) -> Any:
        names = value.split(",") if isinstance(value, str) else value
        tidy = [name.strip().upper() for name in names]
        return tuple(dict.fromkeys(check_ticker(name) for name in tidy if name))

    @field_validator(
        "more_bar_intervals",
        "news_feeds",
        "fred_series",
        "reddit_subreddits",
        "web_allowed_hosts",
        mode="before",
    )
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        names = value.split(",") if isinstance(value, str) else value
        return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))

    @field_validator("indicators")
    @classmethod
    def _known_indicators(cls, value: str) -> str:
        parse(value)
        return value

    @field_validator("trend_weights")
    @classmethod
    def _known_weights(cls, value: str) -> str:
        parse_weights(value)
        return value

    @property
    def kafka_given(self) -> bool:
        """Whether somebody named a Kafka, or the default stands."""
        return "kafka_bootstrap_servers" in self.model_fields_set

    @property
    def mongodb_given(self) -> bool:
        """Whether somebody named a MongoDB, or the default stands."""
        return "mongodb_uri" in self.model_fields_set

    @property
    def mongodb_address(self) -> str:
        """The MongoDB address without user and password, for display."""
        return without_credentials(self.mongodb_uri.get_secret_value())


def without_credentials(uri: str) -> str:
    """Return ``uri`` without user name and password, and without options that hold a secret.

    >>> without_credentials("mongodb://me:secret@db.example:27017/?tls=true")
    'mongodb://db.example:27017/?tls=true'
    """
    scheme, mark, rest = uri.partition("://") if "://" in uri else ("", "", uri)
    # Cut by hand: a password that is not percent-encoded, as it should be, must not show either.
    place, _, options = rest.rpartition("@")[2].partition("?")
    shown = [one for one in options.split("&") if one and not _SECRET_OPTION.match(one)]
    return f"{scheme}{mark}{place}{'?' if shown else ''}{'&'.join(shown)}"


def read_settings(**overrides: Any) -> Settings:
    """Read the settings, with ``overrides`` above environment and ``.env``.

    Raises:
        ConfigurationError: a value is not allowed; names the variable, the value and the rule.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False):
            name = "_".join(str(part) for part in problem["loc"][:1]).upper()
            secret = name.endswith(_SECRET_ENDINGS)
            shown = "a value" if secret else repr(problem["input"])
            lines.append(f"setting {name} is {shown}: {problem['msg']}")
        raise ConfigurationError("; ".join(lines)) from None


@functools.cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return read_settings()
