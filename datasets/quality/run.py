"""Checking files before they are imported, and data sets that the store holds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine import DataError

from ..findings import Finding, RefusedFileError
from ..importers.files import read_file
from ..importers.report import Request
from ..importers.rows import RefusedRowsError
from ..keys import DatasetKey
from ..kinds import KINDS
from ..store import DatasetInfo, Store
from .gap import Period
from .holes import holes_of
from .report import QUALITY_VERSION, DatasetQuality, QualityReport, Refusal
from .series import PRICES, CheckedSeries, Hole, Outline, fillers_of, outline_of
from .settings import QualitySettings
from .suite import DEFAULT_SETTINGS, check_series


def check_files(
    paths: Sequence[Path | str],
    request: Request | None = None,
    *,
    format_name: str | None = None,
    mapping: Path | None = None,
    settings: QualitySettings = DEFAULT_SETTINGS,
    period: Period | None = None,
) -> QualityReport:
    """Check files as an import would read them; nothing is written.

    A file that an import would refuse is in ``refusals`` with the reason: a defect, an option that
    it needs, or that it is not there. The others are checked, and so is what could be read of it.
    Files that continue one series are checked as one. Raises ConfigError for an option that is none
    of the words it may be.
    """
    found: dict[DatasetKey, CheckedSeries] = {}
    refusals: list[Refusal] = []
    for path in map(Path, paths):
        try:
            _, series = read_file(path, request or Request(), format_name, mapping)
        except RefusedFileError as error:
            refusals.append(Refusal(path, error.defect, str(error)))
            series = [error.rows] if isinstance(error, RefusedRowsError) else []
        except DataError as error:
            refusals.append(Refusal(path, None, str(error)))
            continue
        for rows in series:
            if len(rows.table):
                one = CheckedSeries(rows.key, rows.table, rows.findings)
                found[rows.key] = _joined(found[rows.key], one) if rows.key in found else one
    return check_series(found.values(), found.__getitem__, settings, period, refusals)


def _joined(one: CheckedSeries, other: CheckedSeries) -> CheckedSeries:
    return replace(
        one,
        table=pa.concat_tables([one.table, other.table]),
        findings=(*one.findings, *other.findings),
    )


def check_store(
    store: Store,
    keys: Sequence[DatasetKey] | None = None,
    *,
    settings: QualitySettings = DEFAULT_SETTINGS,
    period: Period | None = None,
    record: bool = True,
    on_dataset: Callable[[DatasetKey], Any] | None = None,
) -> QualityReport:
    """Check data sets of a store, by default all, and keep the result in their manifests.

    Data sets that were not chosen are not checked, but their manifests tell what they have where a
    chosen one has a gap. With ``record`` and without ``period`` a manifest is rewritten where its
    document has changed; DataError when the rows of a data set have changed meanwhile. ``on_dataset``
    is called before each data set is read.
    """
    chosen = list(store.keys()) if keys is None else list(keys)
    checked: dict[DatasetKey, str] = {}

    def read(key: DatasetKey) -> CheckedSeries:
        if on_dataset is not None:
            on_dataset(key)
        info = store.dataset(key)
        checked[key] = info.sha256
        findings = dict.fromkeys(
            Finding.from_json(finding)
            for entry in info.provenance
            for finding in entry.get("findings", ())
        )
        return CheckedSeries(key, store.read(key), tuple(findings))

    others = _others(store, chosen, settings)
    report = check_series(map(read, chosen), read, settings, period, others=others)
    if record and period is None:
        for dataset in report.datasets:
            store.record_quality(dataset.key, dataset.to_json(), sha256=checked[dataset.key])
    return report


def _others(store: Store, chosen: Sequence[DatasetKey], settings: QualitySettings) -> list[Outline]:
    """Outlines of the data sets of the same kinds, venues and markets that were not chosen."""
    markets = {(key.kind, key.venue, key.market) for key in chosen}
    stored = store.keys()
    near = [key for key in stored if (key.kind, key.venue, key.market) in markets]
    holed = [store.dataset(key) for key in chosen if not KINDS[key.kind].is_event]
    found = []
    for key in near:
        if key in chosen or KINDS[key.kind].is_event:
            continue
        if key.kind == "funding":
            series = CheckedSeries(key, store.read(key))
            found.append(outline_of(series, holes_of(series, settings)))
        else:
            info = store.dataset(key)
            found.append(_outline_of_manifest(info, _stored_fillers(store, info, holed)))
    return found


def _stored_fillers(
    store: Store, info: DatasetInfo, holed: Sequence[DatasetInfo]
) -> tuple[Hole, ...]:
    """Fillers of a data set that was not chosen, as far as they can matter for one of ``holed``."""
    key, kind = info.key, KINDS[info.key.kind]
    columns = [*PRICES, "volume"]
    if not {*columns}.issubset(column.name for column in kind.columns):
        return ()
    start: int | None = None
    end: int | None = None
    if all(one.key.symbol != key.symbol for one in holed):
        # Another symbol is a witness for what lies between rows only.
        gaps = [gap for one in holed if one.key.venue == key.venue for gap in one.gaps]
        if not gaps:
            return ()
        start, end = min(gap.after_ns for gap in gaps), max(gap.before_ns for gap in gaps)
    table = store.read(key, start, end, columns=columns)
    return fillers_of(CheckedSeries(key, table)) if len(table) else ()


def _outline_of_manifest(info: DatasetInfo, fillers: tuple[Hole, ...]) -> Outline:
    step_ns = KINDS[info.key.kind].step_ns(info.key.step)
    return Outline(
        key=info.key,
        rows=info.rows,
        first_ns=info.first_ns,
        last_ns=info.last_ns,
        interval_ns=step_ns,
        holes=tuple(
            Hole(gap.after_ns + step_ns, gap.before_ns, gap.missing_rows) for gap in info.gaps
        ),
        last_volume_ratio=None,
        defects=frozenset(),
        fillers=fillers,
    )


def recorded_quality(store: Store, key: DatasetKey) -> DatasetQuality | None:
    """What the last check of a data set found; None where none was made or the rows changed since.

    A document of another version counts as none.
    """
    document = store.dataset(key).quality
    if document is None or document.get("version") != QUALITY_VERSION:
        return None
    return DatasetQuality.from_json(document)
