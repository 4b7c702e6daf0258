"""What is asked of the aligned load, which data sets answer, and what stands for both."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

import numpy as np

import indicators.asof
from engine import FLOW_COLUMNS, ConfigError
from engine import timeframe as timeframes

from ..keys import DatasetKey, Instrument
from ..kinds import kind_named
from ..store import Store
from .find import bars_datasets
from .grid import BAR_COLUMNS
from .slow_rows import series_datasets


@dataclass(frozen=True, slots=True)
class AlignedRequest:
    """What is asked for, and the data sets that answer, found anew on every load."""

    instruments: tuple[Instrument, ...]
    timeframe: str
    start_ns: int | None
    end_ns: int | None
    as_of_ns: int | None
    flows: tuple[str, ...]
    bars: tuple[tuple[DatasetKey, ...], ...]
    series: Mapping[str, tuple[tuple[DatasetKey, ...], ...]]
    columns: Mapping[str, tuple[str, ...] | None]
    last_part: bool

    @property
    def datasets(self) -> tuple[DatasetKey, ...]:
        named = [*self.bars, *(keys for owners in self.series.values() for keys in owners)]
        return tuple(dict.fromkeys(key for keys in named for key in keys))


def resolved(
    store: Store,
    instruments: Sequence[Instrument],
    timeframe: str,
    start_ns: int | None,
    end_ns: int | None,
    kinds: Sequence[str],
    columns: Sequence[str] | None,
    series_from: Mapping[Instrument, Sequence[Instrument]],
    as_of_ns: int | None,
    last_part: bool,
) -> AlignedRequest:
    if not instruments or len(set(instruments)) < len(instruments):
        raise ConfigError(f"{len(instruments)} instruments to align: name one or more, each once")
    flows, of_kind = _chosen_columns(kinds, columns)
    series = {}
    for kind in of_kind:
        found = []
        for instrument in instruments:
            owners = (instrument, *series_from.get(instrument, ()))
            answers = (series_datasets(store, owner, kind) for owner in owners)
            found.append(next((keys for keys in answers if keys), ()))
        series[kind] = tuple(found)
    return AlignedRequest(
        instruments=tuple(instruments),
        timeframe=timeframe,
        start_ns=start_ns,
        end_ns=end_ns,
        as_of_ns=as_of_ns,
        flows=flows,
        bars=tuple(bars_datasets(store, instrument, timeframe) for instrument in instruments),
        series=series,
        columns=of_kind,
        last_part=last_part,
    )


def _chosen_columns(
    kinds: Sequence[str], columns: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...] | None]]:
    """Flow columns, and the columns of each kind (None: all of them)."""
    if columns is None:
        return FLOW_COLUMNS, dict.fromkeys(kinds)
    numbers = {
        kind: [column.name for column in kind_named(kind).columns if column.is_number]
        for kind in kinds
    }
    known = {f"{kind}.{name}" for kind, names in numbers.items() for name in names}
    unknown = [name for name in columns if name not in (*BAR_COLUMNS, *FLOW_COLUMNS, *known)]
    if unknown:
        raise ConfigError(
            f"columns: {unknown[0]!r} is unknown; write one of {', '.join(FLOW_COLUMNS)}, or "
            "kind.column for one of the kinds asked for"
        )
    chosen = {
        kind: tuple(name for name in names if f"{kind}.{name}" in columns)
        for kind, names in numbers.items()
    }
    return tuple(name for name in FLOW_COLUMNS if name in columns), dict(chosen)


def cache_key(store: Store, request: AlignedRequest) -> str:
    """Stands for the request, the code that answers it and every byte that the manifests state."""
    digest = hashlib.sha256(f"{_code_version()}\n{request!r}\n".encode())
    for key in request.datasets:
        manifest = store.manifest_bytes(key)
        digest.update(f"{key} {len(manifest)}\n".encode())
        digest.update(manifest)
    return digest.hexdigest()


@once
def _code_version() -> str:
    digest = hashlib.sha256(np.__version__.encode())
    loading = Path(__file__).parent
    rooms = (loading, loading.parent, loading.parent / "kinds", loading.parent / "store")
    files = [path for room in rooms for path in sorted(room.glob("*.py"))]
    for path in (*files, *(Path(str(module.__file__)) for module in (indicators.asof, timeframes))):
        digest.update(path.read_bytes())
    return digest.hexdigest()
