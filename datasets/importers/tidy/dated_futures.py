"""Bars of futures with an expiry."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from engine import DAY_NS, HOUR_NS, Int1D

from ...findings import RefusedFileError
from ...tables import floats_of
from ...timestamps import time_text
from ..rows import SourceRows, taken_bars
from .bars import volume_noted
from .layout import TidyLayout
from .naming import FUTURES
from .series import TidyFile, TidySeries, without_open_period

_SETTLES_AT_NS: Final = {"binance": 8 * HOUR_NS}
"""When on the day of expiry a venue settles; a source that states only the day says no hour."""


def _read(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    market = FUTURES.get(market, market)
    series = tidy.split(("symbol",), (tidy.request.symbol,))
    step, newest_ns = tidy.step(series, "open_time"), tidy.newest_ns("open_time")
    for one in series:
        expiry_ns = _expiry_ns(tidy, one, venue)
        key = tidy.key("dated_futures", venue, market, one.names[0], step)
        names = ("open_time", "open", "high", "low", "close", "volume")
        columns = {name: one.table[name] for name in names}
        columns["expiry"] = pa.array(np.full(len(one.places), expiry_ns)).cast(pa.timestamp("ns"))
        rows = _until_expiry(tidy.rows(key, columns, one.places), expiry_ns)
        rows = taken_bars(rows)
        # A bar of a contract that had expired when the file was made was complete.
        if expiry_ns > newest_ns:
            rows = without_open_period(rows, newest_ns)
        yield volume_noted(rows)


def _expiry_ns(tidy: TidyFile, one: TidySeries, venue: str) -> int:
    """When the contract settles; midnight stands for a day, which a venue settles at its own hour."""
    stamps: Int1D = np.unique(tidy.times(one, "expiry"))
    if len(stamps) != 1:
        raise RefusedFileError(
            "contradiction",
            f"{tidy.file.path} row {one.places[0]}: {one.names[0]} has {len(stamps)} expiries, "
            f"{time_text(int(stamps[0]))} and {time_text(int(stamps[1]))} among them; a contract "
            "has one",
        )
    expiry_ns = int(stamps[0])
    return expiry_ns + _SETTLES_AT_NS.get(venue, 0) if expiry_ns % DAY_NS == 0 else expiry_ns


def _until_expiry(rows: SourceRows, expiry_ns: int) -> SourceRows:
    """The bars that open before the expiry; a bar that opens later must show that nobody traded."""
    # Where the hour of settlement is not known, the day of expiry is still a day of trading.
    end_ns = expiry_ns + DAY_NS if expiry_ns % DAY_NS == 0 else expiry_ns
    after = rows.time_ns() >= end_ns
    prices = [floats_of(rows.table, name) for name in ("open", "high", "low", "close")]
    flat = np.logical_and.reduce([price == prices[0] for price in prices])
    traded = after & ~(flat & (floats_of(rows.table, "volume") == 0))
    if traded.any():
        row = int(np.argmax(traded))
        raise RefusedFileError(
            "after_expiry",
            f"{rows.name(row)}: {rows.key.symbol} was traded at "
            f"{time_text(int(rows.time_ns()[row]))}, after "
            f"its expiry at {time_text(expiry_ns)}; correct the expiry",
        )
    return rows.without(
        after, "after_expiry", "no trade and one flat price after the contract had expired"
    )


LAYOUTS: Final = (
    TidyLayout(
        name="dated_futures_bars",
        title="Bars of futures with an expiry",
        kinds=("dated_futures",),
        required=("symbol", "expiry", "open_time", "open", "high", "low", "close", "volume"),
        read=_read,
        holds=(
            "Venue and market from the file name or the options; um becomes um_future. An expiry "
            "of 00:00 is a day: Binance settles at 08:00 UTC of it, which is stored. The bar that "
            "opens before the settlement is kept, bars that open after it are dropped when they "
            "are flat and without volume, and refuse the file otherwise. Last bars of contracts "
            "that had not expired as for ohlcv_bars."
        ),
    ),
)
