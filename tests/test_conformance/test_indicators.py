"""Every listed indicator, with every set of parameters that a head uses, under every check."""

import sys

import numpy as np
import pytest

from engine import Float1D
from experiments.checks import CheckRow, Suite
from experiments.checks.conformance import check_indicator_conformance
from experiments.checks.inputs import check_indicator_inputs
from experiments.checks.markets import null_market
from experiments.checks.poison import check_indicator_poison, indicator_poison_failures
from experiments.checks.prefix import chosen_cuts, indicator_prefix, prefix_failures
from experiments.checks.start import check_start
from experiments.checks.subjects import (
    CASE_ROWS,
    FIRST_SEED,
    IndicatorCase,
    case_market,
    event_rows,
    indicator_cases,
)
from indicators.directional_change import directional_change_pivots
from indicators.pivot import confirmed_pivots
from tests.schematics import eventful_columns
from tests.test_conformance.leaked_twins import leaked_case

SUITE = Suite()
CASES = indicator_cases(SUITE.indicators, SUITE.heads, null_market(CASE_ROWS, FIRST_SEED))
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def failures(rows: list[CheckRow]) -> list[str]:
    return [f"{row.check} {row.subject}: {row.detail}" for row in rows if not row.passed]


def test_every_listed_indicator_is_a_case() -> None:
    assert {case.indicator.name for case in CASES} == {one.name for one in SUITE.indicators}
    assert all(
        any(
            case.indicator.name == wanted.indicator
            and case.resolved == case.indicator.resolved(dict(wanted.parameters))
            for case in CASES
        )
        for head in SUITE.heads
        for wanted in head.features().values()
    )


@every_case
def test_conforms_to_its_declaration(case: IndicatorCase) -> None:
    assert failures(check_indicator_conformance([case])) == []


@every_case
def test_prefix_replay_and_its_leaked_twin(case: IndicatorCase) -> None:
    sound = indicator_prefix(case)
    assert failures([sound.row(case, output) for output in case.indicator.outputs]) == []
    twin = indicator_prefix(leaked_case(case))
    survivors = {output.name for output in case.indicator.outputs} - set(twin.failures)
    assert survivors == set(), "moved one bar earlier, these outputs still pass"


@every_case
def test_nothing_depends_on_a_poisoned_future(case: IndicatorCase) -> None:
    assert failures(check_indicator_poison([case])) == []


@every_case
def test_does_not_remember_where_the_series_began(case: IndicatorCase) -> None:
    assert failures(check_start([case])) == []


@every_case
def test_every_declared_input_is_read(case: IndicatorCase) -> None:
    assert failures(check_indicator_inputs([case])) == []


READS_PIVOTS = frozenset({
    "pivot", "zigzag", "directional_change", "structure", "structure_break", "swing_leg",
    "market_trend", "order_block", "order_block_strength", "liquidity_sweep", "inducement", "dealing_range",
    "optimal_trade_entry", "support_resistance", "chart_pattern", "wyckoff", "weis_wave",
    "harmonic", "harmonic_pivot", "cvd_levels", "cvd_divergence", "obv_divergence", "adl_divergence",
    "cmf_divergence", "rsi_divergence", "macd_divergence", "divergence_balance", "pivot_vwap",
})  # fmt: skip
LONG_AFTER_PIVOTS = frozenset({
    ("order_block", "breaker_touch"),
    ("liquidity_sweep", "equal"),
    ("liquidity_sweep", "confidence"),
    ("wyckoff", "failure"),
    ("wyckoff", "jump"),
})  # fmt: skip
"""Outputs that follow a pivot by so much that it was confirmed on every market looked at: they change
with another pivot, and know it in time."""
EVENTFUL_ROWS, EVENTFUL_SEEDS = 3_000, range(5, 9)


