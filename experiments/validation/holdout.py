"""Opening a holdout: once recorded, then looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from datasets import Store
from engine import ConfigError, DataError

from ..config_section import midnight_ns
from ..market_data import load_market_data
from ..splits.ranges import BarRange
from ..sweeps.config import SweepConfig
from ..sweeps.evaluate import Evaluator, View
from ..sweeps.holdout import record_opening
from ..sweeps.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """What the chosen trial did on days that no trial saw.

    ``opening`` counts from 1 over the family; ``metrics`` by name as in a ledger, NaN where undefined;
    ``bars`` of the holdout. The account begins anew on its first bar; votes know what came before.
    """

    opening: int
    bars: int
    metrics: Mapping[str, float]


def open_holdout(
    config: SweepConfig,
    space: Space,
    values: Mapping[str, Any],
    *,
    sweep_id: str,
    trial: int,
    runs: Path,
    store: Store,
) -> Holdout:
    """Record the opening, then evaluate ``values`` on the holdout of ``config``.

    Raises ConfigError when there is no holdout or the data end before it; nothing is recorded then.
    """
    first = config.sweep.holdout_from
    if first is None:
        raise ConfigError(f"{config.name}: sweep.holdout_from is not set, there is nothing to open")
    whole = config.with_holdout
    data = load_market_data(whole, store)
    start = int(np.searchsorted(data.panel.open_time, midnight_ns(first)))
    bars = len(data.panel)
    if start == bars:
        raise ConfigError(f"sweep.holdout_from={first}: the data end before it")
    opening = record_opening(
        runs,
        config.family,
        {
            "sweep_id": sweep_id,
            "trial": trial,
            "from": first.isoformat(),
            "opened_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    evaluator = Evaluator(Space(whole, space.axes, space.planned), data)
    found = evaluator([values], View(BarRange(start, bars)))
    if found.errors[0] is not None:
        raise DataError(
            f"the holdout was opened, and trial {trial} failed on it: {found.errors[0]}"
        )
    return Holdout(
        opening=opening,
        bars=bars - start,
        metrics={name: float(column[0]) for name, column in found.metrics.items()},
    )
