"""Funding rates at their settlements; daily means of them are refused."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from engine import HOUR_NS

from ...findings import RefusedFileError
from ...kinds import KINDS
from ..rows import SourceRows
from ..rows.funding import taken_funding
from .layout import TidyLayout
from .series import TidyFile, TidySeries, noting_empty

_VENUES: Final = {
    "binance_um": ("binance", "um_perp"),
    "bybit_linear": ("bybit", "linear_perp"),
}
_INTERVALS: Final = (1, 2, 4, 8)
"""Hours between settlements that venues use."""


def settlement_step(tidy: TidyFile, series: TidySeries) -> str:
    """The interval most settlements of a series are apart, or the usual one where too few stand."""
    if tidy.request.timeframe is not None:
        return tidy.request.timeframe
    hours = np.rint(np.diff(np.sort(tidy.times(series, "funding_time"))) / HOUR_NS).astype(int)
    lengths, counts = np.unique(hours[np.isin(hours, _INTERVALS)], return_counts=True)
    return f"{lengths[np.argmax(counts)]}h" if lengths.size else KINDS["funding"].native_step


def _read_history(tidy: TidyFile) -> Iterator[SourceRows]:
    found = False
    for one in tidy.split(("symbol", "venue"), (tidy.request.symbol, None)):
        venue, market = tidy.looked_up("venue", one.names[1], _VENUES, one.places)
        if tidy.request.venue not in (None, venue) or tidy.request.market not in (None, market):
            continue
        found = True
        yield _settlements(tidy, one, venue, market)
    if not found:
        raise RefusedFileError(
            "unreadable",
            f"{tidy.file.path}: nothing in it is from venue={tidy.request.venue} "
            f"market={tidy.request.market}; it has "
            + ", ".join("/".join(pair) for pair in _VENUES.values()),
        )


def _read_one_venue(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    for one in tidy.split(("symbol",), (tidy.request.symbol,)):
        yield _settlements(tidy, one, venue, market)


def _settlements(tidy: TidyFile, one: TidySeries, venue: str, market: str) -> SourceRows:
    key = tidy.key("funding", venue, market, one.names[0], settlement_step(tidy, one))
    columns = {"event_time": one.table["funding_time"], "rate": one.table["funding_rate"]}
    empty = {}
    if "mark_price" in one.table.column_names:
        columns["mark_price"] = one.table["mark_price"]
        empty["mark_price"] = np.isnan(tidy.floats(one, "mark_price"))
    rows = tidy.rows(key, columns, one.places)
    return taken_funding(noting_empty(rows, empty))


def _read_daily(tidy: TidyFile) -> Iterator[SourceRows]:
    raise RefusedFileError(
        "derived_value",
        f"{tidy.file.path}: one open, high, low and close of the rate per day and no "
        "settlements; charging them would pay funding once a day instead of at every settlement. "
        "Import the settlements of the venue instead",
    )
    yield


LAYOUTS: Final = (
    TidyLayout(
        name="funding_history",
        title="Funding of several venues at each settlement",
        kinds=("funding",),
        required=("symbol", "venue", "funding_time", "funding_rate"),
        optional=("mark_price",),
        read=_read_history,
        holds=(
            "binance_um becomes binance/um_perp, bybit_linear becomes bybit/linear_perp. Stamps up "
            "to a second late move to their hour; a mark price that is missing stays empty."
        ),
    ),
    TidyLayout(
        name="funding_settlements",
        title="Funding of many symbols at one venue",
        kinds=("funding",),
        required=("symbol", "funding_time", "funding_rate"),
        optional=("mark_price",),
        read=_read_one_venue,
        holds=(
            "Venue and market from the file name or the options. The step of a data set is the "
            "distance that most of its settlements have; a change of the interval is noted."
        ),
    ),
    TidyLayout(
        name="coinalyze_funding",
        title="Daily open, high, low and close of a funding rate (Coinalyze)",
        kinds=("funding",),
        required=("coin_symbol", "symbol", "date", "funding_rate", "fr_open", "fr_high", "fr_low"),
        read=_read_daily,
        holds=(
            "Refused: daily bars of a rate in percent are no settlements, and without them nothing "
            "can be charged."
        ),
    ),
)
