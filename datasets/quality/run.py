"""Checking files before they are imported, and data sets that the store holds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..findings import Finding, RefusedFileError
from ..importers.files import read_file
from ..importers.report import Request
from ..importers.rows import RefusedRowsError
from ..keys import DatasetKey
from ..kinds import KINDS
from ..store import DatasetInfo, Store
from .gaps import Period
from .holes import holes_of
from .report import DatasetQuality, QualityReport, Refusal
from .series import CheckedSeries, Hole, Outline, outline_of
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

    A file that an import would refuse for a defect is in ``refusals``, and what could be read of it
    is checked all the same. Files that continue one series are checked as one. Raises DataError for
    a file that needs to be told more, naming the option.
    """
    found: dict[DatasetKey, CheckedSeries] = {}
    refusals: list[Refusal] = []
    for path in map(Path, paths):
        try:
            _, series = read_file(path, request or Request(), format_name, mapping)
        except RefusedFileError as error:
            refusals.append(Refusal(path, error.defect, str(error)))
            series = [error.rows] if isinstance(error, RefusedRowsError) else []
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
    chosen one has a gap. With ``record`` a manifest is rewritten where its document has changed;
    DataError when the rows of a data set have changed meanwhile. ``on_dataset`` is called before each
    data set is read.
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
    if record:
        for dataset in report.datasets:
            store.record_quality(dataset.key, dataset.to_json(), sha256=checked[dataset.key])
    return report


def _others(store: Store, chosen: Sequence[DatasetKey], settings: QualitySettings) -> list[Outline]:
    """Outlines of the data sets of the same kinds, venues and markets that were not chosen."""
    markets = {(key.kind, key.venue, key.market) for key in chosen}
    near = [key for key in store.keys() if (key.kind, key.venue, key.market) in markets]  # noqa: SIM118
    found = []
    for key in near:
        if key in chosen or KINDS[key.kind].is_event:
            continue
        if key.kind == "funding":
            series = CheckedSeries(key, store.read(key))
            found.append(outline_of(series, holes_of(series, settings)))
        else:
            found.append(_outline_of_manifest(store.dataset(key)))
    return found


def _outline_of_manifest(info: DatasetInfo) -> Outline:
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
    )


def recorded_quality(store: Store, key: DatasetKey) -> DatasetQuality | None:
    """What the last check of a data set found; None where none was made or the rows changed since."""
    document = store.dataset(key).quality
    return None if document is None else DatasetQuality.from_json(document)
