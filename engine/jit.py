"""The one compile decorator.

``kernel`` is ``numba.njit`` with an on-disk cache, without fastmath (NaN and the order of sums
matter) and without threads. numba keys its cache on the decorated function's own file, so a kernel
calls only kernels of its own file: a call into another file would go stale when that file changes.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile ``function`` with numba: cached on disk, IEEE arithmetic, single thread."""
    return cast(_Function, numba.njit(cache=True, fastmath=False, error_model="numpy")(function))
