"""The command ``faust -A app alerts``: checks the rules, lists them, tries them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerts import RuleBook
from alerts.language import duration_text
from config import Settings
from errors import FinancialTrendsError, Refused
from models.rules import check_ticker
from operations.alert_trial import Trial
from sinks.documents import as_date
from startup import read_rules
from transport import BatchingApp

_REFUSED = 2


def attach(app: BatchingApp, settings: Settings) -> None:
    """Declare the command."""
    console = Console(soft_wrap=True)

    @app.command(
        click.argument("action", type=click.Choice(["check", "list", "try"])),
        click.argument("ticker", default=""),
        click.option(
            "--rules",
            type=click.Path(path_type=Path),
            help="Another file than ALERT_RULES.",
        ),
    )
    async def alerts(_self: Any, action: str, ticker: str, rules: Path | None) -> None:
        """Check the alert rules, list them, or try them over what is stored of a TICKER."""
        try:
            await asyncio.to_thread(_run, console, settings, action, ticker, rules)
        except (FinancialTrendsError, ValueError) as error:
            console.print(f"error: {error}", style="red", markup=False, highlight=False)
            sys.exit(_REFUSED)


def _run(
    console: Console, settings: Settings, action: str, ticker: str, rules: Path | None
) -> None:
    changed = settings if rules is None else settings.model_copy(update={"alert_rules": rules})
    if changed.alert_rules is None:
        raise Refused("there are no rules: set ALERT_RULES, or name a file by --rules")
    book = read_rules(changed)
    if action == "check":
        counts = f"{len(book.rules)} rules, {len(book.webhooks)} webhooks"
        console.print(f"{changed.alert_rules}: right, {counts}", markup=False, highlight=False)
    elif action == "list":
        console.print(rules_table(book))
    elif not ticker:
        raise Refused("which ticker? alerts try AAPL")
    else:
        _try(console, changed, book, check_ticker(ticker.upper()))


def rules_table(book: RuleBook) -> Table:
    """Return the rules, one a row; of webhooks the names."""
    table = Table("rule", "when", "tickers", "bars", "cooldown", "severity", "webhooks")
    for rule in book.rules:
        table.add_row(
            Text(rule.name),
            Text(rule.when),
            "all" if rule.tickers is None else ", ".join(sorted(rule.tickers)),
            f"{rule.interval or 'all'}, {rule.on}" if rule.reads_bars else "-",
            duration_text(rule.cooldown_ms) if rule.cooldown_ms else "-",
            rule.severity,
            ", ".join(webhook.name for webhook in book.targets(rule.name)) or "-",
        )
    return table


def _try(console: Console, settings: Settings, book: RuleBook, ticker: str) -> None:
    trial = Trial(settings, book)
    found = trial.run(ticker)
    table = Table("time", "bars", "rule", "severity", "message")
    for alert in found:
        table.add_row(
            as_date(alert["time"]).isoformat(timespec="minutes").replace("+00:00", "Z"),
            alert["interval"] or "-",
            *(Text(alert[name]) for name in ("rule", "severity", "message")),
        )
    if found:
        console.print(table)
    seen = ", ".join(f"{count} {stream}" for stream, count in trial.looked_at.items())
    text = f"{ticker}: {len(found)} alerts over what is stored ({seen or 'nothing'})"
    if book.silences:
        text += "; silence is not tried"
    console.print(text, markup=False, highlight=False)
