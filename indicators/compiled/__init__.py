"""The indicators compiled: the same formulas over rows of numbers, for many bars in one call.

A worker keeps thousands of tickers. As objects their indicators lie all over its memory, and most
of a bar's time goes by waiting for it; as one row of numbers they lie side by side, and numba
(LLVM) turns the formulas into machine code that runs without the interpreter.

`kernels` has one function for each indicator class, which remains its definition: tests compare
the two bit by bit. `layout` says which number of a row is which field, so a state moves between the
two and has the same JSON. `rows` is what a worker uses.
"""

from indicators.compiled.layout import Layout
from indicators.compiled.rows import RowSet, RowStore, named, packed

__all__ = ["Layout", "RowSet", "RowStore", "named", "packed"]
