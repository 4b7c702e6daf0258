"""Memory for what a replay writes, lent again when nobody looks at it any more.

The operating system gives fresh memory page by page, when it is first written to, and that can take
longer than the replay. A block comes back when the last array that shows a part of it is gone, so
that no two results ever share one.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ..arrays import Records1D

LENT_BYTES: Final = range(1 << 17, 1 << 24)
"""Sizes of blocks that are kept; arrays of other sizes are simply made.

Smaller ones come from memory that the process already has.
"""
MOST_KEPT: Final = 8

_KEPT: Final[deque[Any]] = deque(maxlen=MOST_KEPT)
"""Blocks that nobody shows; one too many drops the oldest. Its single steps are atomic."""


class _Loan:
    """A block that is handed back when the arrays that show it are gone."""

    def __init__(self, block: Any) -> None:
        self._block = block
        self.__array_interface__ = block.__array_interface__

    def __del__(self, give_back: Callable[[Any], None] = _KEPT.append) -> None:
        give_back(self._block)


def lent(count: int, dtype: Any) -> Records1D:
    """An array ``(count,)`` of ``dtype`` with anything in it."""
    kind = np.dtype(dtype)
    size = count * kind.itemsize
    if size not in LENT_BYTES:
        return np.empty(count, dtype=kind)
    shown: Any = np.asarray(_Loan(_block(size)))
    return shown[:size].view(kind)


def _block(size: int) -> Any:
    """A kept block of at least this size that is not twice as large, or a fresh one."""
    for _ in range(len(_KEPT)):
        try:
            block = _KEPT.popleft()
        except IndexError:  # Another thread was faster.
            break
        if size <= block.nbytes < 2 * size:
            return block
        _KEPT.append(block)
    return np.empty(size, dtype=np.uint8)
