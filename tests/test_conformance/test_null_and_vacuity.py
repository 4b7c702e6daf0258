"""On prices that nothing predicts nothing earns, and every detector fires as often as it claims."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Market
from experiments.checks import CheckRow, Suite
from experiments.checks.markets import null_market
from experiments.checks.null import (
    FIRST_SEED,
    HOLD_BARS,
    ROWS,
    WALKS,
    Detectors,
    Tally,
    check_null,
    clustered_t,
    forward_returns,
    null_rows,
    threshold_t,
)
from experiments.checks.sample import NullSample
from indicators import INDICATORS_BY_NAME
from tests.test_conformance.leaked_twins import moved_earlier
from tests.test_conformance.replay_twins import REPLAY_TWINS


def failed(rows: list[CheckRow]) -> list[str]:
    return [
        f"{row.subject}: {row.detail}" for row in rows if not row.passed and row.severity == "error"
    ]


def test_no_detector_earns_on_a_driftless_market(sample: NullSample) -> None:
    rows = sample.null_rows()
    assert failed(rows) == []
    names = {row.subject for row in rows}
    assert {"consensus", "replay", *(head.name for head in sample.suite.heads)} <= names
    tested = [row for row in rows if row.severity == "error"]
    print(f"{len(tested)} detectors tested, {len(rows) - len(tested)} with too few firings")


def test_no_variant_of_a_head_earns_on_a_driftless_market(suite: Suite) -> None:
    """The heads' answers and reasons with every set of ``VARIANTS``, as one family of detectors."""

    def detectors(market: Market) -> Detectors:
        return {
            f"{number} {name}": column
            for number, variant in enumerate(suite.variants())
            for name, column in variant.detectors({}, variant.votes(market), {}).items()
        }

    rows = check_null(detectors, lambda seed: null_market(ROWS, seed))
    assert failed(rows) == []
    tested = {row.subject for row in rows if row.severity == "error"}
    assert {
        f"{number} {head.name}"
        for number, variant in enumerate(suite.variants())
        for head in variant.heads
    } <= tested


def test_every_detector_fires_as_often_as_it_declares(sample: NullSample) -> None:
    rows = sample.vacuity_rows()
    print("\n".join(f"{row.subject:40} {row.detail}" for row in rows))
    assert failed(rows) == []


def test_forward_returns_enter_at_the_next_open() -> None:
    opens = 100.0 * 1.01 ** np.arange(60)
    expected = 1.01**HOLD_BARS - 1.0
    found = forward_returns(opens)
    reach = len(opens) - HOLD_BARS - 1
    assert found[:reach] == pytest.approx(expected)
    assert (found[reach:] == 0.0).all()
    opens[HOLD_BARS + 1] *= 2.0
    assert forward_returns(opens)[0] == pytest.approx(2.0 * 1.01**HOLD_BARS - 1.0)


def test_the_bound_holds_for_the_family() -> None:
    generator = np.random.default_rng(3)
    families = 400
    bound = threshold_t(WALKS, 50)
    exceeded = sum(
        max(abs(clustered_t(row)) for row in generator.standard_normal((50, WALKS))) > bound
        for _ in range(families)
    )
    assert 0.02 * families <= exceeded <= 0.09 * families


def test_a_detector_with_few_firings_is_not_called_sound() -> None:
    tally = Tally()
    for seed in range(4):
        market = null_market(400, FIRST_SEED + seed)
        column = np.zeros(400)
        column[50] = 1.0
        tally.add(market, {"rare": column})
    (row,) = null_rows(tally)
    assert not row.passed
    assert row.severity == "warning"
    assert "too few firings: 4" in row.detail


def leaky(rows_ahead: int):
    """Pivot confirmations stamped ``rows_ahead`` bars early."""
    pivot = INDICATORS_BY_NAME["pivot"]
    index = next(i for i, output in enumerate(pivot.outputs) if output.kind == "signal")

    def detectors(market):
        columns = market.bars.columns()
        event = pivot.compute(columns, pivot.resolved({}))[index]
        return {"pivots": moved_earlier(event, rows_ahead)}

    return detectors


def test_centred_pivots_earn_on_a_driftless_market() -> None:
    def market_of(seed: int):
        return null_market(1_000, seed)

    (sound,) = check_null(leaky(0), market_of)
    assert sound.passed, sound.detail
    (centred,) = check_null(leaky(5), market_of)
    assert not centred.passed, centred.detail
    assert abs(float(centred.detail.split("t=")[1].split(",")[0])) > 10


@pytest.mark.parametrize("twin", ["same bar"])
def test_a_replay_that_fills_in_its_own_bar_earns(twin: str) -> None:
    sample = NullSample(replace(Suite(), replay_function=REPLAY_TWINS[twin]))
    for seed in range(FIRST_SEED, FIRST_SEED + 12):
        sample.add(seed, rows=1_500)
    row = next(row for row in sample.null_rows() if row.subject == "replay")
    assert not row.passed, row.detail


def test_the_null_market_is_a_martingale_with_clustered_volatility() -> None:
    growth, clustering = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + WALKS):
        bars = null_market(ROWS, seed).bars
        returns = np.diff(np.log(bars.open))
        growth.append(bars.open[-1] / bars.open[0] - 1.0)
        size = np.abs(returns)
        clustering.append(np.corrcoef(size[1:], size[:-1])[0, 1])
    assert abs(clustered_t(growth)) < 3.0
    assert np.mean(clustering) > 0.15
