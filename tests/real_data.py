"""Where the real market data lie, for the tests that read them."""

import os
from pathlib import Path

_VARIABLE = "NINEFOLD_REAL_DATA"
_SIBLING = Path(__file__).resolve().parents[2] / "shared" / "data"


def real_data_root() -> Path | None:
    """The folder that ``NINEFOLD_REAL_DATA`` names, else ``../shared/data`` beside the repository.

    None when there is neither. A variable that names no folder is an error, not an absence.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        folder = Path(named)
        if not folder.is_dir():
            raise FileNotFoundError(f"{_VARIABLE}={named} is not a folder")
        return folder
    return _SIBLING if _SIBLING.is_dir() else None
