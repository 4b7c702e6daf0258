"""Files of a run that may be taken away, and small reads from them."""

import hashlib
import os
from pathlib import Path
from typing import Final

import numpy as np

from engine import DataError, Float1D

from ..record import RECORD_NAME
from .summaries import RunSummary

TABLE_ENDING: Final = ".parquet"
EQUITY: Final = "equity.parquet"


def run_files(folder: Path) -> dict[str, int]:
    """Bytes of run.json and of every table of the run in ``folder``, by name; links are no files of it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return {}
    return {
        entry.name: entry.stat(follow_symlinks=False).st_size
        for entry in entries
        if (entry.name == RECORD_NAME or entry.name.endswith(TABLE_ENDING))
        and entry.is_file(follow_symlinks=False)
    }


def equity_of(folder: Path, summary: RunSummary) -> Float1D:
    """The equity of a run, float64 ``(T,)``; DataError when its table is not the one that the run wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / EQUITY
    if EQUITY not in run_files(folder):
        raise DataError(f"{path}: there is no such table")
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != summary.equity_digest:
            raise DataError(f"{path}: its SHA-256 is not the one in {RECORD_NAME}")
        table = pq.read_table(pa.BufferReader(data), columns=["equity"], use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    equity: Float1D = np.asarray(table["equity"], dtype=np.float64)
    if not len(equity):
        raise DataError(f"{path}: has no row")
    return equity
