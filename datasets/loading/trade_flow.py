"""Trades added up under each decision bar: what was bought and sold, and where it is certain to be all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine import HOUR_NS, Bars, Float1D, Int1D, Series, kernel
from indicators.asof import released_rows

from ..keys import Instrument
from ..kinds import kind_named
from ..store import Store
from ..tables import available_at_ns, times_ns
from .fill import LATENESS_NS
from .find import series_datasets

TRADES: Final = "trades"
TRADE_FLOW: Final = "trade_flow"
COLUMNS: Final = (
    "volume",
    "quote_volume",
    "trades",
    "taker_buy_volume",
    "taker_buy_quote",
    "taker_buy_trades",
    "largest_trade",
)
"""Columns of the series: as those of bars, then trades in which the taker bought, and the largest trade
in base units. Of aggregated trades, trades are aggregates."""
_VOLUME, _QUOTE, _COUNT, _BUY_VOLUME, _BUY_QUOTE, _BUY_COUNT, _LARGEST = range(len(COLUMNS))
TRADES_BESIDE_NS: Final = HOUR_NS
"""How far beyond the bars a trade may lie that shows where their numbers begin and end."""
_READ: Final = ("trade_id", "price", "quantity", "is_buyer_maker")


def load_trade_flow(
    store: Store, bars: Bars, instrument: Instrument, *, as_of_ns: int | None
) -> Series | None:
    """The series ``trade_flow``: a row for each of ``bars`` that the stored trades cover wholly.

    ``event_time`` is the open of the bar. The row is known at its close, or, where a trade in it was known
    more than ten seconds after that, when the last one was; it is shown at that close only, so a late row
    is shown nowhere. Columns are ``COLUMNS``.

    A bar is covered when the venue's numbers of trades prove that none is missing: from the last trade
    before it to the first one after it each number follows the one before. So the first and the last bar
    of a recording have no row, nor has any bar of trades whose numbers are an order within a time, or of
    which the source left some out. A covered bar without trades has a row of zeros. Whether trades are
    missing is judged by all that are stored; what a row says follows from the first vintage of each trade,
    of those known at ``as_of_ns`` where it is given, and a bar with a trade not known then has no row.

    Of several named sources a row comes from the first that covers the bar. None where no bar is covered.
    Trades are read in small pieces, however many there are. Raises DataError for several sources of which
    none is named.
    """
    flow = np.full((len(COLUMNS), len(bars)), np.nan)
    known_ns = np.zeros(len(bars), dtype=np.int64)
    start_ns = int(bars.open_time[0]) - TRADES_BESIDE_NS
    end_ns = int(bars.close_time[-1]) + TRADES_BESIDE_NS
    for key in series_datasets(store, instrument, TRADES):
        totals = store.fold(
            key, lambda chunks: _totals(chunks, bars), start_ns, end_ns, columns=_READ
        )
        taken = totals.is_whole & np.isnan(flow[_VOLUME])
        flow[:, taken], known_ns[taken] = totals.flow[:, taken], totals.known_ns[taken]
    covered = np.flatnonzero(~np.isnan(flow[_VOLUME]))
    close_ns = bars.close_time[covered]
    late = known_ns[covered] > close_ns + LATENESS_NS
    available_at = np.where(late, known_ns[covered], close_ns)
    if as_of_ns is not None:
        # A trade beyond the moment hides its bar even within the ten seconds.
        seen = np.maximum(available_at, known_ns[covered]) <= as_of_ns
        covered, available_at = covered[seen], available_at[seen]
    rows = released_rows(bars.open_time[covered], available_at)
    if not len(rows):
        return None
    return Series(
        name=TRADE_FLOW,
        max_age_ns=bars.step_ns,
        event_time=bars.open_time[covered][rows],
        available_at=available_at[rows],
        columns={name: flow[place, covered][rows] for place, name in enumerate(COLUMNS)},
    )


@dataclass(frozen=True, slots=True)
class _Totals:
    """Sums over the trades of each bar ``(columns, T)``, when the last was known, whether all are there."""

    flow: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    known_ns: Int1D
    is_whole: np.ndarray[tuple[int], np.dtype[np.bool_]]


def _totals(chunks: Iterable[pa.Table], bars: Bars) -> _Totals:
    count = len(bars)
    flow, known_ns = np.zeros((len(COLUMNS), count)), np.zeros(count, dtype=np.int64)
    holes = np.zeros(count + 1, dtype=np.int64)
    # Time, number and bar of the trade before.
    last = np.array([np.iinfo(np.int64).min, -1, -1], dtype=np.int64)
    first_ns, step_ns = int(bars.open_time[0]), bars.step_ns
    kind = kind_named(TRADES)
    for chunk in chunks:
        _add_kernel(
            times_ns(kind, chunk),
            available_at_ns(chunk),
            _column(chunk, "trade_id"), _column(chunk, "price"), _column(chunk, "quantity"),
            _column(chunk, "is_buyer_maker"),
            first_ns, step_ns, last, flow, holes, known_ns,
        )  # fmt: skip
    # Behind the last trade nothing is certain.
    holes[max(last[2], 0)] += 1
    is_whole = np.cumsum(holes)[:count] == 0
    return _Totals(flow, known_ns, is_whole)


def _column(chunk: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[Any]]:
    return np.asarray(chunk[name])


@kernel
def _add_kernel(
    time_ns: Int1D, available_ns: Int1D, number: Int1D, price: Float1D, quantity: Float1D,
    is_buyer_maker: np.ndarray, first_ns: int, step_ns: int,
    last: Int1D, flow: np.ndarray, holes: Int1D, known_ns: Int1D,
) -> None:  # fmt: skip
    """Add trades in order of time to ``flow``; ``last`` is time, number and bar of the one before.

    ``holes`` gains 1 at the first and loses 1 behind the last bar in which a trade may be missing.
    """
    count = len(known_ns)
    for i in range(len(time_ns)):
        if time_ns[i] == last[0] and number[i] == last[1]:
            # A later vintage of the same trade.
            continue
        bar = min(max((time_ns[i] - first_ns) // step_ns, -1), count)
        if number[i] != last[1] + 1 or last[1] < 0:
            begin, end = max(last[2], 0), min(bar, count - 1)
            if begin <= end:
                holes[begin] += 1
                holes[end + 1] -= 1
        last[0], last[1], last[2] = time_ns[i], number[i], bar
        if bar < 0 or bar == count:
            continue
        value = price[i] * quantity[i]
        flow[_VOLUME, bar] += quantity[i]
        flow[_QUOTE, bar] += value
        flow[_COUNT, bar] += 1.0
        if not is_buyer_maker[i]:
            flow[_BUY_VOLUME, bar] += quantity[i]
            flow[_BUY_QUOTE, bar] += value
            flow[_BUY_COUNT, bar] += 1.0
        flow[_LARGEST, bar] = max(flow[_LARGEST, bar], quantity[i])
        known_ns[bar] = max(known_ns[bar], available_ns[i])
