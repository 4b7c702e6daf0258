"""Rows outside the life of what they are about."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ..findings import Finding
from ..timestamps import column_ns, time_text
from .check import SeriesCheck, counted, rows_finding
from .series import CheckedSeries
from .settings import QualitySettings

_ONE_NUMBER_KINDS = ("tvl", "exchange_reserves", "onchain", "social")


def _after_expiry(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    if series.key.kind != "dated_futures":
        return
    expiry_ns = column_ns(series.ordered["expiry"], f"{series.key}, column expiry")
    late = series.time_ns >= expiry_ns
    if late.any():
        yield rows_finding(
            series,
            "after_expiry",
            series.time_ns[late],
            f"{counted(int(late.sum()), 'bar')} after the expiry of {time_text(int(expiry_ns[late][0]))}",
        )


def _leading_zeros(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    if series.key.kind not in _ONE_NUMBER_KINDS:
        return
    first = next(column for column in series.kind.columns if column.is_number)
    if not pa.types.is_floating(series.table[first.name].type):
        return
    values = series.numbers(first.name)
    run = len(values) if (values == 0).all() else int(np.argmax(values != 0))
    if run:
        yield rows_finding(
            series,
            "leading_zeros",
            series.time_ns[:run],
            f"the first {counted(run, 'row')} are zero: the series had not begun",
        )


def _single_snapshot(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    if series.time_ns[0] == series.time_ns[-1] and not _may_be_single(series):
        yield rows_finding(
            series,
            "single_snapshot",
            series.time_ns[:1],
            f"{counted(len(series.time_ns), 'row')} of one moment: not a history",
        )


def _may_be_single(series: CheckedSeries) -> bool:
    return series.key.kind in ("liquidations", "trades", "unlocks", "listings", "instruments",
                               "fee_tiers", "margin_tiers")  # fmt: skip


CHECKS = (
    SeriesCheck("rows after expiry", ("after_expiry",), _after_expiry),
    SeriesCheck("zeros before the start", ("leading_zeros",), _leading_zeros),
    SeriesCheck("one moment only", ("single_snapshot",), _single_snapshot),
)
