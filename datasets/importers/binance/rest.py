"""Answers of Binance's REST interface, saved as CSV: candles, funding and open interest."""

import re
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from engine import Int1D

from ...kinds import KINDS
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, common_step, source_rows, taken, taken_bars, taken_settlements
from .layout import NUMBER, TEXT, WHOLE, Layout
from .names import archive_key, check_venue, refuse_coin_margined
from .stamps import stamps_ns
from .symbols import by_symbol

_SOURCE: Final = "binance_rest"
_CANDLES: Final = "binance_rest_candles"
_FUNDING: Final = "binance_rest_funding"
_OPEN_INTEREST: Final = "binance_rest_open_interest"
_FLOWS: Final = ("open", "high", "low", "close", "volume", "quote_volume")
_CANDLES_LAYOUT: Final = Layout(
    columns={"timestamp": WHOLE}
    | dict.fromkeys(_FLOWS, NUMBER)
    | {"trades": WHOLE, "close_time": WHOLE},
)
_FUNDING_LAYOUT: Final = Layout(
    columns={"timestamp": WHOLE, "symbol": TEXT, "funding_rate": NUMBER}
)
_OPEN_INTEREST_VALUES: Final = ("sum_open_interest", "sum_open_interest_value")
_OPEN_INTEREST_LAYOUT: Final = Layout(
    columns={"timestamp": WHOLE, "symbol": TEXT} | dict.fromkeys(_OPEN_INTEREST_VALUES, NUMBER),
)
_CANDLES_NAME: Final = re.compile(r"([^\W_]+(?:_[^\W_a-z]+)?)_([0-9]+[mhdw])")


def _read_candles(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _CANDLES_LAYOUT.read(file)
    check_venue(file, request)
    named = _CANDLES_NAME.fullmatch(file.name.split(".")[0])
    symbol, step = named.groups() if named else (None, None)
    key = archive_key(
        file,
        request,
        "ohlcv",
        symbol=request.symbol or symbol,
        step=request.timeframe or step,
        source=_SOURCE,
    )
    time_ns, close_ns = stamps_ns(file, table, places, "timestamp", "close_time")
    columns = {"open_time": pa.array(time_ns)} | {n: table[n] for n in (*_FLOWS, "trades")}
    rows = source_rows(file.path, _CANDLES, key, columns, places, "line")
    yield taken_bars(rows, close_ns, is_capture=True)


def _read_funding(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    step = request.timeframe or KINDS["funding"].native_step
    for symbol, table, time_ns, places in _parts(_FUNDING_LAYOUT, file, request):
        key = archive_key(
            file, request, "funding", symbol=symbol, step=step, source=_SOURCE, only_futures=True
        )
        columns = {"event_time": pa.array(time_ns), "rate": table["funding_rate"]}
        yield taken_settlements(source_rows(file.path, _FUNDING, key, columns, places, "line"))


def _read_open_interest(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    for symbol, table, time_ns, places in _parts(_OPEN_INTEREST_LAYOUT, file, request):
        step = request.timeframe or common_step([np.sort(time_ns)], file.path)
        key = archive_key(
            file, request, "metrics", symbol=symbol, step=step, source=_SOURCE, only_futures=True
        )
        refuse_coin_margined(
            file, key, "open interest", "; import the metrics of the archive instead"
        )
        columns = {"event_time": pa.array(time_ns)} | {n: table[n] for n in _OPEN_INTEREST_VALUES}
        yield taken(source_rows(file.path, _OPEN_INTEREST, key, columns, places, "line"))


def _parts(
    layout: Layout, file: SourceFile, request: Request
) -> Iterator[tuple[str, pa.Table, Int1D, Int1D]]:
    table, places = layout.read(file)
    check_venue(file, request)
    (time_ns,) = stamps_ns(file, table, places, "timestamp")
    for symbol, chosen in by_symbol(file, table["symbol"], request):
        yield symbol, table.take(pa.array(chosen)), time_ns[chosen], places[chosen]


def _format(
    name: str,
    kind: str,
    layout: Layout,
    read: Callable[[SourceFile, Request], Iterator[SourceRows]],
    holds: str,
) -> Format:
    return Format(
        name=name,
        title=f"Binance REST answers: {kind}",
        kinds=(kind,),
        recognises=layout.recognises,
        read=read,
        hint=f"header {', '.join(layout.columns)}; venue from --venue or a name with 'binance' in it",
        holds=holds,
    )


FORMATS: Final = (
    _format(
        _CANDLES,
        "ohlcv",
        _CANDLES_LAYOUT,
        _read_candles,
        f"bars (source {_SOURCE}) without the last one, which may have been open; names such as "
        "DOGEUSDT_1h.csv, the market from --market",
    ),
    _format(
        _FUNDING, "funding", _FUNDING_LAYOUT, _read_funding, f"settled funding (source {_SOURCE})"
    ),
    _format(
        _OPEN_INTEREST,
        "metrics",
        _OPEN_INTEREST_LAYOUT,
        _read_open_interest,
        f"open interest (source {_SOURCE}); the step is the usual distance of rows, or --timeframe",
    ),
)
