"""Runs whose reports are looked at: the usual one, and those that leave a report little to show."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from datasets import Store
from experiments import config_of, run

HOSTILE: Final = "<b>bold</b>&amp;\"'"
START: Final = datetime(2021, 1, 1, tzinfo=UTC)
Targets = tuple[tuple[int, float], ...]
"""Hour of the run at whose close a target is known, and the target."""


def simulated(days: int = 60, symbols: int = 2, **more: Any) -> dict[str, Any]:
    names = [f"C{number:02d}SIM" for number in range(symbols)]
    return {"data": {"simulated": {"symbols": names, "days": days, **more}}}


TREES: Final[Mapping[str, Mapping[str, Any]]] = {
    "usual": {**simulated(), "consensus": {"quorum": 2}},
    "quiet": {**simulated(20), "consensus": {"quorum": 9, "p_min": 0.99}},
    "planted": {**simulated(120, 1, mode="planted"), "consensus": {"quorum": 2}},
    "many": {
        **simulated(6, 24),
        "heads": {"enabled": ["technical", "volume"]},
        "consensus": {
            "quorum": 1,
            "p_min": 0.5,
            "c_min": 0.3,
            "consensus_c_min": 0.3,
            "weight_min": 0.05,
        },
    },
    "inverse": {
        **simulated(30, 1),
        "consensus": {"quorum": 2},
        "margin": {"contract": "inverse"},
        "initial_cash": 10.0,
    },
    "once": simulated(30, 1),
    "one-bar": {"data": {"timeframe": "1d", "simulated": {"symbols": ["C00SIM"], "days": 1}}},
    "ruined": {
        **simulated(60, 1),
        "sizing": {"position_fraction": 50.0},
        "limits": {"max_gross": 60.0},
        "margin": {"leverage": 100.0},
        "exits": {"stop_atr": None},
    },
}
"""Configurations by the name of their run."""
TARGETS: Final[Mapping[str, Targets]] = {
    "once": ((100, 1.0), (300, 0.0)),
    "ruined": tuple((hour, 1.0 if hour // 24 % 2 else -1.0) for hour in range(24, 1_400, 24)),
}
NAMES: Final = tuple(TREES)


def made_run(name: str, folder: Path) -> Path:
    """Run the configuration of that name; the run's folder, in ``folder``/runs."""
    tree = {"name": name, **TREES[name]}
    if name in TARGETS:
        symbol = tree["data"]["simulated"]["symbols"][0]
        lines = [
            f"{START + timedelta(hours=hour):%Y-%m-%dT%H:%M},{symbol},{target}"
            for hour, target in TARGETS[name]
        ]
        path = folder / f"{name}.csv"
        path.write_text("\n".join(("time,symbol,target", *lines)) + "\n")
        tree["targets"] = str(path)
    result = run(config_of(tree), store=Store(folder / name), runs=folder / "runs")
    return result.run_dir
