"""Array aliases: the rank and the element type of every array that crosses a function border.

Time is axis 0, always: ``(T,)`` for one series, ``(T, S)`` for a panel of S symbols, ``(T, F)`` for a
feature matrix, ``(T, H)`` for head votes. Times are int64 nanoseconds since the epoch, UTC.
"""

from typing import Any, TypeAlias

import numpy as np

Float1D: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]
Float2D: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Int1D: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Int2D: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Int8Array1D: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int8]]
Int8Array2D: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int8]]
UInt64Array1D: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint64]]
UInt64Array2D: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.uint64]]
Bool1D: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
Bool2D: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
Records1D: TypeAlias = np.ndarray[tuple[int], np.dtype[Any]]
"""Records ``(N,)``; the function that takes them names the fields it reads and writes."""
