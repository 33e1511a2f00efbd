"""The table at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import results, roster
from benchmarks.chart import chart
from benchmarks.figures import medians

TITLES = {one.name: one.title for one in (*roster.CONTESTANTS, roster.LOADER)}
OURS = frozenset({roster.OURS, roster.OURS_WITH_SNAPSHOTS, roster.BACKFILL})


def show(console: Console, found: Mapping[str, Any]) -> None:
    """Print what was measured, and with which settings."""
    console.print(_rates(found))
    console.print(_latencies(found))
    for name, settings in _settings(found).items():
        console.print(f"{name}: {settings}", highlight=False)
    place = found["machine"]
    console.print(
        f"{place['processor']}, {place['cores']} cores, load before {place['load_before']}; "
        f"commit {found['commit']}; {len(found['rounds'])} round(s)"
    )


def draw(found: Mapping[str, Any]) -> str:
    """Return the chart of the rates."""
    rates = {TITLES[name]: one["bars_per_s"] for name, one in found["contestants"].items()}
    # The loops alone would make all other bars invisible.
    for name in (roster.CONFLUENT_LOOP, roster.AIOKAFKA_LOOP):
        rates.pop(TITLES[name], None)
    place = found["machine"]
    note = (
        f"{found['workload']['bars']:,} bars of {found['workload']['tickers']} tickers, "
        f"{len(found['rounds'])} round(s), {place['processor']}, {place['cores']} cores, "
        f"load before {place['load_before']}, commit {found['commit']}"
    )
    return chart("Bars a second", note, rates, frozenset(TITLES[name] for name in OURS))


def _rates(found: Mapping[str, Any]) -> Table:
    table = Table(
        title=f"{found['workload']['bars']:,} bars, {found['workload']['tickers']} tickers"
    )
    table.add_column("contestant")
    for heading in ("bars/s", "ours is x times", "us CPU/bar", "RSS MB", "bars counted"):
        table.add_column(heading, justify="right")
    used = medians(
        {name: 1e6 * one["cpu_s"] / one["bars"] for name, one in part.items() if one["cpu_s"]}
        for part in found["rounds"]
    )
    memory = medians(
        {name: one["rss_mb"] for name, one in part.items() if one["rss_mb"]}
        for part in found["rounds"]
    )
    counted = medians({name: one["bars"] for name, one in part.items()} for part in found["rounds"])
    for name, one in found["contestants"].items():
        ratio = found["ratios"].get(name)
        table.add_row(
            TITLES[name],
            f"{one['bars_per_s']:,.0f}",
            "" if ratio is None else f"{ratio:.2f}",
            f"{used[name]:.0f}" if name in used else "",
            f"{memory[name]:.0f}" if name in memory else "",
            f"{counted[name]:,.0f}",
        )
    return table


def _latencies(found: Mapping[str, Any]) -> Table:
    table = Table(title="milliseconds at 1,000 bars/s after the broker's acknowledgement")
    table.add_column("contestant")
    for heading in ("document p50", "p99", "max", "snapshot p50", "p99", "max", "floor"):
        table.add_column(heading, justify="right")
    for name, one in found["latency"].items():
        cells = [one[what][which] for what in ("document_ms", "snapshot_ms") for which in one[what]]
        table.add_row(TITLES[name], *(f"{cell:,.1f}" for cell in cells), f"{one['floor_ms']:.2f}")
    return table


def _settings(found: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: one["settings"] for part in found["rounds"] for name, one in part.items()}
    told |= {f"{name} (latency)": one["settings"] for name, one in found["latency"].items()}
    return {name: settings for name, settings in told.items() if settings}


def problems(found: Mapping[str, Any]) -> list[str]:
    """What is wrong with the contestants' documents, in words."""
    return [
        f"round {number}, {name}: {text}"
        for number, part in enumerate(found["rounds"], 1)
        for name, one in part.items()
        for text in one["problems"]
    ]


def publish(found: Mapping[str, Any]) -> None:
    """Write the results and the chart to their folder; keep what other commands put there."""
    growth = results.read().get("growth")
    results.write(found if growth is None else {**found, "growth": growth})
    results.CHART.write_text(draw(found), encoding="utf-8")
