"""One compiled function for each indicator: what its class does with a bar, on a row of numbers.

All take ``(row, at, p, bar)``: the row, where in it the indicator's fields begin (in the order in
which its class declares them), its parameters, and the bar as (high, low, close, volume). A ring is
its length and then its values, oldest first; NaN stands for None. The formulas, their sources and
their conventions are those of the classes; operations keep their order, so that results are equal
bit by bit.
"""

# mypy: disable-error-code="no-untyped-def"
# numba infers the types: arrays of float64 and their indices.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

NAN = np.nan
INF = np.inf
HIGH, LOW, CLOSE, VOLUME = 0, 1, 2, 3


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have numba compile ``function`` at its first call, and keep the result on disk if it can.

    Divisions are guarded by the formulas themselves, so they need no check (``numpy``).
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        # No folder that may be written, neither beside this file nor at home.
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


@compiled
def push(row, at, capacity, value):
    """Append to a ring, dropping the oldest value of a full one; whether it is full now."""
    length = int(row[at])
    if length == capacity:
        for place in range(at + 1, at + length):
            row[place] = row[place + 1]
        row[at + length] = value
        return True
    row[at + length + 1] = value
    row[at] = length + 1
    return length + 1 == capacity


@compiled
def total(row, at):
    """Return the sum of a ring, oldest first."""
    result = 0.0
    for place in range(at + 1, at + 1 + int(row[at])):
        result += row[place]
    return result


@compiled
def slide(row, at, window, high, low):
    """Move a window of highs and lows, and its extremes, on by a bar; whether it is full."""
    lows = at + 1 + window
    full = push(row, at, window, high)
    push(row, lows, window, low)
    highest, lowest = row[at + 1], row[lows + 1]
    for offset in range(2, int(row[at]) + 1):
        highest = max(highest, row[at + offset])
        lowest = min(lowest, row[lows + offset])
    row[lows + 1 + window] = highest
    row[lows + 2 + window] = lowest
    return full


@compiled
def sma(row, at, p, bar):
    """SMA(window): closes | sma."""
    window = int(p[0])
    if push(row, at, window, bar[CLOSE]):
        row[at + 1 + window] = total(row, at) / window


@compiled
def ema(row, at, p, bar):
    """EMA(window; alpha): count, average | ema."""
    window, alpha = p[0], p[1]
    average = row[at + 1]
    average = bar[CLOSE] if row[at] == 0 else average + alpha * (bar[CLOSE] - average)
    row[at + 1] = average
    if row[at] < window:
        row[at] += 1
    if row[at] >= window:
        row[at + 2] = average


@compiled
def rsi(row, at, p, bar):
    """RSI(window; alpha): count, close, up, down | rsi."""
    window, alpha = p[0], p[1]
    close = bar[CLOSE]
    change = close - row[at + 1] if row[at] else 0.0
    row[at + 1] = close
    up, down = row[at + 2], row[at + 3]
    if change > 0.0:
        up = up + (change - up) * alpha
        down = down - down * alpha
    else:
        up = up - up * alpha
        down = down - (change + down) * alpha
    row[at + 2], row[at + 3] = up, down
    if row[at] < window:
        row[at] += 1
    if row[at] >= window:
        row[at + 4] = 100.0 if down == 0.0 else 100.0 - 100.0 / (1.0 + up / down)


@compiled
def macd(row, at, p, bar):
    """MACD(fast, slow, signal; their alphas): count, fast, slow, signal | macd, signal, hist."""
    slow_window, warm = p[1], p[1] + p[2] - 1
    close = bar[CLOSE]
    fast, slow = row[at + 1], row[at + 2]
    if row[at] == 0:
        fast = slow = close
    else:
        fast += p[3] * (close - fast)
        slow += p[4] * (close - slow)
    row[at + 1], row[at + 2] = fast, slow
    if row[at] < warm:
        row[at] += 1
    count = row[at]
    if count < slow_window:
        return
    line = fast - slow
    row[at + 4] = line
    signal = row[at + 3]
    signal = line if count == slow_window else signal + p[5] * (line - signal)
    row[at + 3] = signal
    if count >= warm:
        row[at + 5] = signal
        row[at + 6] = line - signal


