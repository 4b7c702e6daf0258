"""How far a sweep is, read from the parts of its ledger while another process adds to them."""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Float2D

from ..sweeps.best import sweep_config
from ..sweeps.config import SweepConfig
from ..sweeps.ledger import SWEEP_NAME, Ledger
from ..sweeps.objectives import best_trials, oriented
from ..sweeps.parts import COMPLETE, FAILED, INFEASIBLE, part_files, read_part

QUIET_SECONDS: Final = 60.0
"""So long at least may a sweep that runs be without a new batch."""
QUIET_BATCHES: Final = 8.0
"""So many times the usual batch may the next one take before the sweep is taken to have stopped."""
RECENT_PARTS: Final = 20
SHORTEST_GAP_SECONDS: Final = 0.05
"""Files that lie closer on average were copied: their moments say nothing about the sweep."""
_COLUMNS: Final = ("trial", "stage", "parent", "state", "score")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepState:
    """Where a sweep stands: ``words`` is finished, running, stopped or waiting (no trial yet).

    ``trials`` of ``planned`` are kept, ``screened`` of them of the screen. ``best`` has the best trial's
    score for each objective, ``best_trial`` its number, both None where no trial may be chosen; with
    several objectives it is the first of the front, whose size is ``front``. ``trials_a_second`` is that
    of recent batches, None below two of them and for files that were copied; ``seconds_left`` follows
    from it while the sweep runs. ``last_batch_at`` are seconds since 1970, None without one.
    """

    words: str
    trials: int
    planned: int
    screened: int
    failed: int
    infeasible: int
    best: tuple[float, ...] | None
    best_trial: int | None
    front: int
    trials_a_second: float | None
    seconds_left: float | None
    last_batch_at: float | None


@dataclass(frozen=True, slots=True)
class SweepCurve:
    """Scores by the first objective: ``trial`` and ``score`` of trials, and the best one up to each.

    int64 and float64 ``(n,)``; trials whose score is undefined or that break a constraint are left out,
    and where trials are judged with their neighbours all others are. ``best`` rises or falls only.
    """

    trial: np.ndarray
    score: Float1D
    best: Float1D


