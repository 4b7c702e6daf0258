"""``ninefold run CONFIG``."""

from .options import (
    DEFAULT_RUNS,
    DEFAULT_STORE,
    AsJson,
    ConfigPath,
    Overrides,
    RunsPath,
    StorePath,
    Verbose,
)
from .output import kernel_progress, print_json, stdout


def run(
    config: ConfigPath,
    overrides: Overrides = None,
    store: StorePath = DEFAULT_STORE,
    runs: RunsPath = DEFAULT_RUNS,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Replay one configuration and write a run folder with its report."""
    from .. import load_config
    from .. import run as run_config

    say = kernel_progress()
    result = run_config(
        load_config(config, overrides or ()),
        store=store,
        runs=runs,
        overrides=tuple(overrides or ()),
        progress=say,
    )
    if as_json:
        print_json(
            {
                "run_id": result.run_id,
                "run_dir": str(result.run_dir),
                "report": str(result.run_dir / "report.html") if result.run_dir else None,
                "config_hash": result.config_hash,
                "data_fingerprint": result.data.fingerprint,
                "n_trades": result.n_trades,
                "n_fills": len(result.replay.fills),
                "metrics": dict(result.metrics),
                "benchmark_metrics": dict(result.benchmark_metrics),
                "notes": list(result.notes),
                "duration_seconds": result.duration_seconds,
            }
        )
        return
    from ..record import load_run
    from ..run_tables import print_run

    assert result.run_dir is not None
    print_run(load_run(result.run_dir), stdout(), verbose=verbose)
