"""CSV exports of two vendors: CoinMarketCap's list of a date, Investing.com's daily rates."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import DAY_NS, Int1D

from ..findings import RefusedFileError
from ..keys import DatasetKey
from ..kinds import EVENT_STEP
from .format import Format
from .reading.csv_table import csv_table
from .reading.source_file import SourceFile
from .reading.stated import agreed, stated
from .report import Request
from .rows import SourceRows, source_rows, taken
from .tidy.daily import currency_pair, fx_noted
from .tidy.series import taken_periods
from .tidy.universe import LISTING, symbols_noted

_WORD: Final = "line"
_CAP_HEADER: Final = (
    "Rank,Name,Symbol,Market Cap,Price,Circulating Supply,Volume (24h),% 1h,% 24h,% 7d,"
    "snapshot_date"
)
_CAP_COLUMNS: Final = {
    "rank": pa.int64(),
    "asset": pa.string(),
    "symbol": pa.string(),
    "market_cap_usd": pa.float64(),
    "price_usd": pa.float64(),
    "circulating_supply": pa.float64(),
    "volume_24h_usd": pa.float64(),
}
_CHANGES: Final = ("pct_1h", "pct_24h", "pct_7d")
_RATE_HEADER: Final = "Date,Price,Open,High,Low,Vol.,Change %"
_RATE_COLUMNS: Final = {"Price": "close", "Open": "open", "High": "high", "Low": "low"}
_NUMBER: Final = r"^[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?$|^[0-9]+(\.[0-9]+)?$"


def _header(file: SourceFile) -> str:
    return file.head[0].strip() if file.head else ""


def _check_header(file: SourceFile, fits: bool, header: str) -> None:
    if not fits:
        raise RefusedFileError("unreadable", f"{file.path} line 1: the header must be {header}")


def _day_ns(file: SourceFile, texts: pa.ChunkedArray, name: str, form: str, places: Int1D) -> Int1D:
    """Days written as ``form``, int64 ns UTC; RefusedFileError naming the first that is not."""
    for row, text in enumerate(texts.to_pylist()):
        if len(text) != len(form) or not text.replace("-", "").isdigit():
            raise _unreadable_day(file, int(places[row]), name, text, form)
    iso = texts if "-" in form else pc.replace_substring_regex(
        texts, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3"
    )  # fmt: skip
    days: list[int] = []
    for row, text in enumerate(iso.to_pylist()):
        try:
            days.append(int(np.datetime64(text, "D").astype(np.int64)))
        except ValueError as error:
            raise _unreadable_day(file, int(places[row]), name, text, form) from error
    return np.array(days, dtype=np.int64) * DAY_NS


def _unreadable_day(
    file: SourceFile, line: int, name: str, text: str, form: str
) -> RefusedFileError:
    return RefusedFileError(
        "unreadable", f"{file.path} line {line}: {name}={text[:60]!r} is no day written {form}"
    )


def _read_caps(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    _check_header(file, _recognises_caps(file), _CAP_HEADER)
    names = (*_CAP_COLUMNS, *_CHANGES, "snapshot_date")
    optional = ("market_cap_usd", "price_usd", "circulating_supply", "volume_24h_usd", *_CHANGES)
    table, places = csv_table(file, names, _CAP_COLUMNS, skip_lines=1, optional=optional)
    columns: dict[str, pa.Array | pa.ChunkedArray] = {name: table[name] for name in _CAP_COLUMNS}
    days = _day_ns(file, table["snapshot_date"], "snapshot_date", "YYYYMMDD", places)
    columns["event_time"] = pa.array(days)
    key = DatasetKey(
        "universe",
        agreed(file, "venue", request.venue, "coinmarketcap"),
        agreed(file, "market", request.market, "coins"),
        request.symbol or LISTING,
        EVENT_STEP,
        request.source or "coinmarketcap_csv",
    )
    yield symbols_noted(
        taken(source_rows(file.path, "coinmarketcap_csv", key, columns, places, _WORD))
    )


def _read_rates(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    _check_header(file, _recognises_rates(file), _RATE_HEADER)
    names = tuple(_RATE_HEADER.split(","))
    table, places = csv_table(file, names, {}, skip_lines=1, optional=("Vol.", "Change %"))
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        ours: _numbers(file, table[theirs], theirs, places)
        for theirs, ours in _RATE_COLUMNS.items()
    }
    days = _day_ns(file, table["Date"], "Date", "YYYY-MM-DD", places)
    if (np.diff(days) < 0).all():
        days, places = days[::-1].copy(), places[::-1].copy()
        columns = {name: values[::-1] for name, values in columns.items()}
    columns["event_time"] = pa.array(days)
    key = DatasetKey(
        "fx",
        agreed(file, "venue", request.venue, "investing_com"),
        agreed(file, "market", request.market, "fx"),
        stated(file, "symbol", request.symbol, currency_pair(file)),
        "1d",
        request.source or "investing_com_csv",
    )
    rows = source_rows(file.path, "investing_com_csv", key, columns, places, _WORD)
    yield fx_noted(taken_periods(rows))


def _numbers(file: SourceFile, texts: pa.ChunkedArray, name: str, places: Int1D) -> pa.Array:
    """Numbers with commas between the thousands."""
    texts = texts.combine_chunks()
    fits = np.asarray(pc.match_substring_regex(texts, _NUMBER)).astype(np.bool_)
    if not fits.all():
        row = int(np.argmin(fits))
        raise RefusedFileError(
            "unreadable",
            f"{file.path} line {places[row]}: {name}={texts[row].as_py()[:60]!r} is no number "
            "such as 1,203.93",
        )
    return pa.array([float(text.replace(",", "")) for text in texts.to_pylist()], pa.float64())


def _recognises_caps(file: SourceFile) -> bool:
    return _header(file) == _CAP_HEADER


def _recognises_rates(file: SourceFile) -> bool:
    return _header(file).replace('"', "") == _RATE_HEADER


FORMATS: Final = (
    Format(
        name="coinmarketcap_csv",
        title="CoinMarketCap's list of coins on one date",
        kinds=("universe",),
        recognises=_recognises_caps,
        read=_read_caps,
        hint=f"CSV with the header {_CAP_HEADER}",
        holds=(
            "coinmarketcap/coins/all; the name is the asset, percentages are left out, "
            "snapshot_date is YYYYMMDD."
        ),
    ),
    Format(
        name="investing_com_csv",
        title="Daily exchange rate of Investing.com",
        kinds=("fx",),
        recognises=_recognises_rates,
        read=_read_rates,
        hint=f"CSV with the header {_RATE_HEADER}",
        holds=(
            "investing_com/fx; the currencies from the beginning of the file name (usd_krw) or "
            "--symbol. Price is the "
            "close; numbers may have commas between the thousands; rows may stand newest first."
        ),
    ),
)
