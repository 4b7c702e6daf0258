"""Putting the simulated market that a configuration asks for into the store."""

from datasets import DatasetKey, SimulationSpec, Store, write_simulated
from engine import DataError

from .config import RunConfig, SimulatedConfig, midnight_ns


def simulation_spec(simulated: SimulatedConfig, seed: int) -> SimulationSpec:
    """The simulator's own description of a configured market; ``seed`` where it names none."""
    edge = {} if simulated.planted_edge is None else {"planted_edge": simulated.planted_edge}
    return SimulationSpec(
        mode=simulated.mode,
        symbols=tuple(simulated.symbols),
        start_ns=midnight_ns(simulated.start),
        days=simulated.days,
        seed=seed if simulated.seed is None else simulated.seed,
        **edge,
    )


def ensure_simulated(config: RunConfig, store: Store) -> tuple[DatasetKey, ...]:
    """Write the simulated market of ``config`` unless the store holds it; the keys written.

    Raises DataError when the store holds another simulated market under the same names.
    """
    if config.data.simulated is None:
        return ()
    raise DataError("pending")


