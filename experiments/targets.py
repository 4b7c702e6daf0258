"""A user's own targets, replayed instead of the consensus."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine import (
    ORDER_KINDS,
    STYLES,
    Bool2D,
    DataError,
    Decisions,
    Float1D,
    Float2D,
    Int1D,
    Int8Array2D,
    Panel,
)

COLUMNS: Final = ("time", "symbol", "target")
OPTIONAL: Final = ("style", "order_kind", "order_price")
LIKELY_MEANT: Final = 0.75
"""Likeness at which a column counts as a misspelt optional one; any other is ignored."""
CODES: Final[Mapping[str, tuple[str, ...]]] = {"style": STYLES, "order_kind": ORDER_KINDS}
"""Columns of words, and the words; a row without one has the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Targets on the grid of a panel: values and acting rows, both ``(T, S)``.

    ``style``, ``order_kind`` (codes of the engine) and ``order_price`` (NaN for market orders) are None
    where the file lacks the column. ``outside`` counts rows of the file that lie before the first or
    after the last close.
    """

    target: Float2D
    acts: Bool2D
    style: Int8Array2D | None
    order_kind: Int8Array2D | None
    order_price: Float2D | None
    outside: int

    def decisions(self, atr_frac: Float2D, volatility: Float2D | None = None) -> Decisions:
        """The same as the replay accepts them."""
        return Decisions(
            target=self.target,
            acts=self.acts,
            atr_frac=atr_frac,
            style=self.style,
            order_kind=self.order_kind,
            order_price=self.order_price,
            volatility=volatility,
        )


def load_targets(path: Path | str, panel: Panel) -> Targets:
    """Read a Parquet or CSV file with the columns time, symbol and target.

    ``time`` (UTC where no zone is given) is the close of a bar: the moment at which the target was
    known; it fills no earlier than the next open. ``target`` lies in [-1, 1], the signed share of a
    full position (section ``sizing``). A bar without a row keeps what is held. Optional columns, where
    an empty cell is the first word or no price: ``style`` (target, add, exit_long, exit_short; the
    last two with target 0), ``order_kind`` (market, limit, stop) and ``order_price`` of the last two.

    Raises DataError naming the row of the file, counted from 1 without the header, when a time is no
    close of a bar, decreases within a symbol or repeats, a symbol is not traded, a word is unknown, a
    price is missing or superfluous, or a number is out of range.
    """
    path = Path(path)
    frame = _frame(path)
    time_ns = _times(path, frame["time"])
    columns: dict[str, Any] = {"target": _numbers(path, "target", frame["target"])}
    columns |= {name: _codes(path, name, frame[name]) for name in CODES if name in frame}
    if "order_price" in frame:
        columns["order_price"] = _numbers(path, "order_price", frame["order_price"], may_lack=True)
    _check_rows(path, columns)
    rows, symbols, inside = _cells(path, time_ns, frame["symbol"].astype(str), panel)
    acts = np.zeros(panel.open.shape, dtype=np.bool_)
    acts[rows, symbols] = True
    placed: dict[str, Any] = dict.fromkeys(OPTIONAL)
    for name, values in columns.items():
        empty = np.nan if name == "order_price" else 0
        placed[name] = np.full(panel.open.shape, empty, dtype=values.dtype)
        placed[name][rows, symbols] = values[inside]
    return Targets(acts=acts, outside=int((~inside).sum()), **placed)


def _check_rows(path: Path, columns: Mapping[str, Any]) -> None:
    target = columns["target"]
    kind = columns.get("order_kind", np.zeros(len(target), dtype=np.int8))
    price = columns.get("order_price", np.full(len(target), np.nan))
    style = columns.get("style", np.zeros(len(target), dtype=np.int8))
    exits = style >= STYLES.index("exit_long")
    rules = (
        (~(np.abs(target) <= 1), "target={target} must lie in [-1, 1]"),
        (exits & (target != 0), "target={target} must be 0 with style {style}: it only closes"),
        (
            (kind > 0) & ~(np.isfinite(price) & (price > 0)),
            "order_price={price} must be finite and positive with order_kind {kind}",
        ),
        (
            (kind == 0) & ~np.isnan(price),
            "order_price={price} needs order_kind limit or stop; leave it empty for a market order",
        ),
    )
    for broken, rule in rules:
        if broken.any():
            row = int(np.argmax(broken))
            told = rule.format(
                target=target[row],
                price=price[row],
                kind=ORDER_KINDS[kind[row]],
                style=STYLES[style[row]],
            )
            raise DataError(f"{path}: row {row + 1}: {told}")


def _moment(time_ns: int) -> str:
    """To the second, and finer only where the time is."""
    return str(np.datetime64(time_ns, "ns")).removesuffix(".000000000")


def _cells(
    path: Path, time_ns: Int1D, names: Any, panel: Panel
) -> tuple[Int1D, Int1D, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Bar and column of every row inside the panel, and which rows those are."""
    columns = {symbol: index for index, symbol in enumerate(panel.symbols)}
    first_close = int(panel.close_time[0])
    last: dict[str, int] = {}
    for row, (time, symbol) in enumerate(zip(time_ns.tolist(), names, strict=True), start=1):
        where = f"{path}: row {row}"
        if symbol not in columns:
            raise DataError(f"{where}: symbol={symbol!r} is not traded here: {list(columns)}")
        if symbol in last and time <= last[symbol]:
            word = "repeats" if time == last[symbol] else "is before"
            raise DataError(
                f"{where}: time={_moment(time)} {word} the row above it for {symbol}; "
                "sort by time and keep one row for each bar"
            )
        last[symbol] = time
        if (time - first_close) % panel.step_ns:
            raise DataError(
                f"{where}: time={_moment(time)} is not the close of a {panel.timeframe} bar (a moment such "
                f"as {_moment(first_close)})"
            )
    bars = (time_ns - first_close) // panel.step_ns
    inside = (bars >= 0) & (bars < len(panel))
    symbols = np.array([columns[symbol] for symbol in names], dtype=np.int64)
    return bars[inside], symbols[inside], inside


