"""The dated future of the moment as one slow series, and the price under it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine import DAY_NS, DataError, Float1D, Int1D, Series, grid_origin_ns, timeframe_ns
from indicators.asof import released_rows

from ..keys import DatasetKey, Instrument
from ..kinds import kind_named
from ..store import Store
from ..tables import moments_ns
from ..timestamps import time_text
from .find import (
    bars_datasets,
    datasets_of,
    nothing_found,
    shortest_steps,
    symbols_beside,
)
from .slow_rows import slow_rows
from .sources import ConflictHandler

DATED_FUTURES: Final = "dated_futures"
INDEX_PRICE: Final = "index_price"
LEAST_NS: Final = 2 * DAY_NS
"""A contract is followed while its expiry is farther away: its last days are settlement, not carry."""
_SEPARATORS: Final = "_-"
_STEPS_SHOWN: Final = 2
"""A close is shown for its own step and for one more, so that one missing bar hides nothing."""


def contract_datasets(
    store: Store, underlying: Instrument, timeframe: str
) -> tuple[tuple[DatasetKey, ...], ...]:
    """The data sets of every dated future of ``underlying``, one tuple a contract, in order of symbols.

    Contracts are the symbols of its venue and market that add one word to its symbol behind ``_`` or ``-``
    (``BTCUSDT_240628``, ``BTC-27JUN25``). Of each, the longest step not above ``timeframe`` is taken, else
    the shortest; of named sources those that have it. Raises DataError where there is no contract, or
    several sources and none is named.
    """
    contracts = []
    for symbol in symbols_beside(store, underlying, DATED_FUTURES):
        if not _is_contract(symbol, underlying.symbol):
            continue
        contract = Instrument(underlying.venue, underlying.market, symbol, underlying.source)
        found = datasets_of(store, contract, DATED_FUTURES)
        if not found:
            continue
        shortest_steps(found, contract)
        steps = {timeframe_ns(key.step) for key in found}
        fitting = [step for step in steps if step <= timeframe_ns(timeframe)]
        taken = max(fitting) if fitting else min(steps)
        contracts.append(tuple(key for key in found if timeframe_ns(key.step) == taken))
    if not contracts:
        raise DataError(nothing_found(store, underlying, DATED_FUTURES, None))
    return tuple(contracts)


def load_dated_futures(
    store: Store,
    underlying: Instrument,
    timeframe: str,
    start_ns: int,
    end_ns: int,
    *,
    index_step_ns: int,
    as_of_ns: int | None,
    on_source_conflicts: ConflictHandler,
) -> Series | None:
    """Close and expiry of the nearest dated future, as the series ``dated_futures``; None without rows.

    At the close of each bar the contract is the one that expires first among those that had a bar
    with trades there and expire more than ``LEAST_NS`` later: what was listed, by what was known. A bar of
    a nearer contract that arrives when the farther one's is already out changes nothing, as any second
    vintage. Columns: ``close`` (quote currency), ``expiry`` (ns UTC).

    ``event_time`` is ``index_step_ns`` before the close, the event of the index row that closes at the same
    moment; rows are known when the store says that their bars were. Raises DataError as
    ``contract_datasets`` does, and for a contract with two expiries.
    """
    contracts = contract_datasets(store, underlying, timeframe)
    longest_ns = max(timeframe_ns(keys[0].step) for keys in contracts)
    max_age_ns = max(
        kind_named(DATED_FUTURES).max_age_ns, index_step_ns + _STEPS_SHOWN * longest_ns
    )
    first_ns = start_ns - max_age_ns - longest_ns
    parts = []
    for keys in contracts:
        close_ns, known_ns, close = _closes(
            store, keys, first_ns, end_ns, as_of_ns, on_source_conflicts
        )
        if not len(close):
            continue
        expiry_ns = _expiry_ns(store, keys)
        usable = expiry_ns - close_ns > LEAST_NS
        expiry = np.full(int(usable.sum()), expiry_ns, dtype=np.int64)
        parts.append((close_ns[usable], known_ns[usable], close[usable], expiry))
    if not parts:
        return None
    close_ns, known_ns, close, expiry = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((expiry, known_ns, close_ns))
    rows = order[released_rows(close_ns[order], known_ns[order])]
    if not len(rows):
        return None
    return Series(
        name=DATED_FUTURES,
        max_age_ns=max_age_ns,
        event_time=close_ns[rows] - index_step_ns,
        available_at=known_ns[rows],
        columns={"close": close[rows], "expiry": expiry[rows].astype(np.float64)},
    )


def load_index_of(
    store: Store,
    instrument: Instrument,
    timeframe: str,
    start_ns: int,
    end_ns: int,
    *,
    max_age_ns: int,
    as_of_ns: int | None,
    on_source_conflicts: ConflictHandler,
) -> Series | None:
    """Closes of the bars of ``instrument`` as the series ``index_price``; None where there are none.

    For stores without an index: a price of the coin itself, known at the same close. A bar without
    trades repeats an older price and is left out. Rows are shown for ``max_age_ns`` after their bar opens.
    Raises DataError as ``bars_datasets`` does.
    """
    keys = bars_datasets(store, instrument, timeframe)
    step_ns = timeframe_ns(timeframe)
    close_ns, known_ns, close = _closes(
        store, keys, start_ns - max_age_ns, end_ns, as_of_ns, on_source_conflicts
    )
    whole = (close_ns - grid_origin_ns(timeframe)) % step_ns == 0
    close_ns, known_ns, close = close_ns[whole], known_ns[whole], close[whole]
    rows = released_rows(close_ns, known_ns)
    if not len(rows):
        return None
    return Series(
        name=INDEX_PRICE,
        max_age_ns=max_age_ns,
        event_time=close_ns[rows] - step_ns,
        available_at=known_ns[rows],
        columns={"close": close[rows]},
    )


def _is_contract(symbol: str, underlying: str) -> bool:
    ending = symbol.removeprefix(underlying)
    return (
        ending != symbol
        and len(ending) > 1
        and ending[0] in _SEPARATORS
        and not any(mark in ending[1:] for mark in _SEPARATORS)
    )


def _closes(
    store: Store,
    keys: Sequence[DatasetKey],
    start_ns: int,
    end_ns: int,
    as_of_ns: int | None,
    on_conflicts: ConflictHandler,
) -> tuple[Int1D, Int1D, Float1D]:
    """Moment of each close, when it was known, and the price, of every vintage of bars with trades."""
    rows = slow_rows(
        store, keys, start_ns, end_ns, as_of_ns, on_conflicts, columns=("close", "volume")
    )
    if not len(rows.event_time):
        return rows.event_time, rows.available_at, np.empty(0)
    rows = rows.chosen(rows.columns["volume"] > 0)
    return rows.event_time + timeframe_ns(keys[0].step), rows.available_at, rows.columns["close"]


def _expiry_ns(store: Store, keys: Sequence[DatasetKey]) -> int:
    stated = np.unique(
        np.concatenate([moments_ns(store.read(key, columns=("expiry",)), "expiry") for key in keys])
    )
    if len(stated) != 1:
        raise DataError(
            f"{keys[0]}: {len(stated)} expiries, {time_text(int(stated[0]))} and "
            f"{time_text(int(stated[1]))} among them; a contract has one: name one source, or import "
            "the data set again with the right one"
        )
    return int(stated[0])
