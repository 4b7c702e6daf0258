"""Open interest of one venue, or by Coinalyze's contract codes."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from engine import DAY_NS

from ..rows import SourceRows, check_spacing, taken
from .layout import TidyLayout
from .series import TidyFile, without_open_period

_VENDOR: Final = "coinalyze"


def _read_snapshots(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    series = tidy.split(("symbol",), (tidy.request.symbol,))
    step = tidy.step(series, "time")
    for one in series:
        key = tidy.key("metrics", venue, market, one.names[0], step)
        columns = {
            "event_time": one.table["time"],
            "sum_open_interest": one.table["sum_open_interest"],
            "sum_open_interest_value": one.table["sum_open_interest_value"],
        }
        yield taken(tidy.rows(key, columns, one.places))


def _read_coinalyze(tidy: TidyFile) -> Iterator[SourceRows]:
    newest_ns = tidy.newest_ns("date") + DAY_NS
    for one in tidy.split(("symbol", "coin_symbol"), (tidy.request.symbol, None)):
        code, coin = one.names
        market = tidy.request.market or _market(code)
        key = tidy.key("metrics", tidy.request.venue or _VENDOR, market, code, "1d")
        columns = {
            "event_time": pa.array(tidy.times(one, "date") + DAY_NS),
            "sum_open_interest_value": one.table["oi_close"],
        }
        rows = taken(tidy.rows(key, columns, one.places))
        # The close of a longer bar would stand at the end of its first day.
        check_spacing(rows)
        rows = without_open_period(rows, newest_ns)
        if tidy.request.venue is None:
            rows = rows.noting(
                "unstated_venue",
                f"one contract per coin; only Coinalyze's code {code} says at which venue",
            )
        if not code.startswith(coin):
            rows = rows.noting(
                "mixed_symbol_spelling", f"the file calls the contract {code} by the coin {coin}"
            )
        yield rows.noting("unstated_unit", "the file does not state the unit; Coinalyze shows USD")


def _market(code: str) -> str:
    """Contracts in dollars without a stablecoin are margined in the coin: ``BTCUSD_PERP.A``."""
    return "inverse_perp" if code.split(".", maxsplit=1)[0].endswith("USD_PERP") else "linear_perp"


LAYOUTS: Final = (
    TidyLayout(
        name="open_interest",
        title="Open interest of many symbols at one venue",
        kinds=("metrics",),
        required=("symbol", "time", "sum_open_interest", "sum_open_interest_value"),
        read=_read_snapshots,
        holds="Venue and market from the file name or the options; a row is a snapshot.",
    ),
    TidyLayout(
        name="coinalyze_open_interest",
        title="Daily open, high, low and close of open interest (Coinalyze)",
        kinds=("metrics",),
        required=("coin_symbol", "symbol", "date", "oi_open", "oi_high", "oi_low", "oi_close"),
        read=_read_coinalyze,
        holds=(
            "The close of day D becomes the snapshot of D + 1 00:00, the others are left out. The "
            "symbol is Coinalyze's code, whose suffix names the venue; venue coinalyze unless "
            "--venue says it. Codes in USD are inverse_perp, others linear_perp. Last days as for "
            "ohlcv_bars."
        ),
    ),
)