@compiled
def bollinger(row, at, p, bar):
    """BollingerBands(window, deviations; scale, rounding): closes | upper, middle, lower."""
    window = int(p[0])
    if not push(row, at, window, bar[CLOSE]):
        return
    middle = total(row, at) / window
    squares = 0.0
    for place in range(at + 1, at + 1 + window):
        difference = row[place] - middle
        squares += difference * difference
    distance = np.sqrt(squares)
    if distance > p[3] * abs(middle):
        width = distance * p[2]
    else:
        middle = bar[CLOSE]
        width = 0.0
    outputs = at + 1 + window
    row[outputs] = middle + width
    row[outputs + 1] = middle
    row[outputs + 2] = middle - width


@compiled
def atr(row, at, p, bar):
    """ATR(window): count, close, sum | atr."""
    window = p[0]
    high, low = bar[HIGH], bar[LOW]
    previous = row[at + 1]
    row[at + 1] = bar[CLOSE]
    if row[at]:
        if previous > high:
            high = previous
        elif previous < low:
            low = previous
    average = row[at + 3]
    if not np.isnan(average):
        row[at + 3] = (average * (window - 1) + (high - low)) / window
        return
    row[at] += 1
    row[at + 2] += high - low
    if row[at] >= window:
        row[at + 3] = row[at + 2] / window


@compiled
def stochastic(row, at, p, bar):
    """Stochastic(window, smooth): highs, lows, highest, lowest, ks | k, d."""
    window, smooth = int(p[0]), int(p[1])
    if not slide(row, at, window, bar[HIGH], bar[LOW]):
        return
    extremes = at + 2 * (window + 1)
    ks = extremes + 2
    outputs = ks + 1 + smooth
    lowest = row[extremes + 1]
    span = row[extremes] - lowest
    k = 100.0 * (bar[CLOSE] - lowest) / span if span else INF
    if -INF < k < INF:
        full = push(row, ks, smooth, k)
        row[outputs] = k
        row[outputs + 1] = total(row, ks) / smooth if full else NAN
    else:
        row[ks] = 0.0
        row[outputs] = row[outputs + 1] = NAN


@compiled
def obv(row, at, _, bar):
    """OBV(): close | obv."""
    volumes = row[at + 1]
    if np.isnan(volumes):
        row[at + 1] = bar[VOLUME]
    elif bar[CLOSE] < row[at]:
        row[at + 1] = volumes - bar[VOLUME]
    else:
        row[at + 1] = volumes + bar[VOLUME]
    row[at] = bar[CLOSE]


@compiled
def vwap(row, at, p, bar):
    """VWAP(window): turnovers, volumes | vwap."""
    window = int(p[0])
    volumes = at + 1 + window
    push(row, at, window, (bar[HIGH] + bar[LOW] + bar[CLOSE]) / 3.0 * bar[VOLUME])
    if not push(row, volumes, window, bar[VOLUME]):
        return
    traded = total(row, volumes)
    value = total(row, at) / traded if traded else INF
    row[volumes + 1 + window] = value if -INF < value < INF else NAN


