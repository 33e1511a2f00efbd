"""Snapshots of indicators as JSON, many of the same names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from models import OURSELVES
from models.quick import AnyBar


def snapshots(outputs: Sequence[str]) -> Callable[[AnyBar, Sequence[float]], bytes]:
    """Return a function that makes the message of an `IndicatorSnapshot` of our own.

    It takes the bar and the values at it, NaN where there is none, and does in a third of the time
    what the encoder does with the same fields: the names are in place already.

    Args:
        outputs: the names of the values, in order.

    >>> from models import Bar
    >>> bar = Bar("AAPL", "1d", 5, 1.0, 2.0, 1.0, 2.0, 9.0, "yahoo", 6)
    >>> snapshots(["sma", "rsi"])(bar, [1.5, float("nan")])
    b'{"ticker":"AAPL","interval":"1d","time":5,"values":{"sma":1.5,"rsi":null},\
"source":"financial-trends","closed":true}'
    """
    names = [orjson.dumps(name).replace(b"%", b"%%") for name in outputs]
    values_form = b",".join(name + b":%b" for name in names)
    form = (
        b'{"ticker":"%b","interval":"%b","time":%d,"values":{' + values_form + b'},"source":'
        + orjson.dumps(OURSELVES) + b',"closed":%b}'
    )  # fmt: skip

    def snapshot(bar: AnyBar, values: Sequence[float]) -> bytes:
        # Neither a ticker nor an interval has a character that JSON would escape.
        return form % (
            bar.ticker.encode(),
            bar.interval.encode(),
            bar.time,
            *orjson.dumps(values)[1:-1].split(b","),
            b"true" if bar.closed else b"false",
        )

    return snapshot
