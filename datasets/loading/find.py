"""Which data sets answer for an instrument."""

import difflib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from engine import ConfigError, DataError, timeframe_ns

from ..keys import DatasetKey, Instrument
from ..kinds import BAR_KINDS, EVENT_STEP
from ..store import Store

_LISTED: Final = 8
"""So many nearest data sets are named when one is not found."""


def find_dataset(store: Store, instrument: Instrument, kind: str, step: str | None) -> DatasetKey:
    """The one data set that answers; ``step`` None takes the shortest step there is.

    Of several named sources it is that of the first that has any. Raises DataError when nothing fits
    (listing what the store has, nearest name first) or when several sources fit and ``instrument``
    names none.
    """
    found = [
        key for key in datasets_of(store, instrument, kind) if step is None or key.step == step
    ]
    if not found:
        raise DataError(nothing_found(store, instrument, kind, step))
    return shortest_steps(found, instrument)[0]


def bars_datasets(
    store: Store, instrument: Instrument, timeframe: str, *, kind: str = "ohlcv"
) -> tuple[DatasetKey, ...]:
    """The data sets that ``load_bars`` reads: one, or one of each named source in their order.

    All are of one step: ``timeframe``, or the longest shorter one that divides it and that every
    source has. Raises ConfigError for a kind that is not bars, DataError when nothing fits, when
    several sources fit and none is named, or when the named ones have no step in common.
    """
    if kind not in BAR_KINDS:
        raise ConfigError(f"kind={kind!r} does not hold bars; bars are {', '.join(BAR_KINDS)}")
    step_ns = timeframe_ns(timeframe)
    fitting = [
        key for key in datasets_of(store, instrument, kind) if step_ns % timeframe_ns(key.step) == 0
    ]
    if not fitting:
        raise DataError(nothing_found(store, instrument, kind, timeframe))
    # Steps of different sources too: another import must not change where the bars come from.
    _one_source(fitting, instrument)
    sources = dict.fromkeys(key.source for key in fitting)
    steps = sorted({key.step for key in fitting}, key=timeframe_ns, reverse=True)
    if instrument.sources:
        shared = [
            step for step in steps if sum(key.step == step for key in fitting) == len(sources)
        ]
        if not shared:
            have = ", ".join(f"{key.source} {key.step}" for key in fitting)
            raise DataError(
                f"{instrument}: the sources share no step of {kind} from which {timeframe} can be "
                f"built; the store has {have}; import the same step of each, or name fewer sources"
            )
        steps = shared
    longest = [key for key in fitting if key.step == steps[0]]
    return _one_source(longest, instrument)


def bars_dataset(
    store: Store, instrument: Instrument, timeframe: str, *, kind: str = "ohlcv"
) -> DatasetKey:
    """The first of ``bars_datasets``."""
    return bars_datasets(store, instrument, timeframe, kind=kind)[0]


def datasets_of(store: Store, instrument: Instrument, kind: str) -> list[DatasetKey]:
    """Data sets of a kind of an instrument: of its named sources in their order, or of every source.

    Reads the names in one folder, no manifest, however large the store is.
    """
    folder = store.root / instrument.manifests(kind)
    names = [(step, source) for step in _names(folder) for source in _names(folder / step, ".json")]
    keys = []
    for step, source in sorted(names):
        # A stray file is no data set; ``Store.problems`` names it.
        with suppress(DataError):
            keys.append(
                DatasetKey(
                    kind, instrument.venue, instrument.market, instrument.symbol, step, source
                )
            )
    sources = instrument.sources
    if not sources:
        return keys
    named = [key for key in keys if key.source in sources]
    return sorted(named, key=lambda key: sources.index(key.source))


def symbols_beside(store: Store, instrument: Instrument, kind: str) -> tuple[str, ...]:
    """Every symbol of which the store has the kind at the venue and market of ``instrument``, sorted."""
    return tuple(sorted(_names(store.root / instrument.manifests(kind).parent)))


def series_datasets(
    store: Store, instrument: Instrument, kind: str, *, step: str | None = None
) -> tuple[DatasetKey, ...]:
    """The data sets that ``load_series`` reads: those of ``step``, or of the shortest step of each
    named source, in their order.

    Empty where the store has none. Raises DataError when several sources fit and none is named.
    """
    found = [key for key in datasets_of(store, instrument, kind) if step in (None, key.step)]
    return shortest_steps(found, instrument) if found else ()


def shortest_steps(found: Iterable[DatasetKey], instrument: Instrument) -> tuple[DatasetKey, ...]:
    """The data set of the shortest step of each source, in the order of ``found``.

    Raises DataError when there are several sources and ``instrument`` names none.
    """
    of_source: dict[str, list[DatasetKey]] = {}
    for key in found:
        of_source.setdefault(key.source, []).append(key)
    return _one_source([min(keys, key=_step_ns) for keys in of_source.values()], instrument)


def _step_ns(key: DatasetKey) -> int:
    return 0 if key.step == EVENT_STEP else timeframe_ns(key.step)


def _one_source(keys: Sequence[DatasetKey], instrument: Instrument) -> tuple[DatasetKey, ...]:
    sources = sorted({key.source for key in keys})
    if len(sources) > 1 and not instrument.sources:
        raise DataError(
            f"{instrument}: the store has {len(sources)} sources of {keys[0].kind}: "
            f"{', '.join(sources)}; say which with source, or several in order of precedence"
        )
    return tuple(keys)


def _names(folder: "os.PathLike[str]", ending: str = "") -> list[str]:
    try:
        with os.scandir(folder) as items:
            names = [item.name for item in items]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [
        name.removesuffix(ending)
        for name in names
        if name.endswith(ending) and not name.startswith(".")
    ]


def nothing_found(store: Store, instrument: Instrument, kind: str, step: str | None) -> str:
    """Why no data set answers: what was wanted, and what the store has, nearest name first."""
    wanted = "/".join((instrument.venue, instrument.market, instrument.symbol))
    wanted += f"/{step or '*'}/{' or '.join(instrument.sources) or '*'}"
    stored = store.keys()
    have = [str(key).removeprefix(f"{kind}/") for key in stored if key.kind == kind]
    if not have:
        return (
            f"{wanted}: the store {store.root} has no {kind} at all; import data or simulate a market "
            "first, or name the folder that holds it with --store"
        )
    have.sort(key=lambda name: -difflib.SequenceMatcher(None, wanted, name).ratio())
    more = f" and {len(have) - _LISTED} more" if len(have) > _LISTED else ""
    nearest = ", ".join(have[:_LISTED])
    return f"{wanted}: the store {store.root} has no such {kind}; nearest first, it has {nearest}{more}"
