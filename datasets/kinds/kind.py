"""What a kind of data is: its columns, what tells its rows apart, and when a row is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from engine import DAY_NS, Int1D, timeframe_ns

TIME_TYPE: Final = pa.timestamp("us")
"""Times in Parquet: UTC without a zone, so that DuckDB shows a plain TIMESTAMP."""
AVAILABLE_AT: Final = "available_at"
"""The column of every kind that says from when on a row may be used."""
EVENT_STEP: Final = "event"
"""The step of kinds whose rows come when something happens, not on a grid."""

BAR_KINDS: Final = ("ohlcv", "dated_futures")
"""Kinds that load as bars of their own, not as series beside bars."""

ColumnType = Literal["float", "int", "flag", "text", "time"]
_ARROW_TYPES: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        "float": pa.float64(),
        "int": pa.int64(),
        "flag": pa.bool_(),
        "text": pa.string(),
        "time": TIME_TYPE,
    }
)
Publication = Literal["lag", "next_weekday"]
_THURSDAY: Final = 4
"""The epoch, counted from Sunday 0."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind: its unit, its type, whether every row has it, and its allowed values.

    ``minimum`` is the smallest allowed number, excluded where ``positive`` is True. ``words`` are the
    only texts allowed, where there are any. Types: float64, int64, flag (true or false), text, and
    time (UTC, microseconds).
    """

    name: str
    unit: str
    required: bool = True
    minimum: float | None = None
    positive: bool = False
    type: ColumnType = "float"
    words: tuple[str, ...] = ()

    @property
    def arrow_type(self) -> pa.DataType:
        """Type of the column in Parquet."""
        return _ARROW_TYPES[self.type]

    @property
    def is_number(self) -> bool:
        """True for columns that can stand in an array of float64."""
        return self.type in ("float", "int")


@dataclass(frozen=True)
class Kind:
    """A kind of data: its columns, what tells its rows apart, and when a row is known.

    ``time_column`` is what a row is about. Rows of one time are told apart by ``row_key`` (empty:
    one row per time). ``available_at`` is the moment from which a row may be used; rows with the
    same time and key and a later ``available_at`` are revisions (vintages) of the same value.

    A row about ``time`` in a data set of step ``s`` is complete at ``time + lag_steps * s`` and, where
    the source states no moment of its own, published ``lag_ns`` later; ``publication``
    ``next_weekday`` means 00:00 UTC of the next Monday to Friday instead. A row is shown until
    ``max_age_ns`` after its time and then counts as missing. ``native_step`` is the usual step,
    ``event`` where rows come when something happens. ``on_grid`` kinds have every time on the grid of
    the step. ``needs_one_of`` names optional columns of which every row has at least one.
    ``parts_by`` is the calendar period of one Parquet part. ``ohlc`` says what the price columns
    mean for the checks: ``strict`` (a contradiction is refused), ``noted`` or ``none``.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    native_step: str
    lag_steps: int
    lag_ns: int
    max_age_ns: int
    lag_source: str
    time_column: str = "event_time"
    row_key: tuple[str, ...] = ()
    on_grid: bool = True
    publication: Publication = "lag"
    needs_one_of: tuple[str, ...] = ()
    parts_by: Literal["year", "month"] = "year"
    ohlc: Literal["strict", "noted", "none"] = "none"

    @cached_property
    def schema(self) -> pa.Schema:
        """Schema of every Parquet part: the time, ``available_at``, then the columns in order."""
        fields = [
            pa.field(self.time_column, TIME_TYPE, nullable=False),
            pa.field(AVAILABLE_AT, TIME_TYPE, nullable=False),
        ]
        fields += [pa.field(c.name, c.arrow_type, nullable=not c.required) for c in self.columns]
        return pa.schema(fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that every row has."""
        return tuple(column.name for column in self.columns if column.required)

    @property
    def identity(self) -> tuple[str, ...]:
        """Columns that name a value; a second row with the same identity is a revision of it."""
        return (self.time_column, *self.row_key)

    @property
    def is_event(self) -> bool:
        """True where rows come when something happens: there is no grid and there are no gaps."""
        return self.native_step == EVENT_STEP

    @property
    def is_series(self) -> bool:
        """True where the rows can stand beside bars as a slow series: one row per time, numbers."""
        return not self.row_key and not self.is_event and self.name not in BAR_KINDS

    def step_ns(self, step: str) -> int:
        """Length of ``step``; 0 for the step of events. ConfigError for a step that is none."""
        return 0 if step == EVENT_STEP else timeframe_ns(step)

    def complete_ns(self, time_ns: Int1D, step: str) -> Int1D:
        """First moment at which a row can be known at all: a bar when it closes, ``(N,)``."""
        return time_ns + self.lag_steps * self.step_ns(step)

    def available_ns(self, time_ns: Int1D, step: str) -> Int1D:
        """``available_at`` of rows whose source states none, int64 ns UTC, ``(N,)``."""
        complete = self.complete_ns(time_ns, step) + self.lag_ns
        if self.publication == "lag":
            return complete
        day = -(-complete // DAY_NS)
        weekday = (day + _THURSDAY) % 7
        wait = np.where(weekday == 6, 2, np.where(weekday == 0, 1, 0))
        published: Int1D = (day + wait) * DAY_NS
        return published
