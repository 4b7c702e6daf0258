"""Times at the border: text for people, microseconds on disk, nanoseconds in arrays."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from engine import DataError, Int1D

US_NS: Final = 1_000
_UNIT_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(time_ns: int) -> str:
    """``2018-02-09 09:28:14.789`` UTC: to the minute, or finer where the time needs it."""
    seconds, rest = divmod(int(time_ns), 1_000_000_000)
    moment = _EPOCH + timedelta(seconds=seconds)
    if rest:
        return f"{moment:%Y-%m-%d %H:%M:%S}." + f"{rest:09d}".rstrip("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def year_of(time_ns: Int1D) -> Int1D:
    """Calendar year (UTC) of each time, int64."""
    return time_ns.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970


def column_ns(column: pa.ChunkedArray | pa.Array, label: str) -> Int1D:
    """A time column as int64 ns UTC: a timestamp of any unit (zone UTC or none), or int64 ns.

    Raises DataError naming ``label`` for another type, another zone or an empty cell.
    """
    if column.null_count:
        row = int(np.flatnonzero(np.asarray(column.is_null()))[0])
        raise DataError(f"{label}: row {row} has no time; every row needs one")
    if pa.types.is_int64(column.type):
        return np.asarray(column).astype(np.int64)
    if not pa.types.is_timestamp(column.type) or column.type.tz not in (None, "UTC", "+00:00"):
        raise DataError(
            f"{label}: type {column.type} is not a time; it must be a timestamp in UTC or int64 ns"
        )
    raw = np.asarray(column.cast(pa.timestamp(column.type.unit)).cast(pa.int64()))
    return raw.astype(np.int64) * _UNIT_NS[column.type.unit]
