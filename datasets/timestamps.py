"""Times at the border: text for people, microseconds on disk, nanoseconds in arrays."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from engine import ConfigError, DataError, Int1D

US_NS: Final = 1_000
_UNIT_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
SETTLEMENT_LATENESS_NS: Final = 2_000_000_000
"""A funding stamp up to this much after a full hour belongs to it; dYdX has stamped 1.056 s late."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(time_ns: int) -> str:
    """``2018-02-09 09:28:14.789`` UTC: to the minute, or finer where the time needs it."""
    seconds, rest = divmod(int(time_ns), 1_000_000_000)
    moment = _EPOCH + timedelta(seconds=seconds)
    if rest:
        return f"{moment:%Y-%m-%d %H:%M:%S}." + f"{rest:09d}".rstrip("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def time_ns_of(text: str, label: str) -> int:
    """A time as people write it, int64 ns UTC: ``2020-01-01``, ``2020-01-01 08:30`` or with a zone.

    Without a zone it is UTC. Raises ConfigError naming ``label`` for any other text.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{label}: {text!r} is not a time; write 2020-01-01 or 2020-01-01T08:30"
        ) from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * US_NS


def column_ns(column: pa.ChunkedArray | pa.Array, label: str) -> Int1D:
    """A time column as int64 ns UTC: a timestamp of any unit (zone UTC or none), or int64 ns.

    Raises DataError naming ``label`` for another type, another zone, an empty cell or a time that
    int64 nanoseconds cannot hold.
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
    raw = np.asarray(column.cast(pa.timestamp(column.type.unit)).cast(pa.int64())).astype(np.int64)
    unit_ns = _UNIT_NS[column.type.unit]
    beyond = np.flatnonzero(np.abs(raw) > np.iinfo(np.int64).max // unit_ns)
    if beyond.size:
        raise DataError(
            f"{label}: row {int(beyond[0])}: {int(raw[beyond[0]])} {column.type.unit} since 1970 lies "
            "outside the years 1678 to 2261; is it in another unit?"
        )
    return raw * unit_ns
