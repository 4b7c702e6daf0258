"""A run computed again from its record: does it still say what it said?"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datasets import Store
from engine import ConfigError, DataError

from ..config_file import config_of, resolved, tree_hash
from ..pipeline import run
from ..provenance import revision, versions
from ..record import RECORD_NAME, RunRecord, json_text, sha256_of, write_tables
from .difference import differing_leaves
from .table_difference import first_difference, value_text

if TYPE_CHECKING:
    from ..config import RunConfig

_METRICS: Final = ("metrics", "benchmark_metrics")


@dataclass(frozen=True, slots=True)
class Verified:
    """One thing that was compared: a file, a group of metrics, the data, the record itself.

    ``detail`` says what differs first, empty where nothing does.
    """

    subject: str
    is_equal: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a run gave when it was computed again.

    ``notes`` say in what code, versions and keys of the configuration the two computations differ:
    they explain a difference and are none themselves.
    """

    record: RunRecord
    rows: tuple[Verified, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every file has its recorded hash again and every number is equal to the last bit."""
        return all(row.is_equal for row in self.rows)


def verify_run(
    record: RunRecord,
    *,
    store: Store | Path | str = "data",
    progress: Callable[[str], None] = lambda _text: None,
) -> Verification:
    """Compute a run again from the configuration in its record and compare all that it wrote.

    Nothing is written but a simulated market that the store lacks. Raises DataError when the store
    lacks data, or when this version refuses the recorded configuration.
    """
    config = recorded_config(record)
    again = run(config, store=store, runs=None, progress=progress)
    progress("comparing with the record")
    rows = [_record_row(record), _data_row(record, again.data.fingerprint)]
    with tempfile.TemporaryDirectory() as folder:
        hashes = write_tables(again, Path(folder))
        rows += _file_rows(record, Path(folder), hashes)
    computed = {"metrics": again.metrics, "benchmark_metrics": again.benchmark_metrics}
    for name in _METRICS:
        subject = f"{len(record.content[name])} {name.replace('_', ' ')}"
        rows.append(_number_row(subject, record.content[name], computed[name]))
    left_out = record.content["leave_one_out"] or {}
    found = {} if again.leave_one_out is None else again.leave_one_out.of_heads()
    rows.append(_number_row(f"{len(left_out)} runs without a head", left_out, found))
    return Verification(record=record, rows=tuple(rows), notes=tuple(_notes(record, config)))


def recorded_config(record: RunRecord) -> "RunConfig":
    """The configuration in a record; DataError when this version refuses it."""
    try:
        return config_of(record.content["config"])
    except ConfigError as error:
        raise DataError(
            f"{record.run_dir / RECORD_NAME}: this version refuses the recorded configuration: {error}"
        ) from None


def _record_row(record: RunRecord) -> Verified:
    is_equal = tree_hash(record.content["config"]) == record.content["config_hash"]
    detail = "" if is_equal else "its configuration is not the one that config_hash names"
    return Verified(RECORD_NAME, is_equal, detail)


def _data_row(record: RunRecord, found: str) -> Verified:
    recorded = record.content["data_fingerprint"]
    if recorded == found:
        return Verified("data", True)
    return Verified(
        "data",
        False,
        f"the store holds other rows on the used range (fingerprint {recorded[:12]} in the record, "
        f"{found[:12]} now)",
    )


def _file_rows(record: RunRecord, folder: Path, hashes: Mapping[str, str]) -> Iterator[Verified]:
    recorded = record.content["artefacts"]
    for name in dict.fromkeys((*recorded, *hashes)):
        kept = record.run_dir / name
        if name not in hashes or name not in recorded:
            where = "the record" if name in recorded else "this version"
            yield Verified(name, False, f"only {where} has it")
            continue
        is_kept = kept.is_file() and sha256_of(kept) == recorded[name]
        detail = ""
        if recorded[name] != hashes[name]:
            detail = "its bytes differ"
            if is_kept:
                detail = _where(kept, folder / name)
        if not is_kept:
            told = "was changed after the run" if kept.is_file() else "is missing"
            detail = "; ".join(filter(None, (f"the file in the folder {told}", detail)))
        yield Verified(name, not detail, detail)


def _where(kept: Path, computed: Path) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = first_difference(pq.read_table(kept), pq.read_table(computed))
    except pa.ArrowException as error:
        return f"cannot be read ({error})"
    return found or "every value is equal, the bytes are not (another version of pyarrow?)"


def _number_row(subject: str, recorded: Mapping[str, Any], computed: Mapping[str, Any]) -> Verified:
    now = json.loads(json_text(dict(computed)))
    differing = list(differing_leaves(recorded, now))
    if not differing:
        return Verified(subject, True)
    first = differing[0]
    more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
    return Verified(
        subject,
        False,
        f"{first.key}: {value_text(first.first)} in the record, {value_text(first.second)} now{more}",
    )


def _notes(record: RunRecord, config: "RunConfig") -> Iterator[str]:
    content, code = record.content, revision()
    commit = content["code"]["commit"]
    if code["commit"] != commit:
        yield (
            f"code differs: commit {(commit or 'unknown')[:12]} in the record, "
            f"{(code['commit'] or 'unknown')[:12]} now"
        )
    for state, when in ((content["code"], "then"), (code, "now")):
        if state["dirty"]:
            yield f"{when} the tree differed from its commit; nothing says in what"
    for row in differing_leaves(content["versions"], versions()):
        yield f"{row.key} differs: {row.first} in the record, {row.second} now"
    for row in differing_leaves(content["config"], resolved(config)):
        yield f"this version reads the configuration with {row.key}={json.dumps(row.second)}"
