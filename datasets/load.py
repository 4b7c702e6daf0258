"""Bars, slow series and whole markets out of the store, in the shapes that the engine speaks."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine import (
    FLOW_COLUMNS,
    HOUR_NS,
    PRICE_COLUMNS,
    Bars,
    Bool1D,
    ConfigError,
    DataError,
    Float1D,
    Int1D,
    Market,
    Series,
    grid_origin_ns,
    timeframe_ns,
)

from .keys import DatasetKey, Instrument
from .kinds import KINDS, SERIES_KINDS, kind_named
from .store import DatasetInfo, Store
from .tables import times_ns
from .timestamps import time_text

FUNDING_INTERVALS_HOURS = (1, 2, 4, 8)
"""Intervals at which venues settle; another distance means that a settlement is missing."""
_LISTED = 8
"""So many nearest data sets are named when one is not found."""


@dataclass(frozen=True, slots=True)
class FundingHistory:
    """Settled funding of one perpetual, arrays ``(E,)``.

    ``time_ns`` is the settlement (int64 ns UTC, strictly increasing), ``rate`` a fraction of
    notional for the ``interval_hours`` before it, ``mark_price`` in quote currency, NaN where the
    source states none.
    """

    time_ns: Int1D
    rate: Float1D
    interval_hours: Float1D
    mark_price: Float1D


def find_dataset(store: Store, instrument: Instrument, kind: str, step: str | None) -> DatasetKey:
    """The one data set that answers; ``step`` None takes the shortest step there is.

    Raises DataError when nothing fits (listing what the store has, nearest name first) or when
    several sources fit and ``instrument`` names none.
    """
    keys = store.keys()
    found = _matching(keys, instrument, kind, step)
    if found:
        return _only(found, instrument)
    raise DataError(_nothing_found(keys, instrument, kind, step))


def load_bars(
    store: Store,
    instrument: Instrument,
    timeframe: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    with_flows: bool = True,
) -> Bars:
    """Bars with ``start_ns <= open_time < end_ns`` on the full grid.

    A missing bar has open, high, low and close of the close before it, volume and flows 0 and
    ``is_gap`` True; a period equals the same rows of the whole history. A flow column is None where
    no stored bar of the period has it, or where ``with_flows`` is False. Where the store lacks
    ``timeframe`` the bars are aggregated from the longest shorter step that divides it, whole bars
    only.

    Raises DataError for an unknown instrument, several sources, a period without bars, or a flow
    column that some bars of the period have and others lack.
    """
    key = _bars_key(store, instrument, timeframe)
    if key.step == timeframe:
        return _grid_bars(store, key, start_ns, end_ns, with_flows)
    return _aggregated_bars(store, key, timeframe, start_ns, end_ns, with_flows)


def load_series(
    store: Store,
    instrument: Instrument,
    kind: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> Series | None:
    """A slow series, or None when the store has none of this kind for the instrument.

    Rows with ``start_ns - max_age <= event_time < end_ns``: what can be shown inside the period.
    ``available_at`` follows the rule of the kind. Optional columns appear when every row has them;
    ``interval_hours`` of funding is always there (see ``load_funding``).

    Raises DataError when several sources fit and ``instrument`` names none.
    """
    spec = kind_named(kind)
    if kind == "ohlcv":
        raise ConfigError("kind='ohlcv' is not a slow series; use load_bars")
    found = _matching(store.keys(), instrument, kind, None)
    if not found:
        return None
    key = _only(found, instrument)
    table = store.read(key)
    time_ns = times_ns(spec, table)
    first = 0 if start_ns is None else int(np.searchsorted(time_ns, start_ns - spec.max_age_ns))
    last = len(time_ns) if end_ns is None else int(np.searchsorted(time_ns, end_ns))
    if first >= last:
        return None
    event_time = time_ns[first:last]
    columns = {
        column.name: values
        for column in spec.columns
        if np.isfinite(values := _floats(table, column.name)[first:last]).all()
    }
    if kind == "funding":
        columns["interval_hours"] = _interval_hours(time_ns, table, key.step)[first:last]
    return Series(
        name=kind,
        max_age_ns=spec.max_age_ns,
        event_time=event_time,
        available_at=event_time + spec.lag(timeframe_ns(key.step)),
        columns=columns,
    )


def load_funding(
    store: Store, instrument: Instrument, start_ns: int | None = None, end_ns: int | None = None
) -> FundingHistory | None:
    """Settlements with ``start_ns <= time < end_ns``, or None when the store has none at all.

    ``interval_hours`` is what the source states; where it states nothing, the hours since the
    settlement before, or the step of the data set for the first row and after a missing settlement.
    It never looks at a later row. Raises DataError when several sources fit.
    """
    found = _matching(store.keys(), instrument, "funding", None)
    if not found:
        return None
    key = _only(found, instrument)
    table = store.read(key)
    time_ns = times_ns(KINDS["funding"], table)
    inside = slice(
        0 if start_ns is None else int(np.searchsorted(time_ns, start_ns)),
        len(time_ns) if end_ns is None else int(np.searchsorted(time_ns, end_ns)),
    )
    return FundingHistory(
        time_ns=time_ns[inside],
        rate=_floats(table, "rate")[inside],
        interval_hours=_interval_hours(time_ns, table, key.step)[inside],
        mark_price=_floats(table, "mark_price")[inside],
    )


def load_market(
    store: Store,
    instrument: Instrument,
    timeframe: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    series_from: Sequence[Instrument] = (),
    funding_from: Instrument | None = None,
) -> Market:
    """Bars of ``instrument`` and every slow series found for it.

    Each kind of series is taken from the first that has it: ``funding_from`` (funding only),
    ``instrument``, then ``series_from`` in order. A kind that nobody has is absent. Raises
    DataError as ``load_bars`` and ``load_series`` do.
    """
    bars = load_bars(store, instrument, timeframe, start_ns, end_ns)
    series: dict[str, Series] = {}
    for kind in SERIES_KINDS:
        owners = [instrument, *series_from]
        if kind == "funding" and funding_from is not None:
            owners.insert(0, funding_from)
        for owner in owners:
            rows = load_series(store, owner, kind, int(bars.open_time[0]), end_ns)
            if rows is not None:
                series[kind] = rows
                break
    return Market(bars=bars, series=series)


def _matching(
    keys: Sequence[DatasetKey], instrument: Instrument, kind: str, step: str | None
) -> list[DatasetKey]:
    return [
        key
        for key in keys
        if (key.kind, key.venue, key.market, key.symbol)
        == (kind, instrument.venue, instrument.market, instrument.symbol)
        and instrument.source in (None, key.source)
        and step in (None, key.step)
    ]


def _only(found: Sequence[DatasetKey], instrument: Instrument) -> DatasetKey:
    """The data set of the shortest step; DataError when the sources are several."""
    sources = sorted({key.source for key in found})
    if len(sources) > 1:
        raise DataError(
            f"{instrument}: the store has {len(sources)} sources of {found[0].kind}: "
            f"{', '.join(sources)}; say which with source"
        )
    return min(found, key=lambda key: timeframe_ns(key.step))


def _nothing_found(
    keys: Sequence[DatasetKey], instrument: Instrument, kind: str, step: str | None
) -> str:
    wanted = "/".join((instrument.venue, instrument.market, instrument.symbol))
    wanted += f"/{step or '*'}/{instrument.source or '*'}"
    have = [str(key).removeprefix(f"{kind}/") for key in keys if key.kind == kind]
    if not have:
        return f"{wanted}: the store has no {kind} at all; import data or simulate a market first"
    have.sort(key=lambda name: -difflib.SequenceMatcher(None, wanted, name).ratio())
    more = f" and {len(have) - _LISTED} more" if len(have) > _LISTED else ""
    nearest = ", ".join(have[:_LISTED])
    return f"{wanted}: the store has no such {kind}; nearest first, it has {nearest}{more}"


def _bars_key(store: Store, instrument: Instrument, timeframe: str) -> DatasetKey:
    keys, step_ns = store.keys(), timeframe_ns(timeframe)
    exact = _matching(keys, instrument, "ohlcv", timeframe)
    if exact:
        return _only(exact, instrument)
    shorter = [
        key
        for key in _matching(keys, instrument, "ohlcv", None)
        if timeframe_ns(key.step) < step_ns and step_ns % timeframe_ns(key.step) == 0
    ]
    if not shorter:
        raise DataError(_nothing_found(keys, instrument, "ohlcv", timeframe))
    longest = max((key.step for key in shorter), key=timeframe_ns)
    return _only([key for key in shorter if key.step == longest], instrument)


def _aggregated_bars(
    store: Store,
    key: DatasetKey,
    timeframe: str,
    start_ns: int | None,
    end_ns: int | None,
    with_flows: bool,
) -> Bars:
    from indicators import resampled

    step, origin = timeframe_ns(timeframe), grid_origin_ns(timeframe)
    whole_end = store.dataset(key).last_ns + timeframe_ns(key.step)
    last = whole_end if end_ns is None else min(end_ns + (origin - end_ns) % step, whole_end)
    last -= (last - origin) % step
    first = start_ns if start_ns is None else start_ns + (origin - start_ns) % step
    bars = resampled(_grid_bars(store, key, first, last, with_flows), timeframe)
    if bars is None:
        raise DataError(
            f"{key}: the period from {_bound(start_ns)} to {_bound(end_ns)} holds no whole {timeframe} "
            "bar; load a longer one"
        )
    return bars


def _grid_bars(
    store: Store, key: DatasetKey, start_ns: int | None, end_ns: int | None, with_flows: bool
) -> Bars:
    kind, info, step = KINDS["ohlcv"], store.dataset(key), timeframe_ns(key.step)
    origin = grid_origin_ns(key.step)
    first = info.first_ns if start_ns is None else start_ns + (origin - start_ns) % step
    first = max(first, info.first_ns)
    last = info.last_ns + step if end_ns is None else min(end_ns, info.last_ns + step)
    # The row before the period gives a gap at its start the close to carry.
    table = store.read(key, _last_row_before(info, first), last)
    time_ns = times_ns(kind, table)
    if not (time_ns >= first).any():
        raise DataError(
            f"{key}: no bars from {_bound(start_ns)} to {_bound(end_ns)}; the store has "
            f"{time_text(info.first_ns)} to {time_text(info.last_ns)}"
            + (f" with {len(info.gaps)} gaps" if info.gaps else "")
        )
    open_time = np.arange(first, last, step, dtype=np.int64)
    row = np.searchsorted(time_ns, open_time, side="right") - 1
    is_gap = time_ns[row] != open_time
    close = _floats(table, "close")[row]
    prices = {name: np.where(is_gap, close, _floats(table, name)[row]) for name in PRICE_COLUMNS}
    flows = {
        name: np.where(is_gap, 0.0, values)
        for name in (FLOW_COLUMNS if with_flows else ())
        if _is_whole(key, name, values := _floats(table, name)[row], open_time, is_gap)
    }
    return Bars(
        symbol=key.symbol,
        timeframe=key.step,
        open_time=open_time,
        volume=np.where(is_gap, 0.0, _floats(table, "volume")[row]),
        is_gap=is_gap,
        **prices,
        **flows,
    )


def _is_whole(
    key: DatasetKey, name: str, values: Float1D, open_time: Int1D, is_gap: Bool1D
) -> bool:
    """True where every bar has the column, False where none has: a hole must not hide the rest."""
    lacking = ~is_gap & ~np.isfinite(values)
    if not lacking.any():
        return True
    if lacking.sum() == (~is_gap).sum():
        return False
    first = time_text(int(open_time[np.flatnonzero(lacking)[0]]))
    raise DataError(
        f"{key}: {name} is missing on {int(lacking.sum())} of {int((~is_gap).sum())} bars, first at "
        f"{first}; load a period where every bar has it or none, or import it under another source"
    )


def _last_row_before(info: DatasetInfo, time_ns: int) -> int:
    """Time of the stored row that a gap at ``time_ns`` continues, or ``time_ns`` itself."""
    for gap in info.gaps:
        if gap.after_ns < time_ns < gap.before_ns:
            return gap.after_ns
    return time_ns


def _bound(time_ns: int | None) -> str:
    return "the beginning" if time_ns is None else time_text(time_ns)


def _floats(table: pa.Table, name: str) -> Float1D:
    values: Float1D = np.asarray(table[name].cast(pa.float64()).fill_null(np.nan)).astype(
        np.float64
    )
    return values


def _interval_hours(time_ns: Int1D, table: pa.Table, step: str) -> Float1D:
    nominal = timeframe_ns(step) / HOUR_NS
    hours = np.rint(np.diff(time_ns, prepend=time_ns[:1]) / HOUR_NS)
    derived = np.where(np.isin(hours, FUNDING_INTERVALS_HOURS), hours, nominal)
    stated = _floats(table, "interval_hours")
    return np.where(np.isfinite(stated), stated, derived)
