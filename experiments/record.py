"""Run folders: written whole or not at all, and read back."""

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datasets.durable import replace_file
from engine import METRICS, REASONS, SECOND_NS, ConfigError, DataError

from .config_file import HASH_LABEL_LENGTH, resolved
from .provenance import revision, versions

if TYPE_CHECKING:
    import pyarrow as pa

    from .pipeline import RunResult

SCHEMA_VERSION: Final = 3
RECORD_NAME: Final = "run.json"
REPORT_NAME: Final = "report.html"
NAMES_TOLD: Final = 8
"""Names of runs or sweeps that an error lists."""
LIQUIDATION: Final = REASONS.index("liquidation")
_UNFINISHED: Final = ".unfinished-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run read back from its folder: ``content`` is run.json, tables are read when asked for."""

    run_dir: Path
    content: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        """Name of the run folder."""
        return self.run_dir.name

    def table(self, name: str) -> "pa.Table":
        """The table ``<name>.parquet``; DataError when it is missing, broken or was changed."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.run_dir / f"{name}.parquet"
        try:
            digest = sha256_of(path)
            if digest != self.content["artefacts"].get(path.name):
                raise DataError(
                    f"{path}: its SHA-256 is not the one in {RECORD_NAME}; the file was changed after "
                    "the run: put it back as it was, or run it again"
                )
            return pq.read_table(path)
        except FileNotFoundError:
            raise DataError(f"{path}: is missing; put it back, or run it again") from None
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path}: cannot be read ({error}); run it again") from None


def new_run_id(created_at: datetime, name: str, config_hash: str) -> str:
    """``20240131T130500Z-<name>-<first digits of the hash>``."""
    return f"{created_at:%Y%m%dT%H%M%SZ}-{name}-{config_hash[:HASH_LABEL_LENGTH]}"


def write_run(result: "RunResult", runs: Path) -> Path:
    """Write the run folder under ``runs`` and return its path.

    Everything is written to a hidden folder first, which gets its name last: an interrupted run
    leaves nothing that looks finished. A second run of the same second gets a suffix.
    """
    from .report import write_report

    check_runs_folder(runs)
    runs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=runs))
    run_id, reserved = _reserved_name(runs, result.run_id)
    try:
        content = run_content(result, run_id, write_tables(result, folder))
        replace_file(folder / RECORD_NAME, f"{json_text(content)}\n".encode())
        write_report(RunRecord(run_dir=folder, content=content), folder / REPORT_NAME)
        os.chmod(folder, 0o755)
        folder.rename(runs / run_id)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(
            f"{runs}: the run cannot be written: {error.strerror}; nothing of it was kept, make room or "
            "give another folder with --runs"
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        reserved.rmdir()
    return runs / run_id


def write_tables(result: "RunResult", folder: Path) -> dict[str, str]:
    """Write every table of ``result`` into ``folder``; the SHA-256 of each file by its name."""
    from .artefacts import ARTEFACTS

    hashes = {}
    for name, table_of in ARTEFACTS.items():
        path = folder / f"{name}.parquet"
        write_parquet(table_of(result), path)
        hashes[path.name] = sha256_of(path)
    return hashes


def check_runs_folder(runs: Path) -> None:
    """DataError unless run folders can be made under ``runs``; asked before anything is computed."""
    nearest = next(path for path in (runs, *runs.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise DataError(f"{nearest}: is a file; give a folder for the runs with --runs")
    try:
        # Only writing tells: the superuser may write everywhere but in a file system that has no files.
        with tempfile.TemporaryDirectory(prefix=".writable-", dir=nearest):
            pass
    except OSError as error:
        raise DataError(
            f"{nearest}: cannot be written ({error.strerror}); give another folder with --runs"
        ) from None


def run_content(result: "RunResult", run_id: str, hashes: Mapping[str, str]) -> dict[str, Any]:
    """run.json as plain values; see docs/run-folder.md."""
    config = result.config
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "name": config.name,
        "created_at": f"{result.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "duration_seconds": round(result.duration_seconds, 3),
        "seed": config.seed,
        "config_hash": result.config_hash,
        "overrides": list(result.overrides),
        "config": resolved(config),
        "data_fingerprint": result.data.fingerprint,
        "searched_data_fingerprint": result.searched_fingerprint,
        "datasets": [str(key) for key in result.data.datasets],
        "simulated": config.data.simulated is not None
        or any(key.venue == "simulated" for key in result.data.datasets),
        "decisions_from": "consensus" if config.targets is None else config.targets,
        "timeframe": config.data.timeframe,
        "symbols": list(result.panel.symbols),
        "start_time": _moment(int(result.panel.open_time[0])),
        "end_time": _moment(int(result.panel.close_time[-1])),
        "bars": len(result.panel),
        "gaps": {
            symbol: {
                "signals": int(market.bars.is_gap.sum()),
                "traded": int(result.data.prices[symbol].bars.is_gap.sum()),
            }
            for symbol, market in result.data.markets.items()
        },
        "series": {symbol: sorted(market.series) for symbol, market in result.data.markets.items()},
        "panels": {symbol: sorted(market.panels) for symbol, market in result.data.markets.items()},
        "price_pieces": [
            asdict(piece) | {"start": _moment(piece.start_ns), "end": _moment(piece.end_ns)}
            for priced in result.data.prices.values()
            for piece in priced.pieces()
        ],
        "funding_settlements": len(result.data.funding.time_ns),
        "notes": list(result.notes),
        "n_trades": result.n_trades,
        "n_fills": len(result.replay.fills),
        "n_orders": len(result.replay.orders),
        "ambiguous_exits": result.replay.ambiguous_exits,
        "fine_timeframe": None if result.data.fine is None else result.data.fine.timeframe,
        "unresolved_bars": result.replay.unresolved_bars,
        "liquidations": int((result.replay.fills["reason"] == LIQUIDATION).sum()),
        "ruined_bar": result.replay.ruined_bar,
        "metrics": without_nan(dict(result.metrics)),
        "benchmark_metrics": without_nan(dict(result.benchmark_metrics)),
        "metric_units": {metric.name: metric.unit for metric in METRICS},
        "metric_groups": {metric.name: metric.group for metric in METRICS},
        "metric_texts": {metric.name: metric.text for metric in METRICS},
        "firing": without_nan(list(result.firing)),
        "leave_one_out": None
        if result.leave_one_out is None
        else without_nan(result.leave_one_out.of_heads()),
        "code": revision(),
        "versions": versions(),
        "artefacts": dict(hashes),
    }


def load_run(run: Path | str, runs: Path | str = "runs") -> RunRecord:
    """A run by its folder, by its id under ``runs``, by the beginning of an id, or ``latest``.

    Where no id begins so, by the beginning of a run's name. Raises DataError when there is none, when
    several begin so, or when run.json cannot be read, and ConfigError for a file.
    """
    return _read_record(_run_folder(str(run), Path(runs)))


def list_runs(runs: Path | str = "runs") -> tuple[RunRecord, ...]:
    """Every finished run under ``runs``, oldest first; none when the folder does not exist.

    Raises DataError for a file, and for a run that cannot be read (``readable_runs`` leaves it out).
    """
    records, unreadable = readable_runs(runs)
    if unreadable:
        raise DataError(unreadable[0])
    return records


def readable_runs(runs: Path | str = "runs") -> tuple[tuple[RunRecord, ...], tuple[str, ...]]:
    """The finished runs under ``runs`` that can be read, oldest first, and why the others cannot."""
    records, unreadable = [], []
    for folder in _finished(Path(runs)):
        try:
            records.append(_read_record(folder))
        except DataError as error:
            unreadable.append(str(error))
    return tuple(records), tuple(unreadable)


def has_runs(runs: Path) -> bool:
    """Whether there is a finished run under ``runs``; DataError for a file."""
    return bool(_finished(runs))


def _finished(runs: Path) -> list[Path]:
    if runs.is_file():
        raise DataError(f"{runs}: is a file; give a folder for the runs with --runs")
    if not runs.is_dir():
        return []
    return sorted(
        path
        for path in runs.iterdir()
        if (path / RECORD_NAME).is_file() and not path.name.startswith(".")
    )


def _run_folder(run: str, runs: Path) -> Path:
    direct = Path(run)
    if (direct / RECORD_NAME).is_file():
        return direct
    names = [folder.name for folder in _finished(runs)]
    if run == "latest" and names:
        return runs / names[-1]
    matches = [name for name in names if name.startswith(run)]
    matches = matches or [name for name in names if _without_time(name).startswith(run)]
    if run in names or len(matches) == 1:
        return runs / (run if run in names else matches[0])
    if matches:
        raise DataError(
            f"run {run!r} is the beginning of {len(matches)} runs: {newest_of(matches)}; write one of "
            "their ids, or latest for the newest of all"
        )
    if direct.is_file():
        raise ConfigError(not_a_file(run))
    if not names:
        raise DataError(
            f"there is no run {run!r}: {runs} holds none yet; `ninefold run CONFIG` makes one"
        )
    raise DataError(
        f"there is no run {run!r} in {runs}; `ninefold runs list --runs {runs}` shows the "
        f"{len(names)} there are"
    )


def _without_time(run_id: str) -> str:
    """The name and the hash that follow the time in an id."""
    return run_id.partition("-")[2]


def newest_of(names: Sequence[str]) -> str:
    """The names, the last ones of many, as an error lists them."""
    left_out = len(names) - NAMES_TOLD
    if left_out <= 0:
        return ", ".join(names)
    return f"{', '.join(names[-NAMES_TOLD:])} and {left_out} older ones"


def not_a_file(name: str) -> str:
    """What is said to someone who names a file where a run or a sweep is asked for."""
    return (
        f"{name}: is a file; name a run or a sweep by its folder, its id, its beginning or latest: "
        "`ninefold runs list` and `ninefold sweep status` show what there is"
    )


def run_contents(runs: Path) -> tuple[tuple[Mapping[str, Any], ...], tuple[str, ...]]:
    """What run.json says of every finished run under ``runs``, oldest first, also of older versions.

    Beside them, why those that are not told cannot be read.
    """
    contents, unreadable = [], []
    for folder in _finished(runs):
        try:
            contents.append(_read_content(folder / RECORD_NAME))
        except DataError as error:
            unreadable.append(str(error))
    return tuple(contents), tuple(unreadable)


def _read_content(path: Path) -> Mapping[str, Any]:
    try:
        content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        content["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: is not the record of a run ({error!r}); put it back as it was, or "
            "remove the folder"
        ) from None
    return content


def _read_record(folder: Path) -> RunRecord:
    path = folder / RECORD_NAME
    content = _read_content(path)
    found = content["schema_version"]
    if found != SCHEMA_VERSION:
        raise DataError(
            f"{path}: schema_version={found}, this version reads {SCHEMA_VERSION}; run it again"
        )
    return RunRecord(run_dir=folder, content=content)


def _reserved_name(runs: Path, run_id: str) -> tuple[str, Path]:
    """A name that no other run has or is about to take, and the hidden folder that holds it."""
    name, number = run_id, 1
    while True:
        reserved = runs / f"{_UNFINISHED}{name}"
        if not (runs / name).exists():
            try:
                reserved.mkdir()
            except FileExistsError:
                pass
            else:
                if not (runs / name).exists():
                    return name, reserved
                reserved.rmdir()
        number += 1
        name = f"{run_id}-{number}"


def _moment(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // SECOND_NS, tz=UTC):%Y-%m-%d %H:%M}"


def write_parquet(table: "pa.Table", path: Path) -> None:
    """Write ``table`` so that equal tables give equal bytes, and reach the disk before returning."""
    import pyarrow.parquet as pq

    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", compression_level=3, store_schema=False)
        file.flush()
        os.fsync(file.fileno())


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def without_nan(value: Any) -> Any:
    """``value`` with every float that JSON cannot write (NaN, infinities) replaced by None."""
    if isinstance(value, Mapping):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: Any) -> str:
    """Indented JSON without NaN."""
    return json.dumps(without_nan(value), indent=2, ensure_ascii=False, allow_nan=False)
