"""Bars of any source: on the grid, without listing prices, without a last bar that may be open."""

from typing import Final

import numpy as np

from engine import DAY_NS, Bool1D, Int1D, timeframe_ns

from ...checks import off_grid
from ...findings import RefusedFileError
from ...timestamps import time_text
from .source_rows import SourceRows, refuse_if_many, taken

PLACEHOLDER_RUN: Final = 2
"""So many equal flat bars at the very start are a listing price, not trading ..."""
PLACEHOLDER_VOLUME: Final = 1e-3
"""... where none of them had more than this share of the usual volume."""


def taken_bars(
    rows: SourceRows, close_ns: Int1D | None = None, *, is_capture: bool = False
) -> SourceRows:
    """The bars that are imported, after every rule of ``docs/data.md``.

    ``close_ns`` are the close times the file states, or None; ``is_capture`` marks formats that
    were recorded while the last bar was still open.
    """
    if close_ns is not None:
        rows = _with_close_findings(rows, rows.time_ns(), close_ns)
    rows = taken(rows)
    _refuse_prices_as_premium(rows)
    time_ns, step = rows.time_ns(), rows.key.step
    wrong = off_grid(time_ns, step)
    refuse_if_many(rows, wrong, f"off the {step} grid")
    rows = rows.without(wrong, "off_grid", f"off the {step} grid")
    rows = rows.without(
        _placeholders(rows), "flat_start", "flat listing price before the first trade"
    )
    if is_capture:
        last = np.zeros(len(rows.places), dtype=np.bool_)
        last[-1] = True
        rows = rows.without(
            last, "incomplete_last_bar", "last bar of a capture, nothing proves that it had closed"
        )
    return rows


def _refuse_prices_as_premium(rows: SourceRows) -> None:
    if rows.key.kind != "premium_index":
        return
    close = np.asarray(rows.table["close"])
    wrong = np.abs(close) >= 1.0
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RefusedFileError(
            "contradiction",
            f"{rows.name(row)}: close={close[row]:g} cannot be a premium, which is a fraction of the "
            "price; these are prices under a wrong name",
        )


def _with_close_findings(rows: SourceRows, time_ns: Int1D, close_ns: Int1D) -> SourceRows:
    step_ns = timeframe_ns(rows.key.step)
    length = close_ns - time_ns
    on_grid = ~off_grid(time_ns, rows.key.step)
    late = (length > step_ns) & on_grid
    if late.any():
        row = int(np.flatnonzero(late)[0])
        raise RefusedFileError(
            "off_grid",
            f"{rows.name(row)}: close_time={time_text(int(close_ns[row]))} lies after the end of the "
            f"{rows.key.step} bar of {time_text(int(time_ns[row]))}; correct --timeframe or the file",
        )
    # Vendors write the last instant of the bar, a millisecond or a microsecond before its end.
    early = (length < step_ns - 1_000_000) & on_grid
    rows = rows.found(
        "close_before_open", "kept", early & (length < 0), "close_time lies before open_time"
    )
    return rows.found(
        "early_close_time",
        "kept",
        early & (length >= 0),
        "close_time lies before the end of the bar, cut short by an outage",
    )


def _placeholders(rows: SourceRows) -> Bool1D:
    """The leading run of equal flat bars, where next to nothing was traded in it.

    A file that begins at midnight may be a piece of a longer history, whose first bars are then quiet
    ones and no listing.
    """
    prices = [np.asarray(rows.table[name]) for name in ("open", "high", "low", "close")]
    flat = np.logical_and.reduce([price == prices[0][0] for price in prices])
    run = len(flat) if flat.all() else int(np.argmin(flat))
    leading = np.zeros(len(flat), dtype=np.bool_)
    if not PLACEHOLDER_RUN <= run < len(flat) or rows.time_ns()[0] % DAY_NS == 0:
        return leading
    volume = np.asarray(rows.table["volume"]) if "volume" in rows.table.column_names else None
    if volume is None or not (volume[run:] > 0.0).any():
        return leading
    usual = np.median(volume[run:][volume[run:] > 0.0])
    leading[:run] = volume[:run].max() <= PLACEHOLDER_VOLUME * usual
    return leading
