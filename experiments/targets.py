"""A user's own targets, replayed instead of the consensus."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import Bool2D, DataError, Float2D, Panel

COLUMNS = ("time", "symbol", "target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Targets on the grid of a panel: values and acting rows, both ``(T, S)``.

    ``outside`` counts rows of the file that lie before the first or after the last close.
    """

    target: Float2D
    acts: Bool2D
    outside: int


def load_targets(path: Path | str, panel: Panel) -> Targets:
    """Read a Parquet or CSV file with the columns time, symbol and target.

    ``time`` (UTC where no zone is given) is the close of a bar: the moment at which the target was
    known; it fills no earlier than the next open. ``target`` lies in [-1, 1], the signed share of
    ``account.position_fraction``. A bar without a row keeps what is held.

    Raises DataError naming the row of the file, counted from 1 without the header, when a time is no
    close of a bar, decreases within a symbol or repeats, a symbol is not traded, or a target is out
    of range.
    """
    path = Path(path)
    frame = _frame(path)
    time_ns = _times(path, frame["time"])
    target = _numbers(path, frame["target"])
    columns = {symbol: index for index, symbol in enumerate(panel.symbols)}
    close_time = panel.close_time
    values = np.zeros((len(panel), len(columns)))
    acts = np.zeros_like(values, dtype=np.bool_)
    last: dict[str, int] = {}
    outside = 0
    for row, (time, symbol, value) in enumerate(
        zip(time_ns, frame["symbol"].astype(str), target, strict=True), start=1
    ):
        where = f"{path}: row {row}"
        if symbol not in columns:
            raise DataError(f"{where}: symbol={symbol!r} is not traded here: {list(columns)}")
        if symbol in last and time <= last[symbol]:
            word = "repeats" if time == last[symbol] else "is before"
            raise DataError(
                f"{where}: time={np.datetime64(int(time), 'ns')} {word} the row above it for {symbol}; "
                "sort by time and keep one row for each bar"
            )
        last[symbol] = int(time)
        if not -1 <= value <= 1:
            raise DataError(f"{where}: target={value} must lie in [-1, 1]")
        if (time - close_time[0]) % panel.step_ns:
            raise DataError(
                f"{where}: time={np.datetime64(int(time), 'ns')} is not the close of a "
                f"{panel.timeframe} bar (a moment such as {np.datetime64(int(close_time[0]), 'ns')})"
            )
        bar = int((time - close_time[0]) // panel.step_ns)
        if not 0 <= bar < len(panel):
            outside += 1
            continue
        values[bar, columns[symbol]] = value
        acts[bar, columns[symbol]] = True
    return Targets(target=values, acts=acts, outside=outside)


def _frame(path: Path) -> Mapping[str, Any]:
    import pandas as pd
    import pyarrow as pa

    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".csv"):
        raise DataError(f"{path}: targets are read from a .parquet or a .csv file")
    try:
        frame = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such targets file") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        message = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read as a table: {message}") from None
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: the column {missing[0]!r} is missing; it has {list(frame.columns)}, targets "
            f"need {list(COLUMNS)}"
        )
    if frame.empty:
        raise DataError(f"{path}: there is no row in it")
    return {name: frame[name] for name in COLUMNS}


def _times(path: Path, column: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(
            f"{path}: time is a number; write moments such as 2023-01-31T13:00:00 or use a timestamp "
            "column"
        )
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    wrong = np.flatnonzero(parsed.isna())
    if wrong.size:
        row = int(wrong[0])
        raise DataError(f"{path}: row {row + 1}: time={column.iloc[row]!r} is not a moment")
    nanoseconds: np.ndarray[Any, np.dtype[np.int64]] = (
        parsed.dt.tz_localize(None).to_numpy("datetime64[ns]").astype(np.int64)
    )
    return nanoseconds


def _numbers(path: Path, column: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    import pandas as pd

    values: np.ndarray[Any, np.dtype[np.float64]] = pd.to_numeric(column, errors="coerce").to_numpy(
        np.float64
    )
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        row = int(wrong[0])
        raise DataError(
            f"{path}: row {row + 1}: target={str(column.iloc[row])!r} must lie in [-1, 1]"
        )
    return values
