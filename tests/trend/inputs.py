"""Inputs to test with: any, mirrored, and with some of them missing."""

from __future__ import annotations

from hypothesis import strategies as st

from trend import NO_BAR, Backdrop, Change, Inputs, LastBar, Opinion
from trend.macro import READINGS, moved

KINDS = ("news", "twitter", "reddit")

#: Each value that is read of the indicators, in the range that it has.
VALUES: dict[str, st.SearchStrategy[float]] = {
    "macd": st.floats(-50, 50),
    "macd_hist": st.floats(-10, 10),
    "atr": st.floats(0.01, 20),
    "adx": st.floats(0, 100),
    "rsi": st.floats(0, 100),
    "roc": st.floats(-45, 80),
    "mfi": st.floats(0, 100),
}

#: Inputs of which everything is there, rising.
FULL = Inputs(
    LastBar(
        0,
        104.0,
        {
            "macd": 1.2,
            "macd_hist": 0.1,
            "atr": 1.5,
            "adx": 30.0,
            "rsi": 64.0,
            "roc": 4.0,
            "mfi": 60.0,
        },
        0.3,
    ),
    {
        "news": Opinion(0.4, 3.0, 5),
        "twitter": Opinion(0.1, 9.0, 40),
        "reddit": Opinion(0.2, 1.0, 1),
    },
    Backdrop({series: Change(101.0, 100.0) for series in READINGS}),
)


@st.composite
def inputs(draw: st.DrawFn, everything: bool = False) -> Inputs:
    """Any inputs; ``everything`` of them where asked for."""
    if everything:
        values = draw(st.fixed_dictionaries(VALUES))
    else:
        values = draw(st.fixed_dictionaries({}, optional=VALUES))
    slope = draw(st.floats(-1, 1) if everything else st.none() | st.floats(-1, 1))
    bar = LastBar(0, draw(st.floats(1, 500)), values, slope)
    opinion = st.builds(Opinion, st.floats(-1, 1), st.floats(0, 50), st.integers(1, 500))
    change = st.builds(Change, st.floats(50, 200), st.floats(50, 200))
    kinds, series = (len(KINDS), len(READINGS)) if everything else (0, 0)
    opinions = draw(st.dictionaries(st.sampled_from(KINDS), opinion, min_size=kinds))
    changes = draw(st.dictionaries(st.sampled_from(list(READINGS)), change, min_size=series))
    return Inputs(bar, opinions, Backdrop(changes))


def mirrored(given: Inputs) -> Inputs:
    """The same inputs upside down."""
    bar = given.bar
    values = dict(bar.values)
    for name in ("macd", "macd_hist"):
        if name in values:
            values[name] = -(values[name] or 0.0)
    for name in ("rsi", "mfi"):
        if name in values:
            values[name] = 100.0 - (values[name] or 0.0)
    if "roc" in values:
        # The close is the same, the one 12 bars ago as far on the other side of it.
        roc = values["roc"] or 0.0
        part = -roc / (100.0 + roc)
        values["roc"] = 100.0 * part / (1.0 - part)
    slope = None if bar.obv_slope is None else -bar.obv_slope
    opinions = {name: one._replace(mean=-one.mean) for name, one in given.opinions.items()}
    changes = {series: _mirrored(series, one) for series, one in given.backdrop.changes.items()}
    return Inputs(bar._replace(values=values, obv_slope=slope), opinions, Backdrop(changes))


def _mirrored(series: str, change: Change) -> Change:
    reading, size = READINGS[series], moved(series, change)
    assert size is not None
    other = 2 * reading.usual - size
    if reading.relative:
        return Change(change.before * (1.0 + other / 100.0), change.before)
    return Change(change.before + other, change.before)


def without(given: Inputs, component: str) -> Inputs:
    """Inputs that lack what one component reads, and nothing that another one does."""
    bar = given.bar
    reads = {"price": ("macd", "adx"), "momentum": ("rsi", "macd_hist", "roc"), "volume": ("mfi",)}
    if component in reads:
        values = {name: one for name, one in bar.values.items() if name not in reads[component]}
        slope = None if component == "volume" else bar.obv_slope
        return given._replace(bar=bar._replace(values=values, obv_slope=slope))
    if component == "macro":
        return given._replace(backdrop=Backdrop({}))
    opinions = {name: one for name, one in given.opinions.items() if name != component}
    return given._replace(opinions=opinions)


NOTHING = Inputs(NO_BAR, {}, Backdrop({}))
