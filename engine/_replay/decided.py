"""The rows of decisions that act, as the kernels take them."""

from typing import Any

import numpy as np

from ..arrays import Bool1D, Int1D
from ..decisions import Decisions
from ..jit import kernel
from ..simd import byte_at, lowest_bit, put_whole, whole_at
from .state import DecisionRows


def decision_rows(decisions: Decisions, order: Int1D) -> DecisionRows:
    """The acting rows of ``decisions``, columns in name order."""
    sorted_ = (np.diff(order) > 0).all()

    def column(array: np.ndarray[Any, Any]) -> Any:
        return (array if sorted_ else array[:, order]).reshape(-1)

    cell = _marked_cells(column(decisions.acts))

    def acting(array: np.ndarray[Any, Any] | None, dtype: Any) -> Any:
        if array is None:
            return np.zeros(len(cell), dtype=dtype)
        return column(array)[cell].astype(dtype, copy=False)

    return DecisionRows(
        cell=cell,
        target=acting(decisions.target, np.float64),
        style=acting(decisions.style, np.int8),
        order_kind=acting(decisions.order_kind, np.int8),
        order_price=acting(decisions.order_price, np.float64),
        atr_frac=acting(decisions.atr_frac, np.float64),
        volatility=acting(decisions.volatility, np.float64),
    )


def _marked_cells(marks: Bool1D) -> Int1D:
    """Indices where ``marks`` hold, rising: few among many, found eight at a time."""
    marked = np.ascontiguousarray(marks)
    cells = np.empty(np.count_nonzero(marked), dtype=np.int64)
    if len(cells):
        _marked_cells_kernel(marked.ctypes.data, len(marked), cells.ctypes.data)
    return cells


@kernel
def _marked_cells_kernel(marks: int, count: int, cells: int) -> None:
    """A mark is a byte of 1: the lowest bit that is set tells the first of eight."""
    found, words = 0, count // 8
    for word in range(words):
        bits = whole_at(marks, word)
        while bits != 0:
            put_whole(cells, found, 8 * word + lowest_bit(bits) // 8)
            found += 1
            bits &= bits - 1
    for index in range(8 * words, count):
        if byte_at(marks, index) != 0:
            put_whole(cells, found, index)
            found += 1
