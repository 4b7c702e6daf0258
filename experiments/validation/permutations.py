"""Permuted bars with the search made anew: what the same search finds where bars have no order.

Bars change places (``permuted_market``), features and votes are computed again, and the sweep's own
search is made on them with the same plan, seed and budget. Its trials are those of the null: no ledger
holds them and no family counts them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import DataError, Float1D

from ..config_validation import ValidationConfig
from ..statistics.permutation import permutation_p_value
from ..sweeps.batches import SEARCH, Batch, judged_batch, plan_of
from ..sweeps.config import SweepConfig, SweepSection
from ..sweeps.evaluate import Evaluator
from ..sweeps.ledger import Ledger
from ..sweeps.objectives import oriented
from ..sweeps.parts import COMPLETE
from ..sweeps.search import Searcher, Told
from ..sweeps.space import Space, sobol_points
from .permuted_market import permuted_data
from .trials import Values, good_of

SILENCE_SECONDS: Final = 20.0
"""How long nothing is said of the permutations that are done."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PermutedBars:
    """The best of a search, beside the best of the same search on permuted bars.

    ``best`` is the first objective's score with more being better, ``null`` ``(M,)`` that of each
    permutation in the order of drawing, minus infinity where no trial could be chosen; ``trials`` were
    evaluated on each. ``p_value`` = (1 + #{null ≥ best}) ÷ (1 + M).
    """

    trials: int
    best: float
    null: Float1D
    p_value: float
    block_bars: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Searched:
    """What a search found: its ``best`` score as in ``PermutedBars``, and the trials that failed."""

    trials: int
    best: float
    failed: tuple[tuple[Values, str], ...]


Search = Callable[[Evaluator], Searched]


def batches_done(config: SweepConfig, ledger: Ledger) -> list[Batch]:
    """The batches of the plan that ``ledger`` holds: the budget that a search on permuted bars has too."""
    done = len(set(ledger.trials(["batch"])["batch"].to_pylist()))
    return plan_of(config)[:done]


def searched_again(
    config: SweepConfig, space: Space, plan: Sequence[Batch], evaluator: Evaluator
) -> Searched:
    """The batches ``plan``, the first ones of the sweep of ``config``, on the market of ``evaluator``.

    On the sweep's own market the points asked are those of its ledger, and the best is its best.
    """
    sweep = config.sweep
    searcher, screened = Searcher(config, space), list[Told]()
    points = sobol_points(len(space), sweep.screen.trials, config.seed)
    trials, best, has_told_screen = 0, -np.inf, False
    failed: list[tuple[Values, str]] = []
    for batch in plan:
        if batch.stage == SEARCH and not has_told_screen:
            searcher.tell_screened(screened)
            has_told_screen = True
        if batch.stage == SEARCH:
            asked = searcher.ask(batch.number, batch.count)
        else:
            asked = points[batch.first : batch.first + batch.count].tolist()
        judged = judged_batch(config, space, batch, asked, evaluator, first_trial=trials)
        trials += len(judged.points)
        failed += [
            (one, error)
            for one, error in zip(judged.values, judged.errors, strict=True)
            if error is not None
        ]
        if batch.stage == SEARCH:
            searcher.tell(judged.told)
        else:
            screened += judged.told
        if batch.stage == SEARCH or not sweep.ranks_by_neighbours:
            best = max(best, _best(sweep, judged.parents, judged.states, judged.scores))
    return Searched(trials=trials, best=best, failed=tuple(failed))


def _best(
    sweep: SweepSection, parents: Sequence[int | None], states: Sequence[str], scores: Any
) -> float:
    """The best first objective of the trials that may be chosen, more being better."""
    good = oriented(sweep.objectives, scores)
    allowed = np.array([state == COMPLETE for state in states]) & np.isfinite(good).all(axis=1)
    if sweep.ranks_by_neighbours:
        allowed &= np.array([parent is None for parent in parents])
    return float(good[allowed, 0].max()) if allowed.any() else -np.inf


def single(section: SweepSection, values: Values, evaluator: Evaluator) -> Searched:
    """The search of a single run, which has one trial."""
    found = evaluator([values])
    failed = tuple((values, error) for error in found.errors if error is not None)
    return Searched(trials=1, best=float(good_of(section, found)[0]), failed=failed)


def permutation_test_of(
    search: Search,
    evaluator: Evaluator,
    best: float,
    validation: ValidationConfig,
    say: Say = lambda _text: None,
) -> PermutedBars | None:
    """Compare ``best``, which ``search`` found on the market of ``evaluator``, with permuted ones.

    None where ``validation`` asks for no permutation. Raises DataError when a trial fails on permuted bars
    that does not fail on the market itself: a failure must not count as a bad result.
    """
    count = validation.permutations
    if not count:
        return None
    say(f"{count} permutations of the bars, the whole search made anew on each")
    seeds = np.random.SeedSequence([validation.seed, 6]).spawn(count)
    null, trials = np.empty(count), 0
    started = told = time.perf_counter()
    for number, seed in enumerate(seeds):
        data = permuted_data(evaluator.data, seed, block_bars=validation.permutation_block_bars)
        found = search(Evaluator(evaluator.space, data, threads=evaluator.threads))
        _require_sound(found.failed, evaluator, f"permutation {number}")
        null[number], trials = found.best, found.trials
        now, left = time.perf_counter(), count - number - 1
        if left and now - told > SILENCE_SECONDS:
            each = (now - started) / (number + 1)
            say(f"{number + 1} of {count} permutations, about {left * each:,.0f} s to go")
            told = now
    return PermutedBars(
        trials=trials,
        best=best,
        null=null,
        p_value=permutation_p_value(best, null),
        block_bars=validation.permutation_block_bars,
    )


def _require_sound(
    failed: Sequence[tuple[Mapping[str, Any], str]], evaluator: Evaluator, where: str
) -> None:
    if not failed:
        return
    known = evaluator([values for values, _ in failed]).errors
    for (values, error), known_error in zip(failed, known, strict=True):
        if known_error is None:
            raise DataError(
                f"{where} of the bars: a trial failed there and not on the market itself: {error} (values "
                f"{dict(values)})"
            )
