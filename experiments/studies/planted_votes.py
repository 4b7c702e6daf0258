"""Votes of heads on a market in which a column announces a drift, judged by what came after.

The questions put with it, their sizes and the page are in ``planted_heads.py``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from datasets.simulate import SimulatedMarket, SimulationSpec, simulate
from engine import Bars, Float1D, Float2D, Market
from indicators import INDICATORS_BY_NAME, build_features
from strategies import ScoredHead, contribution_table, head_inputs
from strategies.heads.crypto_metrics import CryptoMetricsHead
from strategies.heads.sentiment import SentimentHead
from strategies.heads.volume import VolumeHead

SYMBOL: Final = "BTCSIM"
DAYS: Final = 730
WARM_UP_DAYS: Final = 180
"""Days that are not judged: until then a head lacks some of its windows."""
OUTCOME_HOURS: Final = 24
VOLATILITY_HOURS: Final = 168
SHIFTS: Final = 199
LEAST_SHIFT_DAYS: Final = 30
NULL_MARKETS: Final = 200
PLANTED_MARKETS: Final = 40
FIRST_SEED: Final = 30_000
DRIFT: Final = "(the drift itself)"
"""Name of the reference that votes with the true drift of the next hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A column that announces a drift, with the sign that the heads' reading of it pays.

    ``edges_bps`` are basis points of log price an hour for each standard deviation of the column, in
    each of the ``horizon_hours`` after it was known; negative where heads fade the column. ``heads``
    are those that must find it.
    """

    column: str
    horizon_hours: int
    edges_bps: tuple[float, ...]
    heads: tuple[str, ...]


PLANTS: Final = (
    Plant(
        column="taker_flow",
        horizon_hours=24,
        edges_bps=(0.25, 0.5, 1.0),
        heads=("volume", "crypto_metrics"),
    ),
    Plant(
        column="funding",
        horizon_hours=8,
        edges_bps=(-0.5, -1.0, -2.0),
        heads=("sentiment", "crypto_metrics"),
    ),
    Plant(
        column="long_short_ratio",
        horizon_hours=8,
        edges_bps=(-0.5, -1.0, -2.0),
        heads=("sentiment", "crypto_metrics"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One simulated market: its seed and what is planted in it; an empty column for nothing."""

    seed: int
    column: str = ""
    edge_bps: float = 0.0
    horizon_hours: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one voter found: a head, or one ``component`` of its score (empty for the head itself).

    ``is_twin``: it voted on the market of the same seed in which nothing is planted: its columns are
    the same, its prices lack the drift, so that it can know of it from the column alone.
    ``share`` is the part of the judged hours on which it votes, ``mean_bps`` the mean of direction
    times return over ``OUTCOME_HOURS`` on these hours, ``p_value`` that of the shift test.
    """

    head: str
    component: str
    is_twin: bool
    share: float
    mean_bps: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One market: what was planted, the deviation of its drift in bps an hour, what was found."""

    case: Case
    drift_bps: float
    found: tuple[Found, ...]


def study_heads() -> tuple[ScoredHead, ...]:
    """The heads that read a column which can be planted, with their defaults."""
    return VolumeHead(), SentimentHead(), CryptoMetricsHead()


def cases(markets: int = NULL_MARKETS, planted: int = PLANTED_MARKETS) -> Iterator[Case]:
    """The null markets, then the planted ones by column and size; every market has its own seed."""
    seed = FIRST_SEED
    for _ in range(markets):
        yield Case(seed=seed)
        seed += 1
    for plant in PLANTS:
        for edge in plant.edges_bps:
            for _ in range(planted):
                yield Case(
                    seed=seed,
                    column=plant.column,
                    edge_bps=edge,
                    horizon_hours=plant.horizon_hours,
                )
                seed += 1


def simulated(case: Case, days: int = DAYS) -> SimulatedMarket:
    """The market of ``case``."""
    planted: dict[str, Any] = {}
    if case.column:
        planted = {
            "mode": "planted",
            "planted_column": case.column,
            "planted_edge": case.edge_bps,
            "planted_horizon_hours": case.horizon_hours,
        }
    return simulate(SimulationSpec(symbols=(SYMBOL,), days=days, seed=case.seed, **planted))