@dataclass(slots=True, eq=False)
class SweepWatch:
    """A ledger that is read again and again: a part that was read never changes and is not read twice.

    ``parts_read`` counts readings. Safe to use from several threads. ``clock`` gives seconds since 1970.
    """

    ledger: Ledger
    clock: Callable[[], float] = time.time
    parts_read: int = 0
    _config: SweepConfig | None = field(default=None, repr=False)
    _names: list[str] = field(default_factory=list, repr=False)
    _moments: list[float] = field(default_factory=list, repr=False)
    _counts: list[int] = field(default_factory=list, repr=False)
    _score: list[Float2D] = field(default_factory=list, repr=False)
    _state: list[np.ndarray] = field(default_factory=list, repr=False)
    _is_search: list[Bool1D] = field(default_factory=list, repr=False)
    _has_parent: list[Bool1D] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def config(self) -> SweepConfig:
        """The configuration of the sweep; DataError when this version does not take it."""
        if self._config is None:
            self._config = sweep_config(self.ledger)
        return self._config

    def look(self) -> tuple[SweepState, SweepCurve]:
        """Read what was added and say where the sweep stands; DataError for a damaged ledger."""
        with self._lock:
            self._read()
            return self._stands()

    def _read(self) -> None:
        parts = part_files(self.ledger.folder)
        names = [part.path.name for part in parts]
        if names[: len(self._names)] != self._names:
            # Parts were moved away by hand: the sweep begins before them again.
            self._forget()
        for part in parts[len(self._names) :]:
            table = read_part(part, self.ledger.schema, _COLUMNS, sum(self._counts))
            self.parts_read += 1
            count, width = table.num_rows, len(self.ledger.objectives)
            flat = table["score"].combine_chunks().flatten()
            score = flat.fill_null(np.nan).to_numpy(zero_copy_only=False)
            self._names.append(part.path.name)
            self._moments.append(part.path.stat().st_mtime)
            self._counts.append(count)
            self._score.append(np.asarray(score, dtype=np.float64).reshape(count, width))
            self._state.append(np.array(table["state"].to_pylist()))
            self._is_search.append(np.array(table["stage"].to_pylist()) == "search")
            self._has_parent.append(table["parent"].is_valid().to_numpy())

    def _forget(self) -> None:
        for held in (self._names, self._moments, self._counts, self._score,
                     self._state, self._is_search, self._has_parent):  # fmt: skip
            held.clear()

    def _stands(self) -> tuple[SweepState, SweepCurve]:
        objectives = self.config.sweep.objectives
        planned = self.config.sweep.planned_trials
        trials = sum(self._counts)
        score = np.concatenate(self._score or [np.empty((0, len(objectives)))])
        state = np.concatenate(self._state or [np.empty(0, dtype="U1")])
        is_search = np.concatenate(self._is_search or [np.empty(0, dtype=np.bool_)])
        has_parent = np.concatenate(self._has_parent or [np.empty(0, dtype=np.bool_)])
        ranked = np.ones(trials, dtype=np.bool_)
        if self.config.sweep.ranks_by_neighbours:
            ranked = is_search & ~has_parent
        rows = np.flatnonzero(ranked)
        best = best_trials(objectives, score[rows], state[rows].tolist()) if len(rows) else []
        rate = self._rate()
        is_finished = trials >= planned
        words = "finished" if is_finished else self._words()
        now_runs = words == "running" and rate is not None and rate > 0
        at = int(rows[best[0]]) if best else None
        return (
            SweepState(
                words=words,
                trials=trials,
                planned=planned,
                screened=int((~is_search).sum()),
                failed=int((state == FAILED).sum()),
                infeasible=int((state == INFEASIBLE).sum()),
                best=None if at is None else tuple(score[at].tolist()),
                best_trial=at,
                front=len(best) if len(objectives) > 1 else 0,
                trials_a_second=rate,
                seconds_left=(planned - trials) / rate if now_runs and rate else None,
                last_batch_at=self._moments[-1] if self._moments else None,
            ),
            _curve(rows, score, state, self.config),
        )

    def _gaps(self) -> list[tuple[float, int]]:
        """Seconds and trials of recent batches; a pause between two calls is one gap of many."""
        moments = self._moments[-RECENT_PARTS - 1 :]
        counts = self._counts[-RECENT_PARTS - 1 :]
        return [
            (after - before, count)
            for before, after, count in zip(moments, moments[1:], counts[1:], strict=False)
        ]

    def _rate(self) -> float | None:
        gaps = self._gaps()
        if not gaps or sum(seconds for seconds, _ in gaps) < SHORTEST_GAP_SECONDS * len(gaps):
            return None
        return statistics.median(count / seconds for seconds, count in gaps if seconds > 0)

    def _words(self) -> str:
        if not self._moments:
            made = (self.ledger.folder / SWEEP_NAME).stat().st_mtime
            return "waiting" if self.clock() - made < QUIET_SECONDS else "stopped"
        usual = statistics.median([seconds for seconds, _ in self._gaps()] or [0.0])
        quiet = self.clock() - self._moments[-1]
        return "running" if quiet < max(QUIET_SECONDS, QUIET_BATCHES * usual) else "stopped"


def _curve(rows: np.ndarray, score: Float2D, state: np.ndarray, config: SweepConfig) -> SweepCurve:
    objectives = config.sweep.objectives[:1]
    shown = rows[(state[rows] == COMPLETE) & np.isfinite(score[rows, 0])]
    values = score[shown, 0]
    good = oriented(objectives, values[:, None])[:, 0] if len(values) else values
    sign = 1.0 if objectives[0].direction == "maximize" else -1.0
    return SweepCurve(shown, values, sign * np.maximum.accumulate(good) if len(good) else good)
