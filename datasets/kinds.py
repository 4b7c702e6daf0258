"""What the store can hold: one row per kind of data, with its columns and the time it is known.

The table :data:`KINDS` is the only place that knows a kind. The Parquet schema, the checks, the SQL
views and the time at which a row may be used all follow from it; a new kind is one more row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from engine import DAY_NS, HOUR_NS, MINUTE_NS, DataError

TIME_TYPE: Final = pa.timestamp("us")
"""Times in Parquet: UTC without a zone, so that DuckDB shows a plain TIMESTAMP."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind: its unit, whether every row must have it, and the values it may take.

    ``minimum`` is the smallest allowed value, excluded where ``positive`` is True. An integer column
    holds counts.
    """

    name: str
    unit: str
    required: bool = True
    minimum: float | None = None
    positive: bool = False
    integer: bool = False

    @property
    def type(self) -> pa.DataType:
        """Type of the column in Parquet."""
        return pa.int64() if self.integer else pa.float64()


@dataclass(frozen=True)
class Kind:
    """A kind of data: its columns, its time column and the rule for the time it is known.

    A row about ``time`` in a data set of step ``s`` is known at ``time + lag_steps * s + lag_ns``:
    a bar, whose time is its open, has ``lag_steps`` 1. It is shown until ``max_age_ns`` after
    ``time`` and then counts as missing. ``on_grid`` kinds have every time on the grid of the step.
    ``lag_source`` says where the rule comes from.
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
    on_grid: bool = True

    @cached_property
    def schema(self) -> pa.Schema:
        """Schema of every Parquet part of this kind: the time, then the columns, in this order."""
        fields = [pa.field(self.time_column, TIME_TYPE, nullable=False)]
        fields += [pa.field(c.name, c.type, nullable=not c.required) for c in self.columns]
        return pa.schema(fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that every row has."""
        return tuple(column.name for column in self.columns if column.required)

    def lag(self, step_ns: int) -> int:
        """Nanoseconds from the time of a row to the moment it may be used."""
        return self.lag_steps * step_ns + self.lag_ns


def _price(name: str) -> Column:
    return Column(name, "quote currency", positive=True, minimum=0.0)


def _flow(name: str, unit: str, *, required: bool = False, integer: bool = False) -> Column:
    return Column(name, unit, required=required, minimum=0.0, integer=integer)


_TABLE: Final = (
    Kind(
        name="ohlcv",
        title="Bars; open_time is the start of the bar",
        columns=(
            _price("open"),
            _price("high"),
            _price("low"),
            _price("close"),
            _flow("volume", "base currency", required=True),
            _flow("quote_volume", "quote currency"),
            _flow("trades", "count", integer=True),
            _flow("taker_buy_volume", "base currency"),
            _flow("taker_buy_quote", "quote currency"),
        ),
        native_step="1m",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=DAY_NS,
        lag_source="a bar is known at its close",
        time_column="open_time",
    ),
    Kind(
        name="funding",
        title="Settled funding; event_time is the settlement",
        columns=(
            Column("rate", "fraction of notional per interval; longs pay when positive"),
            Column("interval_hours", "hours", required=False, minimum=0.0, positive=True),
            Column("mark_price", "quote currency", required=False, minimum=0.0, positive=True),
        ),
        native_step="8h",
        lag_steps=0,
        lag_ns=0,
        max_age_ns=DAY_NS,
        lag_source="a rate is known when it is settled",
        on_grid=False,
    ),
    Kind(
        name="metrics",
        title="Open interest and long/short ratios; event_time is the snapshot",
        columns=(
            Column("sum_open_interest", "base currency", minimum=0.0),
            Column("sum_open_interest_value", "quote currency", minimum=0.0),
            Column(
                "count_toptrader_long_short_ratio", "long accounts / short accounts", minimum=0.0
            ),
            Column(
                "sum_toptrader_long_short_ratio", "long positions / short positions", minimum=0.0
            ),
            Column("count_long_short_ratio", "long accounts / short accounts", minimum=0.0),
            Column("sum_taker_long_short_vol_ratio", "taker bought / taker sold", minimum=0.0),
        ),
        native_step="5m",
        lag_steps=0,
        lag_ns=5 * MINUTE_NS,
        max_age_ns=6 * HOUR_NS,
        lag_source="published within five minutes of the snapshot",
    ),
    Kind(
        name="premium",
        title="Mark, index and premium of a perpetual; event_time is the start of the bar",
        columns=(
            _price("mark_close"),
            _price("index_close"),
            Column("premium_close", "fraction"),
        ),
        native_step="1h",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=6 * HOUR_NS,
        lag_source="a bar is known at its close",
    ),
    Kind(
        name="fear_greed",
        title="Crypto Fear & Greed index; event_time is 00:00 UTC of the dated day",
        columns=(Column("value", "0 to 100", minimum=0.0),),
        native_step="1d",
        lag_steps=0,
        lag_ns=30 * MINUTE_NS,
        max_age_ns=3 * DAY_NS,
        lag_source="the value dated D is published shortly after midnight of D",
    ),
    Kind(
        name="exchange_reserves",
        title="Coins held by exchanges; event_time is 00:00 UTC of the dated day",
        columns=(Column("reserve", "base currency", minimum=0.0),),
        native_step="1d",
        lag_steps=1,
        lag_ns=12 * HOUR_NS,
        max_age_ns=4 * DAY_NS,
        lag_source="the day D is complete and published by 12:00 UTC of D + 1",
    ),
    Kind(
        name="tvl",
        title="Value locked in decentralised finance; event_time is 00:00 UTC of the dated day",
        columns=(Column("tvl_usd", "USD", minimum=0.0),),
        native_step="1d",
        lag_steps=1,
        lag_ns=12 * HOUR_NS,
        max_age_ns=4 * DAY_NS,
        lag_source="the day D is complete and published by 12:00 UTC of D + 1",
    ),
    Kind(
        name="implied_volatility",
        title="Implied volatility index (DVOL); event_time is the start of the bar",
        columns=(Column("dvol_close", "percent, annualised", minimum=0.0, positive=True),),
        native_step="1d",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=3 * DAY_NS,
        lag_source="a bar of the index is known at its close",
    ),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in _TABLE})
"""Every kind by name, in the order in which documentation lists them."""

SERIES_KINDS: Final = tuple(name for name in KINDS if name != "ohlcv")
"""Kinds that stand beside the bars as slow series."""


def kind_named(name: str) -> Kind:
    """The kind called ``name``; DataError listing the known ones when there is none."""
    kind = KINDS.get(name)
    if kind is None:
        raise DataError(f"kind={name!r} is unknown; the store knows {', '.join(KINDS)}")
    return kind
