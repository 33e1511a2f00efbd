"""When a rule fires: at the edge, not within its cooldown, and once for each event."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import AlertState, Event
from tests.alerts.rules import book, rule

MINUTE = 60_000


def events(*rsi: float | None) -> list[Event]:
    """Bars a minute apart, with these values of RSI."""
    return [
        Event(f"1m|{n * MINUTE}", n * MINUTE, {"rsi": value}, "1m") for n, value in enumerate(rsi)
    ]


def fired(more: str, given: list[Event], when: str = "rsi < 30") -> list[int]:
    """The numbers of the events that fire the rule."""
    state, one = AlertState(0), rule(when, more)
    return [number for number, event in enumerate(given) if state.take([one], event)]


@pytest.mark.parametrize(
    ("rsi", "expected"),
    [
        ((50, 29, 28, 29), [1]),
        ((50, 29, 31, 29), [1, 3]),
        ((29, 28, 31, 29), [3]),
        ((None, 29, 28), []),
        ((50, None, 29), [2]),
        ((50, 29, None, 29), [1]),
        ((50, 30, 29), [2]),
    ],
)
def test_a_rule_fires_at_the_edge(rsi: tuple[float | None, ...], expected: list[int]) -> None:
    assert fired("", events(*rsi)) == expected


@given(st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=40), st.integers(0, 9))
def test_once_per_crossing_and_cooldown(rsi: list[float | None], minutes: int) -> None:
    """As one counts by hand over the whole list."""
    expected: list[int] = []
    known: list[float] = []
    last: int | None = None
    for number, value in enumerate(rsi):
        if value is None:
            continue
        crossed = bool(known) and known[-1] >= 30 > value
        if crossed and (last is None or number - last >= minutes):
            expected.append(number)
            last = number
        known.append(value)
    assert fired(f'cooldown = "{minutes}m"', events(*rsi)) == expected


def test_a_cooldown_is_in_the_time_of_events() -> None:
    given_events = events(50, 29, 50, 29, 50, 29)
    assert fired('cooldown = "3m"', given_events) == [1, 5]
    assert fired('cooldown = "2m"', given_events) == [1, 3, 5]


def test_crossings_see_every_event() -> None:
    given_events = [
        Event(str(n), n, {"close": close, "sma": 10.0, "rsi": rsi}, "1d")
        for n, (close, rsi) in enumerate([(9, 60), (11, 60), (9, 60), (11, 20)])
    ]
    assert fired("", given_events, "rsi < 30 and close crosses above sma") == [3]
    assert fired("", given_events, "close crosses above sma") == [1, 3]
    assert fired("", given_events, "close crosses sma") == [1]


def test_a_trend_that_changes() -> None:
    given_events = [
        Event(str(n), n, {"trend": trend})
        for n, trend in enumerate(["up", "up", "down", "up", "up", "sideways", "up"])
    ]
    assert fired("", given_events, "trend changes to up") == [3, 6]
    assert fired("", given_events, "trend is up") == [3, 6]
    assert fired("", given_events, "trend is not up") == [2, 5]


def test_a_bar_that_forms_fires_once() -> None:
    bar = [Event("1m|0", 0, {"rsi": rsi}, "1m") for rsi in (50, 29, 31, 29, 31)]
    following = [Event("1m|60000", MINUTE, {"rsi": rsi}, "1m") for rsi in (29,)]
    assert fired('on = "forming"', [*bar, *following]) == [1, 5]


def test_intervals_are_apart() -> None:
    state, one = AlertState(0), rule("rsi < 30")
    for interval in ("1m", "1h"):
        assert not state.take([one], Event(f"{interval}|0", 0, {"rsi": 50.0}, interval))
    found = [
        state.take([one], Event(f"{interval}|1", 1, {"rsi": 20.0}, interval))
        for interval in ("1m", "1h")
    ]
    assert [firing.alert("AAPL")["id"] for (firing,) in found] == [
        "AAPL|it|1m|1",
        "AAPL|it|1h|1",
    ]


def test_an_alert_is_a_function_of_rule_ticker_and_event() -> None:
    message = "{ticker}: {rsi:.1f} at {close}, {volume} shares"
    one = rule("rsi < 30", f'message = "{message}"\nseverity = "info"')
    state = AlertState(0)
    state.take([one], Event("1d|0", 0, {"rsi": 50.0, "close": 9.0, "volume": 5.0}, "1d"))
    values = {"rsi": 28.46, "close": 10.5, "sma": 3.0, "volume": 4_681_100.0}
    event = Event("1d|5", 5, values, "1d")
    (firing,) = state.take([one], event)
    assert firing.alert("AAPL") == {
        "ticker": "AAPL",
        "id": "AAPL|it|1d|5",
        "rule": "it",
        "time": 5,
        "interval": "1d",
        "severity": "info",
        "message": "AAPL: 28.5 at 10.5, 4,681,100 shares",
        "condition": "rsi < 30",
        "values": {"rsi": 28.46, "close": 10.5, "volume": 4_681_100.0},
    }


@given(st.lists(st.integers(20, 40), min_size=2, max_size=30), st.integers(0, 29))
def test_a_state_goes_on_after_a_restart(rsi: list[float], cut: int) -> None:
    """Saved after any event and read again, it fires as if nothing had happened."""
    found = book('[[rule]]\nname = "it"\nwhen = "rsi crosses 30 or rsi < 25"\ncooldown = "2m"\n')
    whole, given_events = AlertState(3), events(*rsi)
    expected = [bool(whole.take(found.rules, event)) for event in given_events]
    state, seen = AlertState(3), []
    for number, event in enumerate(given_events):
        seen.append(bool(state.take(found.rules, event)))
        assert state.is_new("stock-prices", number)
        if number == cut:
            raw = state.dump()
            assert raw.startswith(b'{"offset":')
            state = AlertState.restored(3, orjson.loads(raw), found)
            assert state.dump() == raw
    assert seen == expected


def test_what_is_of_another_rule_is_forgotten() -> None:
    old = book('[[rule]]\nname = "it"\nwhen = "rsi < 30"\n[[rule]]\nname = "b"\nwhen = "rsi > 3"')
    state = AlertState(0)
    state.take(old.rules, events(50)[0])
    new = book('[[rule]]\nname = "it"\nwhen = "rsi < 31"\n')
    restored = AlertState.restored(0, orjson.loads(state.dump()), new)
    assert restored.rules == {}
    assert AlertState.restored(0, orjson.loads(state.dump()), old).rules.keys() == {"it|1m", "b|1m"}


def test_a_message_is_looked_at_once() -> None:
    state = AlertState(0)
    assert state.is_new("stock-prices", 4)
    assert not state.is_new("stock-prices", 4)
    assert not state.is_new("stock-prices", 3)
    assert state.is_new("trends", 0)
    assert state.offset == 5


def _silence(state: AlertState, heard: int, due: int, more: str = "") -> Any:
    one = rule("silence of yahoo > 10m", more)
    return state.silence(one, "yahoo", heard, due)


def test_each_silence_fires_once() -> None:
    state = AlertState(0)
    state.hear("yahoo", 1_000, of_prices=True)
    assert _silence(state, 1_000, 601_000).alert("AAPL") == {
        "ticker": "AAPL",
        "id": "AAPL|it|silence|1000",
        "rule": "it",
        "time": 601_000,
        "interval": None,
        "severity": "warning",
        "message": "AAPL: nothing of yahoo (silence of yahoo > 10m)",
        "condition": "silence of yahoo > 10m",
        "values": {},
    }
    assert _silence(state, 1_000, 601_000) is None
    state.hear("yahoo", 900_000, of_prices=True)
    state.hear("yahoo", 800_000, of_prices=True)
    assert _silence(state, 1_000, 601_000) is None, "it has been heard since"
    assert _silence(state, 900_000, 1_500_000) is not None


def test_a_silence_has_a_cooldown() -> None:
    state = AlertState(0)
    for heard, fires in ((0, True), (700_000, False), (4_000_000, True)):
        state.hear("yahoo", heard, of_prices=True)
        found = _silence(state, heard, heard + 600_000, 'cooldown = "1h"')
        assert (found is not None) is fires
