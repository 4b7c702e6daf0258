"""`ninefold serve` over 2,000 runs: how long a list takes, and what memory it leaves."""

import gc
import json
import os
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from datasets import Store
from experiments import config_of, run
from experiments.serve.site import Site
from tests.test_experiments.test_serve.serving import Server, serving

from .browsing import page_figures
from .timing import timed

RUNS = 2_000
REQUESTS = 300
TREE: dict[str, Any] = {
    "name": "listed",
    "data": {"simulated": {"symbols": ["BTCSIM", "ETHSIM"], "days": 60}},
    "consensus": {"quorum": 2},
}


def write_runs(made: Path, runs: Path) -> None:
    """Copies of the record of ``made`` under other names, which share its tables."""
    content = json.loads((made / "run.json").read_text())
    for number in range(RUNS):
        day = f"{2_020 + number % 5}-{1 + number % 12:02d}-{1 + number % 28:02d}"
        folder = runs / f"{day.replace('-', '')}T000000Z-run-{number:04d}"
        folder.mkdir(parents=True)
        own = {"name": f"run {number}", "created_at": f"{day}T00:00:00Z", "run_id": folder.name}
        metrics = content["metrics"] | {"sharpe": (number * 7_919 % 2_003) / 1_000 - 1}
        (folder / "run.json").write_text(json.dumps(content | own | {"metrics": metrics}))
        os.link(made / "equity.parquet", folder / "equity.parquet")


def figures() -> dict[str, float]:
    """Seconds of the first reading, of lists and of a report; bytes that requests leave in memory."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        result = run(config_of(TREE), store=Store(folder / "store"), runs=folder / "made")
        runs = folder / "runs"
        write_runs(result.run_dir, runs)
        start = time.perf_counter()
        site = Site(runs)
        early = site.run_index.listed().waiting
        first_s = time.perf_counter() - start
        assert site.run_index.listed(patience_seconds=300.0).waiting == 0
        found = {
            "first_answer_s": first_s,
            "first_answer_waiting_runs": float(early),
            "all_records_read_s": time.perf_counter() - start,
            "record_bytes": float((result.run_dir / "run.json").stat().st_size),
        }
        with serving(runs) as server:
            server.site.run_index.listed(patience_seconds=300.0)
            found |= _of_server(server)
            found |= {
                f"list_{name}": value
                for name, value in page_figures(server.address.url, is_report=False).items()
            }
    return found


def _of_server(server: Server) -> dict[str, float]:
    def listed(query: str = "") -> None:
        server.site.run_index.look_again()
        assert server.ask(f"/?{query}").status == 200

    run_id = max(path.name for path in server.site.runs.iterdir())
    listed_s = timed(listed, runs=20)
    filtered_s = timed(lambda: listed("text=run+1&sort=-sharpe&page=3"), runs=20)
    equity_s = timed(lambda: server.ask(f"/runs/{run_id}/equity.svg"), runs=20)
    for _ in range(50):
        listed()
    gc.collect()
    tracemalloc.start()
    listed()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(REQUESTS):
        listed(f"page={number % 40 + 1}")
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "list_s": listed_s.median_s,
        "list_filtered_s": filtered_s.median_s,
        "equity_picture_s": equity_s.median_s,
        "bytes_kept_a_request": (after - before) / REQUESTS,
    }
