"""The commands ``faust -A app dead-letters`` and ``faust -A app reset-state``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from broker import Broker
from config import Settings
from errors import FinancialTrendsError, Refused
from models.times import to_ms
from operations import dead_letters, reset
from operations.dead_letters import DeadLetters
from tables.followed import FollowedTable
from transport import BatchingApp

_REFUSED = 2


def _say_error(console: Console, error: Exception) -> None:
    console.print(f"error: {error}", style="red", markup=False, highlight=False)
    sys.exit(_REFUSED)


def attach(app: BatchingApp, settings: Settings) -> None:
    """Declare the commands."""
    console = Console(soft_wrap=True)
    _attach_dead_letters(app, settings, console)
    _attach_reset(app, settings, console)


def _attach_dead_letters(app: BatchingApp, settings: Settings, console: Console) -> None:
    def run(action: str, letter: str, options: dict[str, Any]) -> int:
        with DeadLetters(settings) as letters:
            if action == "list":
                return _list(console, letters, options["topic"], options["limit"])
            if not letter:
                raise Refused(f"which one? dead-letters {action} ID")
            if action == "show":
                return _show(console, letters, letter, options["save"])
            file: Path | None = options["value"]
            value = None if file is None else file.read_bytes()
            again, wait_s = options["again"], options["wait"]
            return _replay(console, letters, letter, value, again=again, wait_s=wait_s)

    @app.command(
        click.argument("action", type=click.Choice(["list", "show", "replay"])),
        click.argument("letter", default=""),
        click.option("--topic", help="list: those of one topic."),
        click.option("--limit", default=20, show_default=True, help="list: at most so many."),
        click.option("--save", type=click.Path(path_type=Path), help="show: write it to a file."),
        click.option(
            "--value",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="replay: the message, mended, from a file.",
        ),
        click.option("--again", is_flag=True, help="replay: although it was replayed before."),
        click.option(
            "--wait",
            default=30.0,
            show_default=True,
            help="replay: longest wait for a worker, seconds.",
        ),
    )
    async def dead_letters(_self: Any, action: str, letter: str, **options: Any) -> None:
        """List dead letters, show one, or replay one: `dead-letters show 'topic|0|12'`."""
        await _ended(console, run, action, letter, options)


async def _ended(console: Console, run: Callable[..., int], *arguments: Any) -> None:
    """Run it in a thread, and end with its exit code."""
    try:
        code = await asyncio.to_thread(run, *arguments)
    except (FinancialTrendsError, OSError) as error:
        _say_error(console, error)
    else:
        if code:
            sys.exit(code)


def _list(console: Console, letters: DeadLetters, topic: str | None, limit: int) -> int:
    found = letters.newest(topic, limit)
    table = Table("id", "time", "size", "replayed", "error")
    for letter in found:
        table.add_row(*(_plain(text) for text in dead_letters.row(letter)))
    console.print(table if found else "no dead letters")
    return 0


def _plain(text: str) -> str:
    """Text of strangers, without what a terminal or rich would take for an order."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text).replace("[", r"\[")


def _show(console: Console, letters: DeadLetters, letter: str, save: Path | None) -> int:
    found = letters.get(letter)
    for name in ("topic", "partition", "offset", "key", "size", "agent", "time", "error"):
        console.print(_plain(f"{name}: {found[name]}"), highlight=False)
    if "replayed" in found:
        console.print(f"replayed: {found['replayed']}", highlight=False)
    kept = len(found["value"] or b"")
    if kept < found["size"]:
        console.print(f"of it the first {kept} bytes are kept", highlight=False)
    if save is not None:
        save.write_bytes(found["value"] or b"")
        console.print(f"value: written to {save}", markup=False, highlight=False)
    else:
        lines = dead_letters.shown(found["value"]).splitlines()
        console.print("value:\n" + "\n".join(map(_plain, lines)), highlight=False)
    return 0


def _replay(
    console: Console,
    letters: DeadLetters,
    letter: str,
    value: bytes | None,
    *,
    again: bool,
    wait_s: float,
) -> int:
    done = letters.replay(letter, value, again=again, wait_s=wait_s)
    place = "" if done.stored is None else f" as {done.stored[0]} {done.stored[1]}"
    if not done.processed:
        text = f"sent to {done.topic}; no worker has processed it within {wait_s:g} s. It is stored"
        console.print(f"{text}{place} as soon as one runs", markup=False, highlight=False)
        return 1
    if done.refused is not None:
        text = f"sent to {done.topic}, and refused once more: {done.refused}"
        console.print(text, markup=False, highlight=False)
        return 1
    console.print(f"sent to {done.topic}, and stored{place}", markup=False, highlight=False)
    return 0


def _attach_reset(app: BatchingApp, settings: Settings, console: Console) -> None:
    def prepare(since_ms: int | None) -> reset.Plan:
        # What is followed stays: the orders that say so are on Kafka for a day only.
        tables = [table for table in app.tables.values() if not isinstance(table, FollowedTable)]
        changelogs = [table.changelog_topic.get_topic_name() for table in tables]
        with Broker(settings) as broker:
            return reset.plan(broker, settings, changelogs, since_ms)

    def carry_out(plan: reset.Plan) -> None:
        with Broker(settings) as broker:
            reset.carry_out(broker, plan)

    @app.command(
        click.option(
            "--to",
            default="beginning",
            show_default=True,
            help="Process again what was sent since then: ISO 8601, or `beginning`.",
        ),
        click.option("--yes", is_flag=True, help="Do not ask."),
    )
    async def reset_state(_self: Any, to: str, yes: bool) -> None:
        """Delete the workers' state and rewind their offsets. No worker may run."""
        try:
            since_ms = None if to == "beginning" else to_ms("--to", to)
            plan = await asyncio.to_thread(prepare, since_ms)
            _explain(console, plan)
            if not yes and not _confirmed(plan.group):
                raise Refused("nothing was changed")
            await asyncio.to_thread(carry_out, plan)
        except FinancialTrendsError as error:
            _say_error(console, error)
        console.print(
            "done. Start the workers; when their lag is 0, rebuild the indicators from the stored "
            "bars: faust -A app recompute --all",
            highlight=False,
        )


def _explain(console: Console, plan: reset.Plan) -> None:
    console.print(f"group {plan.group}", highlight=False)
    for name in plan.changelogs:
        console.print(f"  deletes {name}: the state of every ticker", highlight=False)
    for topic, count in plan.again.items():
        gone = f" ({plan.gone[topic]} older ones are not kept any more)" if plan.gone[topic] else ""
        console.print(f"  processes {count} messages of {topic} again{gone}", highlight=False)
    console.print(
        "Documents stay: what is processed again lands in the same ones.", highlight=False
    )


def _confirmed(group: str) -> bool:
    """Whether somebody types the group's name; nobody does where the input is at its end."""
    try:
        return bool(click.prompt(f"Type {group} to do it", default="") == group)
    except click.Abort:
        return False
