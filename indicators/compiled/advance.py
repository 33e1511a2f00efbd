"""The loop over bars and indicators, compiled with all kernels in it."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: PLR0912

from __future__ import annotations

from indicators.compiled import kernels as k
from indicators.compiled.kernels import compiled

#: The number by which the loop knows each indicator.
NUMBERS = {
    name: number
    for number, name in enumerate(
        (
            *("sma", "ema", "rsi", "macd", "bollinger", "atr", "stochastic", "obv", "vwap"),
            *("adx", "cci", "williams_r", "mfi", "roc", "obv_slope"),
        )
    )
}

_sma, _ema, _rsi, _macd, _bollinger = k.sma, k.ema, k.rsi, k.macd, k.bollinger
_atr, _stochastic, _obv, _vwap, _adx = k.atr, k.stochastic, k.obv, k.vwap, k.adx
_cci, _williams_r, _mfi, _roc, _obv_slope = k.cci, k.williams_r, k.mfi, k.roc, k.obv_slope


@compiled
def _step(kind, row, at, p, bar):
    """Give a bar to the indicator of this number."""
    if kind == 0:
        _sma(row, at, p, bar)
    elif kind == 1:
        _ema(row, at, p, bar)
    elif kind == 2:
        _rsi(row, at, p, bar)
    elif kind == 3:
        _macd(row, at, p, bar)
    elif kind == 4:
        _bollinger(row, at, p, bar)
    elif kind == 5:
        _atr(row, at, p, bar)
    elif kind == 6:
        _stochastic(row, at, p, bar)
    elif kind == 7:
        _obv(row, at, p, bar)
    elif kind == 8:
        _vwap(row, at, p, bar)
    elif kind == 9:
        _adx(row, at, p, bar)
    elif kind == 10:
        _cci(row, at, p, bar)
    elif kind == 11:
        _williams_r(row, at, p, bar)
    elif kind == 12:
        _mfi(row, at, p, bar)
    elif kind == 13:
        _roc(row, at, p, bar)
    else:
        _obv_slope(row, at, p, bar)


@compiled
def advance(rows, numbers, bars, forming, kinds, offsets, parameters, outputs, out):  # noqa: PLR0917
    """Give each bar to the indicators of its row, in order; the values at it go to ``out``.

    Args:
        rows: (rows, width); those named in ``numbers`` change, unless the bar is forming.
        numbers: (bars,), the row of each bar.
        bars: (bars, 4), high, low, close and volume of each.
        forming: (bars,), whether the bar is tried on a copy.
        kinds: (indicators,), see `NUMBERS`.
        offsets: (indicators,), where the fields of each begin in a row.
        parameters: (indicators, most parameters).
        outputs: (values,), where each value is in a row.
        out: (bars, values), NaN where there is no value.
    """
    copy = rows[0].copy()
    for number in range(len(numbers)):
        row = rows[numbers[number]]
        if forming[number]:
            copy[:] = row
            row = copy
        for one in range(len(kinds)):
            _step(kinds[one], row, offsets[one], parameters[one], bars[number])
        for value in range(len(outputs)):
            out[number, value] = row[outputs[value]]
