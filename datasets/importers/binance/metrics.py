"""Open interest, long/short ratios and taker flow of the archive."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from ...findings import RefusedFileError
from ...kinds import KINDS
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from .layout import NUMBER, TEXT, Layout
from .names import archive_key
from .stamps import text_times_ns
from .symbols import by_symbol

_NAME: Final = "binance_metrics"
_VALUES: Final = (
    "sum_open_interest",
    "sum_open_interest_value",
    "count_toptrader_long_short_ratio",
    "sum_toptrader_long_short_ratio",
    "count_long_short_ratio",
    "sum_taker_long_short_vol_ratio",
)
_LAYOUT: Final = Layout(
    columns={"create_time": TEXT, "symbol": TEXT} | dict.fromkeys(_VALUES, NUMBER),
    empty=_VALUES,
)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _LAYOUT.read(file)
    time_ns = text_times_ns(file, table, places, "create_time")
    for symbol, chosen in by_symbol(file, table["symbol"], request):
        part = table.take(pa.array(chosen))
        yield _series(file, request, symbol, part, time_ns[chosen], places[chosen])


def _series(
    file: SourceFile,
    request: Request,
    symbol: str,
    table: pa.Table,
    time_ns: np.ndarray[tuple[int], np.dtype[np.int64]],
    places: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> SourceRows:
    step = request.timeframe or KINDS["metrics"].native_step
    key = archive_key(file, request, "metrics", step=step, symbol=symbol, only_futures=True)
    inverse = key.market.startswith("cm_")
    values = {name: table[name] for name in _VALUES}
    if inverse:
        values["sum_open_interest"] = values.pop("sum_open_interest_value")
    missing = {name: np.asarray(column.is_null()) for name, column in values.items()}
    empty = np.logical_and.reduce(list(missing.values()))
    if empty.all():
        raise RefusedFileError("missing_value", f"{file.path}: no row of {symbol} has a value")
    columns = {"event_time": pa.array(time_ns)} | values
    rows = source_rows(file.path, _NAME, key, columns, places, "line")
    for name, cells in missing.items():
        rows = rows.found("missing_value", "kept", cells & ~empty, f"{name} is empty")
    if inverse:
        rows = rows.noting(
            "incomparable_unit",
            "open interest of coin-margined contracts is in contracts; sum_open_interest is the file's "
            "value, which is in the base currency",
        )
    return taken(rows.without(empty, "missing_value", "no column has a value"))


FORMATS: Final = (
    Format(
        name=_NAME,
        title="Binance archive metrics",
        kinds=("metrics",),
        recognises=_LAYOUT.recognises,
        read=_read,
        hint="header create_time, symbol, sum_open_interest and five more; times are text",
        holds="open interest, long/short ratios and taker ratio; empty cells stay empty and are named",
    ),
)
