"""The trials of a sweep as one file for other tools."""

from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from datasets.durable import replace_file
from engine import ConfigError

from .ledger import Ledger

ENDINGS: Final = (".parquet", ".csv")
_NESTED = ("coordinates", "score", "sums")


def export_trials(ledger: Ledger, out: Path) -> None:
    """Write every trial to ``out``, all columns as .parquet, all that are not lists as .csv.

    Raises ConfigError for another ending, DataError when the disk refuses.
    """
    if out.suffix not in ENDINGS:
        raise ConfigError(f"--out {out}: must end in {' or '.join(ENDINGS)}")
    replace_file(out, trials_file(ledger, out.suffix))


def trials_file(ledger: Ledger, ending: str) -> memoryview:
    """What ``export_trials`` writes to a file of that ending, one of ``ENDINGS``."""
    sink = pa.BufferOutputStream()
    trials = ledger.trials()
    if ending == ".parquet":
        pa.parquet.write_table(trials, sink)
    else:
        pa.csv.write_csv(trials.drop_columns(list(_NESTED)), sink)
    return memoryview(sink.getvalue())
