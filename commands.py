"""The commands of the app that look at it and order it: ``faust -A app doctor``, ``recompute``.

Those with which a person goes back or sends something again are in :mod:`operations`.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from pydantic import SecretStr
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table

from broker import Broker
from config import Settings, without_credentials
from errors import FinancialTrendsError
from kafka_producer import FinancialDataProducer
from models import Command, follow_orders, recompute_orders, unfollow_orders
from models.rules import check_ticker
from sinks.documents import DATA_COLLECTIONS, DEAD_LETTERS, TREND_COLLECTIONS
from sinks.history import StoredBars
from sinks.mongo import connect, database, unavailable
from startup import read_rules
from topics import ALL_TOPICS, COMMANDS, CONSUMED
from transport import BatchingApp

#: How long the doctor waits for each server, in seconds.
DOCTOR_WAIT_S = 3.0

#: How often a command looks whether a worker has carried it out, in seconds.
LOOK_EVERY_S = 0.5

#: What an address may hold that nobody else should see: a user with a password, a key.
_SECRET_PART = re.compile(
    r"(://(?=[^/?#\s,]*@)|[?&][^=&,]*(?:token|key|secret|password)[^=&,]*=)"
    r"(?:(?<=//)[^/?#\s,]*(?=@)|(?<==)[^&#,]*)",
    re.IGNORECASE,
)


def settings_table(settings: Settings) -> Table:
    """Return the settings in force; passwords are not shown."""
    table = Table("setting", "value", "from", title="settings in force", title_justify="left")
    for name in type(settings).model_fields:
        given = name in settings.model_fields_set
        table.add_row(
            name.upper(), _shown(getattr(settings, name)), "environment" if given else "default"
        )
    return table


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return without_credentials(secret) if secret.startswith("mongodb") else "********"
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return "-" if value is None or not text else _SECRET_PART.sub(r"\1********", text)


def check_kafka(settings: Settings) -> tuple[bool, str]:
    """Return whether Kafka answers, and in a sentence what it holds."""
    try:
        with Broker(settings, DOCTOR_WAIT_S) as broker:
            existing = broker.partitions()
            lag = sum(broker.lag(settings.app_id, CONSUMED).values())
    except FinancialTrendsError as error:
        return False, str(error)
    missing = [spec.name for spec in ALL_TOPICS if spec.name not in existing]
    wrong = [
        f"{spec.name} has {existing[spec.name]} partitions, not {settings.topic_partitions}"
        for spec in ALL_TOPICS
        if existing.get(spec.name, settings.topic_partitions) != settings.topic_partitions
    ]
    if wrong:
        return False, "; ".join(wrong)
    state = f"topics missing: {', '.join(missing)}" if missing else f"all {len(ALL_TOPICS)} topics"
    return True, f"{settings.kafka_bootstrap_servers}: {state}; {lag} messages not processed yet"


def check_mongodb(settings: Settings) -> tuple[bool, str]:
    """Return whether MongoDB answers, and in a sentence what it holds."""
    waiting = settings.model_copy(update={"mongodb_timeout_s": DOCTOR_WAIT_S})
    try:
        with connect(waiting) as client:
            version = client.server_info()["version"]
            found = database(client, waiting)
            counts = {
                name: found[name].estimated_document_count()
                for name in (*DATA_COLLECTIONS.values(), *TREND_COLLECTIONS, DEAD_LETTERS)
            }
    except PyMongoError as error:
        return False, str(unavailable(settings.mongodb_address, error))
    except FinancialTrendsError as error:
        return False, str(error)
    held = ", ".join(f"{name} {count}" for name, count in counts.items())
    return True, f"{settings.mongodb_address}: MongoDB {version}; {held}"


def examine(settings: Settings, console: Console) -> bool:
    """Print the settings in force and what answers; returns whether all is well."""
    console.print(settings_table(settings))
    well = True
    for name, check in (("Kafka", check_kafka), ("MongoDB", check_mongodb)):
        answers, detail = check(settings)
        mark = "[green]ok[/green]" if answers else "[red]not ok[/red]"
        console.print(f"{name}: {mark}  ", end="")
        console.print(detail, markup=False, highlight=False)
        well = well and answers
    following = ", ".join(settings.tickers) or "no tickers"
    console.print(f"prices: source {settings.price_source}, {following}", highlight=False)
    console.print(f"alerts: {rules_in_words(settings)}", markup=False, highlight=False)
    return well


def rules_in_words(settings: Settings) -> str:
    """Return which alert rules are in force; of webhooks the names.

    Raises:
        ConfigurationError: the file, or a webhook, is not right.
    """
    if settings.alert_rules is None:
        return "no rules (ALERT_RULES is not set)"
    book = read_rules(settings)
    webhooks = ", ".join(book.webhooks) or "none"
    return f"{len(book.rules)} rules of {settings.alert_rules}, webhooks: {webhooks}"


def order(settings: Settings, orders: Sequence[Command], wait_s: float) -> bool:
    """Send orders to the owners; returns whether they were carried out within the wait.

    Raises:
        BrokerUnavailable: Kafka does not answer.
    """
    with FinancialDataProducer(settings) as producer:
        producer.produce_records(COMMANDS, orders)
    deadline = time.monotonic() + wait_s
    with Broker(settings) as broker:
        while broker.lag(settings.app_id, [COMMANDS.name])[COMMANDS.name] > 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_EVERY_S)
    return True


def attach(app: BatchingApp, settings: Settings) -> None:
    """Declare the commands."""
    console = Console(soft_wrap=True)
    wait_option = click.option(
        "--wait", default=60.0, show_default=True, help="Longest wait for the workers, seconds."
    )
    series_option = click.option("--series", is_flag=True, help="The names are series of FRED.")

    async def carry_out(done: str, make: Callable[[], list[Command]], wait: float) -> None:
        try:
            orders = await asyncio.to_thread(make)
            finished = await asyncio.to_thread(order, settings, orders, wait)
        except (ValueError, FinancialTrendsError) as error:
            console.print(f"error: {error}", style="red", markup=False)
            sys.exit(2)
        names = ", ".join(one.ticker for one in orders)
        if finished:
            console.print(f"{done}: {names}", markup=False)
        else:
            console.print(
                f"ordered: {names}; no worker has finished within {wait:g} s. "
                "It is done as soon as one runs: faust -A app worker",
                markup=False,
            )
            sys.exit(1)

    @app.command()
    async def doctor(_self: Any) -> None:
        """Print the settings in force, what answers, and what is missing."""
        if not await asyncio.to_thread(examine, settings, console):
            sys.exit(1)

    @app.command(
        click.argument("tickers", nargs=-1),
        click.option("--all", "everything", is_flag=True, help="Every ticker with stored bars."),
        wait_option,
    )
    async def recompute(
        _self: Any, tickers: tuple[str, ...], everything: bool, wait: float
    ) -> None:
        """Rebuild the indicators of TICKERS from their first stored bar on."""

        def orders() -> list[Command]:
            names = StoredBars(settings).tickers() if everything else _tickers(tickers)
            if not names:
                raise ValueError("no tickers: name some, or give --all once there are stored bars")
            return recompute_orders(names)

        await carry_out("recomputed", orders, wait)

    @app.command(click.argument("names", nargs=-1, required=True), series_option, wait_option)
    async def follow(_self: Any, names: tuple[str, ...], series: bool, wait: float) -> None:
        """Have the sources poll NAMES, which are tickers, from now on, beside TICKERS."""
        await carry_out("followed", lambda: _following(follow_orders, names, series), wait)

    @app.command(click.argument("names", nargs=-1, required=True), series_option, wait_option)
    async def unfollow(_self: Any, names: tuple[str, ...], series: bool, wait: float) -> None:
        """Have the sources poll NAMES no longer, TICKERS or not; what is stored stays."""
        await carry_out("unfollowed", lambda: _following(unfollow_orders, names, series), wait)


def _following(make: Any, names: Iterable[str], series: bool) -> list[Command]:
    orders: list[Command] = make(names, "series") if series else make(_tickers(names))
    return orders


def _tickers(names: Iterable[str]) -> list[str]:
    return [check_ticker(name.upper()) for name in names]
