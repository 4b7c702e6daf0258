"""Where the time of a run goes: one symbol and thirty, six years of hours, processor seconds by stage.

``python -m benchmarks.run_stages`` prints the figures; thirty simulated symbols take some minutes.
"""

import tempfile
import time
from pathlib import Path

from datasets import Store
from experiments import config_of, run
from experiments.simulation import ensure_simulated

DAYS = 2_190
SYMBOLS = (1, 30)
STAGES = {
    "loading": "loading",
    "heads vote on": "votes",
    "replaying": "replay",
    "writing": "folder",
}
"""What a line of progress says when a stage begins. Zones are found with the votes; leaving heads out
is part of the replay, the report of the folder."""


def stages_of(symbols: int, folder: Path) -> dict[str, float]:
    """Processor seconds of each stage of a run of nine heads, after one that compiles and fills caches."""
    config = config_of(
        {
            "name": f"stages_{symbols}",
            "data": {
                "simulated": {"symbols": [f"C{n:02}SIM" for n in range(symbols)], "days": DAYS}
            },
            "consensus": {"quorum": 2},
        }
    )
    store = Store(folder / f"data-{symbols}")
    ensure_simulated(config, store)
    spent: dict[str, float] = {}
    stage, since = "loading", time.process_time()

    def heard(text: str) -> None:
        nonlocal stage, since
        now = time.process_time()
        spent[stage] = spent.get(stage, 0.0) + now - since
        since = now
        stage = next((name for words, name in STAGES.items() if words in text), stage)

    run(config, store=store, runs=folder / "runs", progress=heard)
    heard("")
    return spent


def figures() -> dict[str, float]:
    """Processor seconds by number of symbols and stage, and together."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stages_of(SYMBOLS[0], folder)
        for symbols in SYMBOLS:
            spent = stages_of(symbols, folder)
            found |= {f"symbols_{symbols}_{stage}_cpu_s": value for stage, value in spent.items()}
            found[f"symbols_{symbols}_cpu_s"] = sum(spent.values())
    return found


if __name__ == "__main__":
    for figure, value in figures().items():
        print(f"{figure:32} {value:8.2f}")