def directions(heads: Sequence[ScoredHead], market: Market) -> dict[tuple[str, str], Float1D]:
    """Votes -1, 0 or 1 of every head and of every component of its score, ``(T,)``.

    A component votes the side of 50 on which its score lies.
    """
    wanted = [feature for head in heads for feature in head.features().values()]
    matrix = build_features(market, wanted, indicators=INDICATORS_BY_NAME)
    votes: dict[tuple[str, str], Float1D] = {}
    for head in heads:
        inputs = head_inputs(head, matrix)
        votes[head.name, ""] = head.vote(inputs).direction.astype(np.float64)
        parts = head.contributions(inputs)
        score = contribution_table(parts).adjusted
        side = np.where(np.isnan(score), 0.0, np.sign(score - 50.0))
        votes |= {(head.name, part.name): side[:, at] for at, part in enumerate(parts)}
    return votes


def outcomes(bars: Bars) -> tuple[Float1D, Float1D]:
    """Return from close *t* to ``OUTCOME_HOURS`` later, plain and in units of its deviation, ``(T,)``.

    The deviation is the root mean square of the hourly returns of the last ``VOLATILITY_HOURS``, as
    known at close *t*. NaN where either is not known, and in missing bars, whose close is an old one.
    """
    close = bars.close
    hourly = np.concatenate(([0.0], close[1:] / close[:-1] - 1.0))
    squares = np.concatenate(([0.0], np.cumsum(hourly**2)))
    plain, scaled = np.full(len(close), np.nan), np.full(len(close), np.nan)
    rows = np.arange(VOLATILITY_HOURS, len(close) - OUTCOME_HOURS)
    rows = rows[~bars.is_gap[rows]]
    deviation = np.sqrt(
        (squares[rows + 1] - squares[rows + 1 - VOLATILITY_HOURS]) / VOLATILITY_HOURS
    )
    plain[rows] = close[rows + OUTCOME_HOURS] / close[rows] - 1.0
    scaled[rows] = plain[rows] / (np.sqrt(OUTCOME_HOURS) * deviation)
    return plain, scaled


def shift_p_values(votes: Float2D, outcome: Float1D, shifts: Sequence[int]) -> Float1D:
    """One-sided p values ``(C,)`` of the columns of ``votes`` ``(T, C)`` against circular shifts.

    The statistic is the sum of vote times outcome, which ranks shifts as its mean does; ``p = (1 + shifts
    that reach it) / (1 + shifts)``. A column without votes has 1.
    """
    aligned = outcome @ votes
    reached = np.ones(votes.shape[1])
    for shift in shifts:
        reached += np.roll(outcome, -shift) @ votes >= aligned
    p_values: Float1D = reached / (1.0 + len(shifts))
    return p_values


def case_result(
    case: Case,
    *,
    days: int = DAYS,
    warm_up_days: int = WARM_UP_DAYS,
    heads: Sequence[ScoredHead] | None = None,
) -> CaseResult:
    """Simulate one market, let the heads vote on its spot bars, and judge them on its perpetual."""
    market = simulated(case, days)
    voters = study_heads() if heads is None else heads
    by_name = {
        (*name, False): column
        for name, column in directions(voters, market.markets[SYMBOL]).items()
    }
    if case.column:
        twin = simulated(Case(seed=case.seed), days).markets[SYMBOL]
        by_name |= {(*name, True): column for name, column in directions(voters, twin).items()}
    drift = market.drift_bps[SYMBOL]
    by_name["", DRIFT, False] = np.sign(np.concatenate((drift[1:], [0.0])))
    plain, scaled = outcomes(market.perp_bars[SYMBOL])
    judged = slice(24 * warm_up_days, len(scaled) - OUTCOME_HOURS)
    there = ~np.isnan(scaled[judged])
    votes = np.column_stack([column[judged] for column in by_name.values()]) * there[:, None]
    outcome = np.where(there, scaled[judged], 0.0)
    p_values = shift_p_values(votes, outcome, drawn_shifts(case.seed, len(votes)))
    counts = np.abs(votes).sum(axis=0)
    sums = np.where(there, plain[judged], 0.0) @ votes
    means = np.where(counts > 0, 1e4 * sums / np.maximum(counts, 1.0), 0.0)
    return CaseResult(
        case=case,
        drift_bps=float(drift.std()),
        found=tuple(
            Found(
                head=head,
                component=component,
                is_twin=is_twin,
                share=float(counts[at] / len(votes)),
                mean_bps=float(means[at]),
                p_value=float(p_values[at]),
            )
            for at, (head, component, is_twin) in enumerate(by_name)
        ),
    )


def drawn_shifts(seed: int, rows: int) -> list[int]:
    """``SHIFTS`` different shifts in hours, ``LEAST_SHIFT_DAYS`` or more from 0 and from ``rows``."""
    least = 24 * LEAST_SHIFT_DAYS
    generator = np.random.default_rng([seed, 1])
    drawn: list[int] = generator.choice(
        np.arange(least, rows - least + 1), size=SHIFTS, replace=False
    ).tolist()
    return drawn
