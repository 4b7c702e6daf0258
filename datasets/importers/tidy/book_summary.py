"""Means of spread and slippage of an order book."""

from collections.abc import Iterator
from typing import Final

from ..rows import SourceRows
from .layout import TidyLayout
from .series import TidyFile, taken_periods, without_open_period


def _read(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    series = tidy.split(("symbol",), (tidy.request.symbol,))
    step, newest_ns = tidy.step(series, "time"), tidy.newest_ns("time")
    for one in series:
        key = tidy.key("book_summary", venue, market, one.names[0], step)
        names = ("mid_price", "spread", "ask_slippage", "bid_slippage")
        columns = {"event_time": one.table["time"]} | {name: one.table[name] for name in names}
        rows = taken_periods(tidy.rows(key, columns, one.places))
        rows = without_open_period(rows, newest_ns)
        rows = rows.noting("unstated_unit", "the order size behind the slippage is not stated")
        yield rows.noting(
            "unstated_venue", f"the file names no venue; {venue} is the caller's word"
        )


LAYOUTS: Final = (
    TidyLayout(
        name="book_spread_slippage",
        title="Means of spread and slippage of an order book",
        kinds=("book_summary",),
        required=("symbol", "time", "mid_price", "spread", "ask_slippage", "bid_slippage"),
        read=_read,
        holds=(
            "The file never names its venue: --venue and --market are needed. Slippage is a "
            "fraction of an order whose size is not stated. Last periods as for ohlcv_bars."
        ),
    ),
)
