"""Run every benchmark, print a table, write one JSON object of named figures."""

import argparse
import json
import os
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import (
    command_line,
    compile_time,
    data_asof,
    data_import,
    data_load,
    events,
    features,
    heads,
    indicators,
    pattern_peers,
    replay,
    report_page,
    run_stages,
    serve,
    simulated_moments,
    statistics,
    sweep,
    tuning,
)

BENCHMARKS: tuple[tuple[str, Callable[[], dict[str, float]]], ...] = (
    ("replay", replay.figures),
    ("sweep", sweep.figures),
    ("compile", compile_time.figures),
    ("indicators", indicators.figures),
    ("features", features.figures),
    ("heads", heads.figures),
    ("events", events.figures),
    ("pattern_peers", pattern_peers.figures),
    ("simulated_market", simulated_moments.figures),
    ("data_import", data_import.figures),
    ("data_load", data_load.figures),
    ("data_asof", data_asof.figures),
    ("statistics", statistics.figures),
    ("tuning", tuning.figures),
    ("run_stages", run_stages.figures),
    ("command_line", command_line.figures),
    ("report_page", report_page.figures),
    ("serve", serve.figures),
)
PACKAGES = ("numpy", "numba", "vectorbt", "vectorbt-rust", "TA-Lib", "arch", "smartmoneyconcepts")


def machine() -> dict[str, str | int | None]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def main() -> None:
    """Entry point of ``python -m benchmarks``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/bench.json"))
    out: Path = parser.parse_args().out
    figures = {
        f"{group}.{name}": value
        for group, compute in BENCHMARKS
        for name, value in compute().items()
    }
    table = Table("figure", "value", title="Benchmarks")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}")
    Console().print(table)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    partial.write_text(json.dumps({"machine": machine(), "figures": figures}, indent=2) + "\n")
    partial.replace(out)
    print(f"written: {out}")


if __name__ == "__main__":
    main()
