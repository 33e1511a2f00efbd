"""The table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    console.print(_table(found))
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


def _table(found: Mapping[str, Any]) -> Table:
    size, delays = found["workload"], found["latency"]
    floor = max((one["floor_ms"] for one in delays.values()), default=0.0)
    table = Table(
        title=f"{size['bars']:,} bars of {size['tickers']} tickers",
        caption="ms: at 1,000 bars/s, from the broker's acknowledgement until the document is "
        f"readable and the snapshot on its topic; {floor:.1f} of them are the way of that news",
    )
    table.add_column("contestant", no_wrap=True)
    rates = ("bars/s", "ours is x", "CPU us/bar", "RSS MB", "bars")
    for heading in (*rates, "document p50 ms", "p99", "snapshot p50 ms", "p99"):
        table.add_column(heading, justify="right")
    rounds = found["rounds"]
    used = _medians(rounds, lambda one: 1e6 * one["cpu_s"] / one["bars"])
    memory = _medians(rounds, lambda one: one["rss_mb"])
    counted = _medians(rounds, lambda one: one["bars"])
    for name, one in found["contestants"].items():
        delay = delays.get(name)
        cells = [
            one["bars_per_s"],
            found["ratios"].get(name),
            # Whoever ended by itself left nothing to look at.
            used[name] or None,
            memory[name] or None,
            counted[name],
            *(
                None if delay is None else delay[what][which]
                for what in ("document_ms", "snapshot_ms")
                for which in ("p50", "p99")
            ),
        ]
        table.add_row(TITLES[name], *map(_cell, cells))
    return table


def _medians(
    rounds: Iterable[Mapping[str, Any]], figure: Callable[[Mapping[str, Any]], float]
) -> dict[str, float]:
    return medians({name: figure(one) for name, one in part.items()} for part in rounds)


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


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
    before = results.read()
    results.write({**found, **{name: before[name] for name in results.OTHERS if name in before}})
    results.CHART.write_text(draw(found), encoding="utf-8")
