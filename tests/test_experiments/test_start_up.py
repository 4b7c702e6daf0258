"""What commands that only read records load: seconds of a user's time each."""

import subprocess
import sys
from pathlib import Path

LISTED = (
    "import sys; from experiments.cli import main; code = main(sys.argv[1:]); "
    "print(code, *(one for one in ('experiments.checks', 'scipy.signal', 'pandas', 'optuna') "
    "if one in sys.modules))"
)


def test_listing_runs_loads_neither_checks_nor_statistics(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", LISTED, "runs", "list", "--runs", str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "0"
