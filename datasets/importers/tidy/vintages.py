"""Series of which every value states when it was captured: revisions stay beside each other."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from engine import timeframe_ns

from ...findings import RefusedFileError
from ...kinds import AVAILABLE_AT
from ...tables import available_at_ns, equal_values, same_identity
from ..rows import SourceRows, taken, taken_settlements
from .layout import TidyLayout
from .series import TidyFile, TidySeries

_FUNDING_STEP: Final = "8h"
_AS_OF: Final = (
    "as_of becomes available_at, also where it is late: a row that the first capture already met "
    "may have been public long before. Later rows of one time are revisions. Venue and market from "
    "the file name or the options; the symbol is the coin."
)


def _columns(one: TidySeries) -> dict[str, pa.Array | pa.ChunkedArray]:
    return {"event_time": one.table["time"], AVAILABLE_AT: one.table["as_of"]}


def _noted(tidy: TidyFile, rows: SourceRows) -> SourceRows:
    """The vintages with findings about the first capture and about revised values."""
    known_ns = available_at_ns(rows.table)
    first_ns = tidy.oldest_ns("as_of")
    late = known_ns - rows.time_ns() > timeframe_ns(rows.key.step)
    rows = rows.found(
        "capture_time",
        "kept",
        late & (known_ns == first_ns),
        "known from the first capture on, which is later than the publication",
    )
    again = np.flatnonzero(same_identity(rows.kind, rows.table, same_moment=False))
    revised = np.zeros(len(known_ns), dtype=np.bool_)
    revised[again[~equal_values(rows.kind, rows.table, again)]] = True
    return rows.found("revision", "kept", revised, "changed after the value had been published")


def _read_funding(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    for one in tidy.split(("coin",), (tidy.request.symbol,)):
        step = tidy.request.timeframe or _FUNDING_STEP
        key = tidy.key("funding", venue, market, one.names[0], step)
        columns = _columns(one) | {"rate": one.table["funding_rate"]}
        yield _noted(tidy, taken_settlements(tidy.rows(key, columns, one.places)))


def _metrics(
    tidy: TidyFile, one: TidySeries, columns: dict[str, pa.Array | pa.ChunkedArray]
) -> SourceRows:
    step = tidy.step([one], "time")
    key = tidy.key("metrics", tidy.venue(), tidy.market(), one.names[0], step)
    return tidy.rows(key, _columns(one) | columns, one.places)


def _read_ratio(tidy: TidyFile) -> Iterator[SourceRows]:
    for one in tidy.split(("coin",), (tidy.request.symbol,)):
        columns = {"count_long_short_ratio": one.table["long_short_account_ratio"]}
        yield _noted(tidy, taken(_metrics(tidy, one, columns)))


def _read_open_interest(tidy: TidyFile) -> Iterator[SourceRows]:
    for one in tidy.split(("coin",), (tidy.request.symbol,)):
        columns = {"sum_open_interest_value": one.table["open_interest_value_usd"]}
        rows = _metrics(tidy, one, columns)
        differs = tidy.floats(one, "open_interest_usd") != tidy.floats(
            one, "open_interest_value_usd"
        )
        if differs.any():
            raise RefusedFileError(
                "contradiction",
                f"{rows.name(int(np.argmax(differs)))}: open_interest_usd and "
                "open_interest_value_usd differ; nothing says which of the two is the value in USD",
            )
        yield _noted(tidy, taken(rows)).noting(
            "unstated_unit", "two equal columns are both named USD; the source does not confirm it"
        )


def _read_taker_volume(tidy: TidyFile) -> Iterator[SourceRows]:
    for one in tidy.split(("coin",), (tidy.request.symbol,)):
        bought, sold = tidy.floats(one, "taker_buy_volume"), tidy.floats(one, "taker_sell_volume")
        ratio = np.divide(bought, sold, out=np.full(len(sold), np.nan), where=sold > 0)
        columns = {
            "sum_taker_long_short_vol_ratio": pa.array(ratio),
            "taker_buy_volume": one.table["taker_buy_volume"],
            "taker_sell_volume": one.table["taker_sell_volume"],
        }
        rows = _metrics(tidy, one, columns)
        rows = rows.without(
            ~np.isfinite(ratio), "missing_value", "nothing was sold or a volume is empty: no ratio"
        )
        yield _noted(tidy, taken(rows)).noting(
            "unstated_unit", "the volumes are as the venue publishes them, without a unit"
        )


LAYOUTS: Final = (
    TidyLayout(
        name="funding_vintages",
        title="Funding with the time of its capture",
        kinds=("funding",),
        required=("coin", "time", "as_of", "funding_rate"),
        read=_read_funding,
        holds=_AS_OF,
    ),
    TidyLayout(
        name="long_short_vintages",
        title="Long/short account ratio with the time of its capture",
        kinds=("metrics",),
        required=("coin", "time", "as_of", "long_short_account_ratio"),
        read=_read_ratio,
        holds=f"The ratio becomes count_long_short_ratio. {_AS_OF}",
    ),
    TidyLayout(
        name="open_interest_vintages",
        title="Open interest with the time of its capture",
        kinds=("metrics",),
        required=("coin", "time", "as_of", "open_interest_usd", "open_interest_value_usd"),
        read=_read_open_interest,
        holds=f"Both columns must agree and become sum_open_interest_value. {_AS_OF}",
    ),
    TidyLayout(
        name="taker_volume_vintages",
        title="Taker volume with the time of its capture",
        kinds=("metrics",),
        required=("coin", "time", "as_of", "taker_sell_volume", "taker_buy_volume"),
        read=_read_taker_volume,
        holds=(
            "Both volumes are kept in the venue's unit and bought / sold becomes "
            f"sum_taker_long_short_vol_ratio. {_AS_OF}"
        ),
    ),
)
