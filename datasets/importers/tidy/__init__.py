"""Tidy Parquet files: one long table of many series, recognised by its columns."""

from typing import Final

from ..reading.source_file import SourceFile
from . import (
    bars,
    book_summary,
    daily,
    dated_futures,
    funding,
    layout,
    liquidations,
    metric_series,
    multi_venue,
    open_interest,
    trades,
    tvl,
    universe,
    vintages,
)

LAYOUTS: Final = (
    *bars.LAYOUTS,
    *dated_futures.LAYOUTS,
    *multi_venue.LAYOUTS,
    *funding.LAYOUTS,
    *open_interest.LAYOUTS,
    *vintages.LAYOUTS,
    *trades.LAYOUTS,
    *liquidations.LAYOUTS,
    *book_summary.LAYOUTS,
    *daily.LAYOUTS,
    *metric_series.LAYOUTS,
    *universe.LAYOUTS,
    *tvl.LAYOUTS,
)
"""Every layout; a file fits at most one of them."""

FORMATS: Final = tuple(one.format() for one in LAYOUTS)


def refuse_unknown_layout(file: SourceFile) -> None:
    """RefusedFileError for a Parquet file of no known layout, naming the nearest; else nothing."""
    layout.refuse_unknown_layout(file, LAYOUTS)
