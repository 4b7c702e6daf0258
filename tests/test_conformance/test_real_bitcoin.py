"""The checks on six years of real BTCUSDT hours: firing rates, prefixes, inputs, the replay."""

from dataclasses import replace
from pathlib import Path

import pytest

from datasets import Instrument, Store, import_files, load_market
from engine import DAY_NS, Market
from experiments.checks import Suite
from experiments.checks.altered import window
from experiments.checks.events import (
    column_failures,
    detector_cases,
    hole_failure,
    poison_failure,
    prefix_failure,
)
from experiments.checks.lookahead import busiest_window
from experiments.checks.markets import null_market
from experiments.checks.null import FIRST_SEED
from experiments.checks.poison import check_subject_poison
from experiments.checks.prefix import check_subject_prefix
from experiments.checks.replay import check_replay_prefix, check_replay_timing
from experiments.checks.vacuity import FiringCount, expected_rates, vacuity_rows
from indicators import DETECTORS
from strategies import HEADS
from tests.real_data import real_data_root

pytestmark = pytest.mark.real
FILES = ("klines/binance_spot_klines12_1h.parquet", "derivatives/funding_8h_history.parquet")
FIRST_DAY, LAST_DAY = 17_532, 19_723
"""2018-01-01 and 2024-01-01, in days since the epoch."""


@pytest.fixture(scope="module")
def bitcoin(tmp_path_factory: pytest.TempPathFactory) -> Market:
    root = real_data_root()
    if root is None:
        pytest.skip("no real data: set NINEFOLD_REAL_DATA or put them at ../shared/data")
    store = Store(tmp_path_factory.mktemp("bitcoin") / "store")
    import_files(store, [Path(root) / name for name in FILES])
    return load_market(
        store,
        Instrument("binance", "spot", "BTCUSDT"),
        "1h",
        FIRST_DAY * DAY_NS,
        LAST_DAY * DAY_NS,
        series_from=(Instrument("binance", "um_perp", "BTCUSDT"),),
    )


def counted(suite: Suite, market: Market, count: FiringCount) -> FiringCount:
    count.add_votes(suite.votes(market), suite.heads)
    count.add_signals(suite.signal_rows(market), suite.indicators)
    return count


def out_of_reach(suite: Suite, series: set[str]) -> set[str]:
    """Detectors that never fire on null markets which have no more series than ``series``."""
    count = FiringCount()
    for seed in range(FIRST_SEED, FIRST_SEED + 4):
        market = null_market(4_000, seed)
        counted(
            suite,
            replace(market, series={name: market.series[name] for name in series}),
            count,
        )
    return {name for name, fired in count.fired.items() if fired == 0}


def test_every_detector_fires_as_often_as_it_declares(suite: Suite, bitcoin: Market) -> None:
    rows = vacuity_rows(
        counted(suite, bitcoin, FiringCount()), expected_rates(suite.indicators, suite.heads)
    )
    print("\n".join(f"{row.subject:40} {row.detail}" for row in rows))
    excused = out_of_reach(suite, set(bitcoin.series))
    wrong = [row for row in rows if not row.passed and row.severity == "error"]
    assert [
        f"{row.subject}: {row.detail}"
        for row in wrong
        if row.subject not in excused or not row.detail.startswith("fires on 0 %")
    ] == []


def test_no_look_ahead_on_real_hours(suite: Suite, bitcoin: Market) -> None:
    part = window(bitcoin, *busiest_window(suite.votes(bitcoin), 2_000))
    rows = check_subject_prefix(
        suite.path_rows, part, event_cuts=80, other_cuts=120, lacking="warning"
    )
    rows += check_subject_poison(suite.path_rows, part, count=8, lacking="warning")
    case = suite.replay_case(part, suite.consensus_rows(part))
    rows += check_replay_prefix(case) + check_replay_timing(case)
    moved = {row.subject for row in rows if row.passed}
    assert {f"{head.name}.score" for head in suite.heads} <= moved
    wrong = [row for row in rows if not row.passed and row.severity == "error"]
    assert [f"{row.subject}: {row.detail}" for row in wrong] == []


def test_events_are_never_rewritten_and_agree_with_the_columns(bitcoin: Market) -> None:
    """A window with the crash of March 2020 and its holes, and one of the outages of 2018."""
    cases = detector_cases(
        DETECTORS, (wanted for head in HEADS for wanted in head().detections().values())
    )
    for first in (800, 18_000):
        part = window(bitcoin, first, first + 3_000)
        for case in cases:
            columns = case.columns(part)
            assert prefix_failure(case, columns)[0] is None, case.name
            assert poison_failure(case, columns)[0] is None, case.name
            assert list(column_failures(case, columns)) == [], case.name
            assert hole_failure(case, columns) is None or "is_gap" not in case.detector.inputs
