"""What public functions ask of their arguments before they read them."""

from typing import Any

import numpy as np

from .errors import ContractError


def check_type(name: str, value: Any, kind: type) -> None:
    """Refuse what is no ``kind``. Raises ContractError."""
    if not isinstance(value, kind):
        raise ContractError(f"{name} must be of type {kind.__name__}, not {type(value).__name__}")


def check_array(owner: str, name: str, column: Any, dtype: type, ndim: int) -> None:
    """Refuse what is no numpy array of the dtype and number of dimensions. Raises ContractError."""
    wanted = f"a {ndim}-dimensional {np.dtype(dtype)} array"
    if not isinstance(column, np.ndarray):
        raise ContractError(f"{owner}: {name} must be {wanted}, not {type(column).__name__}")
    if column.dtype != dtype or column.ndim != ndim:
        raise ContractError(
            f"{owner}: {name} must be {wanted}; it is a {column.ndim}-dimensional {column.dtype} array"
        )