def on_their_own_row(events: np.ndarray, right: int) -> np.ndarray:
    """Pivots that stand ``right`` rows after their bar, moved back to it."""
    centred = np.concatenate((events[right:], np.full(min(right, len(events)), np.nan)))
    # Consumers read row t - right of the prices, which must exist.
    centred[:right] = np.nan
    return centred


class CentredPivots:
    """Pivots written on their own row, which is known only later, and how often they were asked for."""

    def __init__(self) -> None:
        self.calls = 0

    def confirmed_pivots(
        self, high: Float1D, low: Float1D, left: int, right: int, *, strict: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        self.calls += 1
        high_row, low_row = confirmed_pivots(high, low, left, right, strict=strict)
        return on_their_own_row(high_row, right), on_their_own_row(low_row, right)

    def directional_change_pivots(
        self, *columns: Float1D, **options: Float1D
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.calls += 1
        found = directional_change_pivots(*columns, **options)
        rows = np.flatnonzero(~np.isnan(found[0]) | ~np.isnan(found[1]))
        centred = [np.full_like(one, np.nan) for one in found[:2]]
        anchor = np.full_like(found[2], -1)
        for row in rows:
            own = int(found[2][row])
            centred[0][own], centred[1][own] = found[0][row], found[1][row]
            anchor[own] = own
        return centred[0], centred[1], anchor

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the sound pivots in every module that reads them."""
        for name, module in list(sys.modules.items()):
            for function in ("confirmed_pivots", "directional_change_pivots"):
                if name.startswith("indicators.") and hasattr(module, function):
                    patch.setattr(module, function, getattr(self, function))


def caught_on_eventful_bars(case: IndicatorCase) -> set[str]:
    """Outputs that fail prefix replay on bars drawn to be rich in ranges, climaxes and breaks."""
    caught: set[str] = set()
    for seed in EVENTFUL_SEEDS:
        drawn = eventful_columns(seed, rows=EVENTFUL_ROWS)
        drawn.setdefault("open_time", 1.6e18 + 3.6e12 * np.arange(float(EVENTFUL_ROWS)))
        columns = {name: drawn[name] for name in case.indicator.inputs}
        whole = case.outputs(columns)
        moved = [event_rows(column) for column in whole.values()]
        cuts = chosen_cuts(EVENTFUL_ROWS, moved, event_cuts=400, other_cuts=200)
        caught |= set(
            prefix_failures(
                lambda cut, columns=columns: case.outputs(
                    {name: column[:cut] for name, column in columns.items()}
                ),
                whole,
                cuts,
            )
        )
    return caught


@every_case
def test_pivots_on_their_own_row_fail_prefix_replay(
    case: IndicatorCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever reads pivots is wrong when these are not confirmed, in each output that changes."""
    columns = case.columns(case_market(case))
    sound = case.outputs(columns)
    twin = CentredPivots()
    twin.install(monkeypatch)
    leaked = case.outputs(columns)
    assert bool(twin.calls) == (case.indicator.name in READS_PIVOTS)
    if not twin.calls:
        return
    changed = {name for name in sound if not np.array_equal(sound[name], leaked[name], True)}
    assert changed
    caught = set(indicator_prefix(case, max_markets=4).failures)
    assert caught & changed
    if changed - caught:
        caught |= caught_on_eventful_bars(case)
    late = {name for indicator, name in LONG_AFTER_PIVOTS if indicator == case.indicator.name}
    assert changed - caught <= late, "with centred pivots these outputs still pass"


LAGGED = frozenset({("ichimoku", "cloud_a"), ("ichimoku", "cloud_b"), ("ha_trend", "open")})
"""Outputs made of earlier rows only: moved one bar earlier they still know no future."""


@every_case
def test_poison_catches_the_leaked_twin(case: IndicatorCase) -> None:
    found = indicator_poison_failures(leaked_case(case), case_market(case))
    values = {
        output.name
        for output in case.indicator.outputs
        if output.kind == "value" and (case.indicator.name, output.name) not in LAGGED
    }
    assert found or not values
    assert np.array_equal([name in found for name in values], [True] * len(values))
