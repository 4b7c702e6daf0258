"""The trials of a sweep as one file for other tools."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from datasets.durable import replace_file
from engine import ConfigError

from .ledger import Ledger

_NESTED = ("coordinates", "score", "sums")


def export_trials(ledger: Ledger, out: Path) -> None:
    """Write every trial to ``out``, all columns as .parquet, all that are not lists as .csv.

    Raises ConfigError for another ending, DataError when the disk refuses.
    """
    sink = pa.BufferOutputStream()
    trials = ledger.trials()
    match out.suffix:
        case ".parquet":
            pa.parquet.write_table(trials, sink)
        case ".csv":
            pa.csv.write_csv(trials.drop_columns(list(_NESTED)), sink)
        case _:
            raise ConfigError(f"--out {out}: must end in .parquet or .csv")
    replace_file(out, memoryview(sink.getvalue()))