@compiled
def adx(row, at, p, bar):
    """ADX(window): count, high, low, close, range, plus, minus, dx_sum | adx, plus_di, minus_di."""
    window = p[0]
    high, low = bar[HIGH], bar[LOW]
    close = row[at + 3]
    up, down = high - row[at + 1], row[at + 2] - low
    row[at + 1], row[at + 2], row[at + 3] = high, low, bar[CLOSE]
    count = row[at]
    if count <= 2 * window:
        row[at] = count + 1
        if count == 0:
            return
    true_range = (high if high > close else close) - (low if low < close else close)
    ranges, plus, minus = row[at + 4], row[at + 5], row[at + 6]
    if count > window:
        ranges -= ranges / window
        plus -= plus / window
        minus -= minus / window
    ranges += true_range
    if up > down and up > 0.0:
        plus += up
    elif down > up and down > 0.0:
        minus += down
    row[at + 4], row[at + 5], row[at + 6] = ranges, plus, minus
    if count < window:
        return
    if ranges:
        plus = 100.0 * (plus / ranges)
        minus = 100.0 * (minus / ranges)
    else:
        plus = minus = 0.0
    both = plus + minus
    directional = 100.0 * (abs(plus - minus) / both) if 0.0 < both < INF else 0.0
    average = row[at + 8]
    if not np.isnan(average):
        row[at + 8] = (average * (window - 1) + directional) / window
    else:
        row[at + 7] += directional
        if row[at] >= 2 * window:
            row[at + 8] = row[at + 7] / window
    if count > window:
        row[at + 9] = plus if plus < INF else NAN
        row[at + 10] = minus if minus < INF else NAN


@compiled
def cci(row, at, p, bar):
    """CCI(window; rounding): typicals | cci."""
    window = int(p[0])
    typical = (bar[HIGH] + bar[LOW] + bar[CLOSE]) / 3.0
    if not push(row, at, window, typical):
        return
    mean = total(row, at) / window
    above = 0.0
    for place in range(at + 1, at + 1 + window):
        if row[place] > mean:
            above += row[place] - mean
    deviation = 2.0 * above / window
    defined = deviation > p[1] * abs(mean)
    row[at + 1 + window] = (typical - mean) / (0.015 * deviation) if defined else NAN


@compiled
def williams_r(row, at, p, bar):
    """WilliamsR(window): highs, lows, highest, lowest | williams_r."""
    window = int(p[0])
    if not slide(row, at, window, bar[HIGH], bar[LOW]):
        return
    extremes = at + 2 * (window + 1)
    highest = row[extremes]
    span = highest - row[extremes + 1]
    value = -100.0 * (highest - bar[CLOSE]) / span if span else INF
    row[extremes + 2] = value if -INF < value < INF else NAN


@compiled
def mfi(row, at, p, bar):
    """MFI(window): gains, losses, typical | mfi."""
    window = int(p[0])
    losses = at + 1 + window
    place = losses + 1 + window
    typical = (bar[HIGH] + bar[LOW] + bar[CLOSE]) / 3.0
    previous = row[place] if row[at] else typical
    row[place] = typical
    push(row, at, window, typical * bar[VOLUME] if typical > previous else 0.0)
    if not push(row, losses, window, typical * bar[VOLUME] if typical < previous else 0.0):
        return
    gained, lost = total(row, at), total(row, losses)
    if lost:
        row[place + 1] = 100.0 - 100.0 / (1.0 + gained / lost)
    else:
        row[place + 1] = 100.0 if gained else NAN


@compiled
def roc(row, at, p, bar):
    """ROC(window): closes | roc."""
    ring = int(p[0]) + 1
    if not push(row, at, ring, bar[CLOSE]):
        return
    earlier = row[at + 1]
    value = (bar[CLOSE] - earlier) / earlier * 100.0 if earlier else INF
    row[at + 1 + ring] = value if -INF < value < INF else NAN


@compiled
def obv_slope(row, at, p, bar):
    """ObvSlope(window; alpha): count, close, change, volume | obv_slope."""
    window, alpha = p[0], p[1]
    close, before = bar[CLOSE], row[at + 1]
    row[at + 1] = close
    if row[at] <= window:
        row[at] += 1
        if row[at] == 1:
            return
    volume = bar[VOLUME]
    signed = volume if close > before else -volume if close < before else 0.0
    change = row[at + 2]
    change = change + alpha * (signed - change)
    row[at + 2] = change
    traded = row[at + 3]
    traded = traded + alpha * (volume - traded)
    row[at + 3] = traded
    if row[at] > window:
        slope = change / traded if traded > 0.0 else 0.0
        row[at + 4] = 1.0 if slope > 1.0 else -1.0 if slope < -1.0 else slope
