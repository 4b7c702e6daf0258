"""What a sweep's folder holds, read once, as the arrays that its report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine import Bool1D, DataError, Float1D, Float2D, Int1D

from ..sweeps.best import sweep_config
from ..sweeps.config import SweepConfig
from ..sweeps.families import FamilyCount, family_trials
from ..sweeps.holdout import openings, runs_that_saw
from ..sweeps.ledger import Ledger, family_folder
from ..sweeps.objectives import oriented
from ..sweeps.parts import COMPLETE, FAILED, INFEASIBLE
from ..sweeps.places import axis_places, axis_values, short_names
from ..sweeps.ranking import ranked_trials
from ..sweeps.space import Space, space_of
from ..validation.keeping import KeptValidation, readable_validations

if TYPE_CHECKING:
    import pyarrow as pa

SEARCH: Final = "search"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepReading:
    """The N trials of a sweep over D axes for K objectives, and what is known beside them.

    ``scores`` ``(N, K)`` are those that trials are ranked by, ``own`` ``(N, K)`` the objectives of each
    trial by itself (they differ where trials are judged with their neighbours); both as the metric
    states them, NaN where undefined. ``good`` is ``own`` with more being better, minus infinity where a
    trial is infeasible, failed or undefined. ``can_win``: trials that the ranking looks at. ``ranked``:
    the feasible ones from the best on, or the front. ``coordinates`` ``(N, D)`` are the ledger's,
    ``values`` and ``places`` what ``sweeps.places`` makes of them. ``batch_ends`` ``(B, 2)``: trials after
    each part, and when its file was written (seconds since the epoch). ``uncounted`` says why the family
    could not be counted, else is empty; ``unread`` why some of its
    validations could not be read, which ``validations`` then lack.
    """

    ledger: Ledger
    config: SweepConfig
    space: Space
    names: tuple[str, ...]
    table: "pa.Table"
    is_search: Bool1D
    is_complete: Bool1D
    is_infeasible: Bool1D
    is_failed: Bool1D
    can_win: Bool1D
    coordinates: Float2D
    values: Float2D
    places: Float2D
    scores: Float2D
    own: Float2D
    good: Float2D
    metrics: Mapping[str, Float1D]
    ranked: Int1D
    batch_ends: Float2D
    family: FamilyCount | None
    uncounted: str
    openings: tuple[Mapping[str, Any], ...]
    runs_that_saw: int
    validations: tuple[KeptValidation, ...]
    unread: str

    @property
    def count(self) -> int:
        """How many trials there are."""
        return len(self.is_failed)

    @property
    def planned(self) -> int:
        """How many there will be."""
        return self.config.sweep.planned_trials

    @property
    def objectives(self) -> tuple[str, ...]:
        """Metrics that are made better."""
        return tuple(self.ledger.objectives)

    @property
    def validation(self) -> Mapping[str, Any] | None:
        """The content of the newest validation."""
        return self.validations[-1].content if self.validations else None


def read_sweep(ledger: Ledger) -> SweepReading:
    """Everything of ``ledger`` at this moment; the sweep may go on meanwhile.

    Raises DataError when a part was changed, or this version does not take the configuration.
    """
    config = sweep_config(ledger)
    space = space_of(config)
    table = ledger.trials()
    states = np.array(table["state"].to_pylist(), dtype=object)
    is_search = np.array(table["stage"].to_pylist(), dtype=object) == SEARCH
    is_asked = np.asarray(table["parent"].is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)
    metrics = {name: table[name].to_numpy() for name in ledger.metrics}
    own = np.column_stack([metrics[name] for name in ledger.objectives])
    is_complete = states == COMPLETE
    good = oriented(config.sweep.objectives, own)
    coordinates = _lists(table, "coordinates", len(space))
    family, uncounted = _family(ledger, config)
    validations, unread = _validations(ledger)
    return SweepReading(
        ledger=ledger,
        config=config,
        space=space,
        names=short_names([axis.name for axis in space.axes]),
        table=table,
        is_search=is_search,
        is_complete=is_complete,
        is_infeasible=states == INFEASIBLE,
        is_failed=states == FAILED,
        can_win=is_search & is_asked
        if config.sweep.ranks_by_neighbours
        else np.ones(len(states), dtype=np.bool_),
        coordinates=coordinates,
        values=axis_values(space, coordinates),
        places=axis_places(space, coordinates),
        scores=_lists(table, "score", own.shape[1]),
        own=own,
        good=np.where(is_complete[:, None], good, -np.inf),
        metrics=metrics,
        ranked=ranked_trials(config, table)["trial"].to_numpy(),
        batch_ends=_batch_ends(ledger, table),
        family=family,
        uncounted=uncounted,
        openings=() if uncounted else openings(ledger.runs, config.family),
        runs_that_saw=0 if uncounted else runs_that_saw(config, ledger.runs),
        validations=validations,
        unread=unread,
    )


def _lists(table: "pa.Table", column: str, width: int) -> Float2D:
    """A column of lists of one length, ``(N, width)``, NaN where an entry is null."""
    import pyarrow.compute as pc

    flat = pc.list_flatten(table[column]).to_numpy()
    found: Float2D = np.asarray(flat, dtype=np.float64).reshape(table.num_rows, width)
    return found


def _batch_ends(ledger: Ledger, table: "pa.Table") -> Float2D:
    """Trials after each part and when its file was written; parts that came later are left out."""
    batches, counts = np.unique(table["batch"].to_numpy(), return_counts=True)
    times = [path.stat().st_mtime for path in ledger.parts()[: len(batches)]]
    return np.column_stack((np.cumsum(counts).astype(np.float64), np.array(times, dtype=float)))


def _family(ledger: Ledger, config: SweepConfig) -> tuple[FamilyCount | None, str]:
    folder = ledger.folder.resolve()
    if len(folder.parents) < 3:
        return None, f"{folder} lies in no folder of runs"
    if folder.parent != family_folder(ledger.runs, config.family).resolve():
        return None, f"{folder} is a copy outside the family's folder"
    try:
        return family_trials(ledger.runs, config.family), ""
    except DataError as error:
        return None, str(error)


def _validations(ledger: Ledger) -> tuple[tuple[KeptValidation, ...], str]:
    try:
        found, unread = readable_validations(ledger.folder)
    except DataError as error:
        return (), str(error)
    return found, "; ".join(unread)
