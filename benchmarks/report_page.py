"""The report of six years of hours and of a year of minutes: seconds to make, size, and how it opens."""

import tempfile
from pathlib import Path
from typing import Any

from datasets import Store
from experiments import config_of, load_run, run, write_report

from .browsing import page_figures
from .timing import timed

TREES: dict[str, dict[str, Any]] = {
    "hours_6_years": {
        "data": {"simulated": {"symbols": ["BTCSIM"], "days": 2_190}},
        "consensus": {"quorum": 2},
    },
    "minutes_1_year": {
        "data": {"timeframe": "1m", "simulated": {"symbols": ["BTCSIM"], "days": 365}},
        "heads": {"enabled": ["technical", "volume"]},
        "consensus": {"quorum": 2, "p_min": 0.55, "c_min": 0.5},
    },
}


def figures() -> dict[str, float]:
    """Seconds, megabytes and milliseconds by market; those of a browser only where there is one."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, tree in TREES.items():
            result = run(
                config_of({"name": name, **tree}),
                store=Store(Path(folder) / name),
                runs=Path(folder) / "runs",
            )
            record, page = load_run(result.run_dir), Path(folder) / f"{name}.html"
            seconds = timed(lambda record=record, page=page: write_report(record, page), runs=3)
            found[f"{name}_make_s"] = seconds.best_s
            found[f"{name}_size_mb"] = page.stat().st_size / 1e6
            opened = page_figures(page.as_uri())
            found |= {f"{name}_{figure}": value for figure, value in opened.items()}
    return found
