"""Putting the simulated market that a configuration asks for into the store."""

from datasets import DatasetKey, Store, write_simulated
from datasets.keys import SIMULATED_VENUE
from engine import DAY_NS

from .config import RunConfig


def ensure_simulated(config: RunConfig, store: Store) -> tuple[DatasetKey, ...]:
    """Write the simulated market of ``config`` unless the store holds it; the keys written."""
    spec = config.simulation
    if spec is None:
        return ()
    end_ns = spec.start_ns + spec.days * DAY_NS
    held = {
        (info.key.symbol, info.key.step)
        for info in store.datasets()
        if info.key.venue == SIMULATED_VENUE
        and info.key.source == spec.source
        and info.key.kind == "ohlcv"
        and info.last_ns >= end_ns - DAY_NS
    }
    steps = {spec.timeframe, "1m"} if spec.keep_minutes else {spec.timeframe}
    wanted = {(symbol, step) for symbol in spec.symbols for step in steps}
    return () if wanted <= held else write_simulated(store, spec)