def _frame(path: Path) -> Mapping[str, Any]:
    import pandas as pd
    import pyarrow as pa

    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".csv"):
        raise DataError(f"{path}: targets are read from a .parquet or a .csv file")
    try:
        frame = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such targets file") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path}: is empty; targets need the columns {list(COLUMNS)}") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        message = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read as a table: {message}") from None
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: the column {missing[0]!r} is missing; it has {list(frame.columns)}, targets "
            f"need {list(COLUMNS)}"
        )
    for name in frame.columns:
        near = difflib.get_close_matches(str(name), OPTIONAL, n=1, cutoff=LIKELY_MEANT)
        if near and name not in OPTIONAL:
            raise DataError(
                f"{path}: the column {name!r} means nothing here; did you mean {near[0]!r}?"
            )
    if frame.empty:
        raise DataError(f"{path}: there is no row in it")
    return {name: frame[name] for name in frame.columns}


def _times(path: Path, column: Any) -> Int1D:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(
            f"{path}: time is a number; write moments such as 2023-01-31T13:00:00 or use a timestamp "
            "column"
        )
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    wrong = np.flatnonzero(parsed.isna())
    if wrong.size:
        row = int(wrong[0])
        raise DataError(f"{path}: row {row + 1}: time={column.iloc[row]!r} is not a moment")
    nanoseconds: Int1D = parsed.dt.tz_localize(None).to_numpy("datetime64[ns]").astype(np.int64)
    return nanoseconds


def _numbers(path: Path, name: str, column: Any, *, may_lack: bool = False) -> Float1D:
    import pandas as pd

    values: Float1D = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    wrong = ~np.isfinite(values)
    if may_lack:
        wrong &= ~column.isna().to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        rule = "must be a positive number" if may_lack else "must lie in [-1, 1]"
        raise DataError(f"{path}: row {row + 1}: {name}={str(column.iloc[row])!r} {rule}")
    return values


def _codes(path: Path, name: str, column: Any) -> np.ndarray[Any, np.dtype[np.int8]]:
    words = CODES[name]
    codes = np.zeros(len(column), dtype=np.int8)
    for row, (word, lacks) in enumerate(zip(column, column.isna(), strict=True)):
        if lacks:
            continue
        if word not in words:
            raise DataError(
                f"{path}: row {row + 1}: {name}={word!r} must be one of {', '.join(words)}"
            )
        codes[row] = words.index(word)
    return codes
