"""Value locked in decentralised finance: histories, and one snapshot of many protocols."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, Float1D

from ..rows import SourceRows, taken
from .layout import TidyLayout
from .naming import folder_name
from .series import TidyFile, noting_empty, noting_vendor

_STEP: Final = "1d"
_SCOPES: Final = {
    "total": "total",
    "category": "category",
    "protocol": "protocol",
    "chain": "chain",
}
_CUSTODIAL: Final = "CEX"
_UNUSED: Final = ("change_1h", "change_1d", "change_7d", "mcap")


def _read_history(tidy: TidyFile) -> Iterator[SourceRows]:
    for one in tidy.split(("scope", "name"), (tidy.request.market, tidy.request.symbol)):
        market = tidy.looked_up("scope", one.names[0], _SCOPES, one.places)
        key = tidy.key("tvl", tidy.vendor(), market, folder_name(one.names[1]), _STEP)
        usd = tidy.floats(one, "tvlusd")
        columns = {
            "event_time": one.table["date"],
            "tvl_usd": pa.array(usd),
            "tvl_eth": one.table["tvleth"],
        }
        rows = tidy.rows(key, columns, one.places)
        oldest_first = np.argsort(rows.time_ns(), kind="stable")
        leading = np.zeros(len(usd), dtype=np.bool_)
        leading[oldest_first] = _leading_zeros(usd[oldest_first])
        rows = rows.without(leading, "leading_zeros", "zeros before the series begins")
        yield noting_vendor(taken(rows))


def _leading_zeros(values: Float1D) -> Bool1D:
    zero = values == 0
    leading: Bool1D = np.logical_and.accumulate(zero)
    return leading


def _read_snapshot(tidy: TidyFile) -> Iterator[SourceRows]:
    venue = tidy.vendor()
    for one in tidy.split(("slug", "category"), (tidy.request.symbol, None)):
        slug, category = one.names
        key = tidy.key("tvl", venue, "protocol", folder_name(slug), _STEP)
        # The table states the moment to the millisecond, the snapshot is that of the whole file.
        columns = {"event_time": one.table["timestamp"], "tvl_usd": one.table["tvl"]}
        rows = tidy.rows(key, columns, one.places)
        rows = noting_empty(rows, {name: np.isnan(tidy.floats(one, name)) for name in _UNUSED})
        rows = taken(rows)
        if pc.count_distinct(one.table["timestamp"]).as_py() == 1:
            rows = rows.noting("single_snapshot", "one moment only, this is no history")
        if category == _CUSTODIAL:
            rows = rows.noting(
                "incomparable_unit",
                "coins that an exchange holds for its customers, not value locked in a protocol",
            )
        if key.symbol != slug:
            rows = rows.noting("mixed_symbol_spelling", f"the vendor writes {slug}")
        yield noting_vendor(rows)


LAYOUTS: Final = (
    TidyLayout(
        name="defi_tvl",
        title="Value locked per day: total, categories and protocols",
        kinds=("tvl",),
        required=("scope", "name", "date", "tvlusd", "tvleth"),
        read=_read_history,
        holds=(
            "The scope is the market, the name the symbol; venue unstated unless --venue names the "
            "vendor. Zeros before a series begins are dropped."
        ),
    ),
    TidyLayout(
        name="protocol_tvl",
        title="Value locked per protocol at one moment (DeFiLlama)",
        kinds=("tvl",),
        required=("protocol", "slug", "symbol", "category", "chains", "tvl", *_UNUSED, "timestamp"),
        read=_read_snapshot,
        holds=(
            "One data set per protocol, named by its slug, at the moment of the snapshot; only tvl "
            "is kept. It counts as known by the rule of the kind, later than the snapshot. "
            "Exchanges (category CEX) are noted."
        ),
    ),
)  # fmt: skip
