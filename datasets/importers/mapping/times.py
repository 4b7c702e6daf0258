"""Times of any writing into nanoseconds UTC, and which row has one that cannot be read."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, Int1D

from .schema import TimeColumn

_UNITS_NS: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_OFFSET: Final = r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})\s*$"


_NO_ZONE: Final = (
    "states no offset from UTC, and the mapping no zone; add the zone it is written in, such as "
    "zone: UTC or zone: Europe/Berlin"
)


class TimeFault(ValueError):  # noqa: N818 - it is a finding about one cell
    """A cell that is no time: its row, and why."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.reason = reason


def counted_ns(values: pa.Array, unit: str) -> Int1D:
    """Numbers of a unit since 1970, ``(N,)``; decimals are exact to the microsecond."""
    # Nanoseconds lie beyond 2**53: as float64 they are rounded, which tells their size all the same.
    counts = np.asarray(values.cast(pa.float64(), safe=False))
    per_unit = _UNITS_NS[unit]
    _raise_first(~(np.abs(counts) * per_unit < 2.0**63), f"is no time in {unit}; correct its unit")
    if pa.types.is_integer(values.type):
        whole: Int1D = np.asarray(values.cast(pa.int64())) * per_unit
        return whole
    parts: Int1D = np.rint(counts * (per_unit / 1_000)).astype(np.int64) * 1_000
    return parts


def instants_ns(values: pa.Array, times: TimeColumn) -> Int1D:
    """Timestamps and dates of Parquet or Feather, ``(N,)``; ``times`` says the zone of those without."""
    import pandas as pd

    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("ms"))
    return _utc_ns(pd.Series(pd.DatetimeIndex(values.to_pandas())), times)


def written_ns(values: pa.Array, times: TimeColumn) -> Int1D:
    """Texts of the format, ISO where there is none, ``(N,)``."""
    import pandas as pd

    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    if times.format is None:
        with_offset = np.asarray(pc.match_substring_regex(text, _OFFSET)).astype(np.bool_)
        with_time = np.asarray(pc.match_substring(text, ":")).astype(np.bool_)
        is_aware = bool((with_offset & with_time).all())
        if not is_aware:
            _raise_first(with_offset & with_time, "states an offset, which other rows do not")
    else:
        is_aware = "%z" in times.format
    layout = times.format or "ISO8601"
    series = pd.to_datetime(text.to_pylist(), format=layout, errors="coerce", utc=is_aware)
    return _utc_ns(pd.Series(series), times)


def lack_offset(values: pa.Array) -> bool:
    """Whether ISO texts have a time of day and no offset from UTC."""
    text = pc.utf8_trim_whitespace(values.cast(pa.string()))
    with_time, with_offset = (
        pc.match_substring(text, ":"),
        pc.match_substring_regex(text, _OFFSET),
    )
    return bool(pc.any(pc.and_not(with_time, with_offset)).as_py())


def _utc_ns(series: Any, times: TimeColumn) -> Int1D:
    _raise_first(np.asarray(series.isna()), f"is no time of the format {times.format or 'ISO'}")
    if series.dt.tz is None:
        if times.zone is None:
            raise TimeFault(0, _NO_ZONE)
        series = series.dt.tz_localize(times.zone, ambiguous="NaT", nonexistent="NaT")
        reason = f"stands twice or never in {times.zone}, where clocks change; use times in UTC"
        _raise_first(np.asarray(series.isna()), reason)
    unit_ns = _UNITS_NS[series.dt.unit]
    raw = np.asarray(series.dt.tz_convert("UTC").dt.tz_localize(None)).astype(np.int64)
    _raise_first(np.abs(raw.astype(np.float64)) * unit_ns >= 2.0**63, "lies after the year 2262")
    time_ns: Int1D = raw * unit_ns
    return time_ns


def _raise_first(wrong: Bool1D, reason: str) -> None:
    if wrong.any():
        raise TimeFault(int(np.argmax(wrong)), reason)
