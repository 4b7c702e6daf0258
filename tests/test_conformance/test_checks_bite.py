"""Each check is given what it exists to catch, and something sound that it must let pass."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from engine import Float1D, Market
from experiments.checks import CheckReport, CheckRow, CheckSize, Suite, run_checks
from experiments.checks.altered import wild_future, window
from experiments.checks.conformance import check_head_conformance, check_indicator_conformance
from experiments.checks.fine_bars import aggregated_bars, null_fine_bars
from experiments.checks.inputs import check_head_inputs, check_indicator_inputs
from experiments.checks.markets import null_market
from experiments.checks.poison import check_indicator_poison, check_subject_poison
from experiments.checks.prefix import check_indicator_prefix, check_subject_prefix, chosen_cuts
from experiments.checks.start import check_start, check_subject_start
from experiments.checks.subjects import IndicatorCase
from experiments.checks.vacuity import FiringCount, expected_rates, vacuity_rows
from indicators import Columns, Feature, Parameters, feature, resampled
from strategies import HeadInputs, HeadOutput
from tests.test_conformance import toys
from tests.test_conformance.leaked_twins import leaked_subject, moved_earlier, open_time_clock
from tests.test_conformance.toys import ToyHead, toy

SOUND = toy(toys.rise, kind="signal", stable=1)


def failed(rows: list[CheckRow]) -> list[CheckRow]:
    return [row for row in rows if not row.passed]


def test_a_sound_indicator_passes_everything() -> None:
    for check in (
        check_indicator_conformance,
        check_indicator_prefix,
        check_indicator_poison,
        check_indicator_inputs,
    ):
        assert failed(check([SOUND])) == []


@pytest.mark.parametrize(
    "case",
    [
        toy(toys.centred_pivot, kind="signal"),
        toy(toys.whole_sample_score),
        toy(toys.next_close),
        toy(toys.filled_backwards),
        toy(toys.rewritten_pivot, kind="signal"),
    ],
    ids=lambda case: case.indicator.compute.__name__,
)
def test_prefix_and_poison_catch_look_ahead(case: IndicatorCase) -> None:
    assert failed(check_indicator_prefix([case])) != []
    assert failed(check_indicator_poison([case])) != []


def test_poison_catches_what_prefix_replay_cannot() -> None:
    case = toy(toys.aware_of_length)
    whole = [row for row in check_indicator_poison([case]) if not row.passed]
    assert "changes row" in whole[0].detail


def test_a_leak_in_one_row_of_many_is_met_at_its_event() -> None:
    """Two rows of 2,000 know the next close: drawn cuts alone would miss them."""

    def rare(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
        close = columns["close"]
        out = np.zeros(len(close))
        jumps = np.flatnonzero(np.diff(close) > 0.03 * close[:-1])
        out[jumps[jumps > 0]] = 1.0
        return (out,)

    rows = check_indicator_prefix([toy(rare, kind="signal")])
    assert failed(rows) != []
    assert (
        failed(check_indicator_prefix([toy(rare, kind="signal")], event_cuts=0, max_markets=1))
        == []
    )


def test_an_output_that_never_fires_is_not_called_sound() -> None:
    def silent(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
        return (np.zeros(len(columns["close"])),)

    (row,) = check_indicator_prefix([toy(silent, kind="signal")], max_markets=4)
    assert not row.passed
    assert "no event on 4 markets" in row.detail

    def unknown(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
        return (np.full(len(columns["close"]), np.nan),)

    (row,) = check_indicator_prefix([toy(unknown)], max_markets=1)
    assert not row.passed


def test_start_dependence_is_caught() -> None:
    assert failed(check_start([toy(toys.cumulative, stable=100)])) != []
    assert failed(check_start([SOUND])) == []


def test_start_dependence_of_an_understated_warm_up_is_caught() -> None:
    def smoothed(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
        out = columns["close"].copy()
        for t in range(1, len(out)):
            out[t] = 0.95 * out[t - 1] + 0.05 * out[t]
        return (out,)

    forgets = int(np.ceil(np.log(1e6) / -np.log(0.95)))
    assert failed(check_start([toy(smoothed, stable=forgets)])) == []
    assert failed(check_start([toy(smoothed, stable=forgets // 3)])) != []


def test_start_dependence_of_a_head_is_caught() -> None:
    remembering = replace(toy(toys.counting).indicator, stable=lambda _: 100)
    suite = Suite(indicators=(*Suite().indicators, remembering), heads=(ToyHead(),))
    market = null_market(1_200, 3)
    assert suite.warm_up_rows(market.bars.step_ns) == 101 * 4
    assert failed(check_subject_start(suite.vote_rows, market, 500)) != []
    sound = toy_suite()
    assert failed(check_subject_start(sound.vote_rows, market, 500)) == []


def test_an_input_that_is_declared_and_not_read_is_caught() -> None:
    case = toy(toys.rise, kind="signal", inputs=("close", "volume"))
    rows = failed(check_indicator_inputs([case]))
    assert [row.subject for row in rows] == ["toy < volume"]
    with pytest.raises(KeyError, match="close"):
        check_indicator_prefix([toy(toys.rise, kind="signal", inputs=("open",))])


def broken(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    out = columns["close"].copy()
    out[7] = np.nan
    return (out,)


def infinite(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    out = columns["close"].copy()
    out[-1:] = np.inf
    return (out,)


def mutating(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    columns["close"][:1] = 0.0
    return (columns["close"].copy(),)


def whole_numbers(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (np.zeros(len(columns["close"]), dtype=np.int64).astype(np.float32),)


def half_a_state(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (np.full(len(columns["close"]), 0.5),)


def unscaled(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (np.tanh(columns["close"] / 20_000.0),)


def crashes_when_empty(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (columns["close"] - columns["close"][0],)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (toy(toys.next_close, lookback=3), "declared lookback is 3"),
        (toy(broken, kind="level", unit="price"), "NaN again"),
        (toy(infinite, unit="price"), "infinite"),
        (toy(mutating, unit="price"), "read-only"),
        (toy(whole_numbers), "float32"),
        (toy(half_a_state, kind="state"), "a state is a whole number"),
        (toy(half_a_state, kind="signal"), "a signal is -1, 0 or 1"),
        (toy(toys.next_close, low=0.0, high=1.0), "outside"),
        (toy(unscaled), "prices x8"),
        (toy(crashes_when_empty, unit="price"), "0 rows: IndexError"),
    ],
)
def test_conformance_of_an_indicator_is_tested(case: IndicatorCase, words: str) -> None:
    try:
        details = " ".join(row.detail for row in failed(check_indicator_conformance([case])))
    except ValueError as error:
        details = str(error)
    assert words in details


TOY_INDICATOR = toy(
    lambda columns, _: (
        (columns["close"] - columns["open"]) / np.maximum(columns["high"] - columns["low"], 1e-9),
    ),
    inputs=("open", "high", "low", "close"),
).indicator


BESIDE_THE_TOYS = (
    "atr", "rsi", "rvol", "fair_value_gap", "volume_spike", "funding_rate", "long_short_extreme",
    "altcoin_season", "volatility_premium",
)  # fmt: skip
"""Sound indicators of every kind of clock; all that are listed are checked in test_indicators.py."""


def toy_suite(head: object | None = None, **changes: object) -> Suite:
    sound = tuple(one for one in Suite().indicators if one.name in BESIDE_THE_TOYS)
    return replace(
        Suite(indicators=(*sound, TOY_INDICATOR), heads=(head or ToyHead(),)),
        **changes,
    )


def weighted(suite: Suite) -> Suite:
    rules = replace(suite.consensus_rules, weights={"toy": 1.0}, quorum=1)
    return replace(suite, consensus_rules=rules)


def test_a_sound_head_passes_everything() -> None:
    report = run_checks(null_market(1_500, 9), weighted(toy_suite()), size=small())
    assert report.passed, "\n".join(report.lines())


def small() -> CheckSize:
    return CheckSize(rows=1_200, event_cuts=60, other_cuts=40, futures=6, rebuilds=30, long_cuts=2)


def test_run_checks_fails_when_longer_bars_are_shown_at_their_open() -> None:
    leaky = weighted(toy_suite(clock_builder=open_time_clock))
    report = run_checks(null_market(1_500, 9), leaky, size=small())
    assert not report.passed
    caught = {row.check for row in report.failures if row.severity == "error"}
    assert {"prefix", "timeframe"} <= caught


@dataclass(frozen=True, slots=True)
class Careless(ToyHead):
    """A head with one fault, chosen by name."""

    fault: str = ""
    name: ClassVar[str] = "toy"

    def features(self) -> Mapping[str, Feature]:
        found = dict(ToyHead.features(self))
        if self.fault == "idle feature":
            found["idle"] = feature("rvol", "rvol")
        return found

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        output = ToyHead.vote(self, inputs)
        rows = inputs.rows
        if self.fault == "votes blindly" and "close" in inputs:
            return replace(
                output,
                direction=np.ones(rows, dtype=np.int8),
                probability=np.full(rows, 0.7),
                coverage=np.ones(rows),
            )
        if self.fault == "confident when flat":
            return replace(output, confidence=np.full(rows, 0.9))
        if self.fault == "unnamed reason":
            return replace(output, reasons=np.full(rows, 8, dtype=np.uint64))
        if self.fault == "covered without data":
            return replace(output, coverage=np.ones(rows))
        if self.fault == "whole sample" and rows:
            score = np.where(output.coverage > 0, 50.0 + 10.0 * output.score.mean() / 100.0, 50.0)
            return replace(output, score=score)
        return output


@pytest.mark.parametrize(
    "fault", ["votes blindly", "confident when flat", "unnamed reason", "covered without data"]
)
def test_conformance_of_a_head_is_tested(fault: str) -> None:
    suite = toy_suite(Careless(fault=fault))
    rows = check_head_conformance(suite.heads, suite.by_name, null_market(600, 3))
    assert failed(rows) != []
    sound = toy_suite()
    assert failed(check_head_conformance(sound.heads, sound.by_name, null_market(600, 3))) == []


def test_a_head_that_looks_at_the_whole_sample_is_caught() -> None:
    market = null_market(800, 3)
    suite = toy_suite(Careless(fault="whole sample"))
    assert failed(check_subject_prefix(suite.vote_rows, market)) != []
    assert failed(check_subject_poison(suite.vote_rows, market)) != []


def test_a_feature_that_a_head_declares_and_ignores_is_caught() -> None:
    suite = toy_suite(Careless(fault="idle feature"))
    rows = check_head_inputs(
        suite.head_rows, suite.heads, suite.by_name, [null_market(800, seed) for seed in (3, 4)]
    )
    assert [row.subject for row in failed(rows)] == ["toy < bars.volume"]


def test_a_head_that_reads_what_it_does_not_declare_is_caught() -> None:
    suite = toy_suite()

    def nosy(market: Market):
        rows = {name: dict(columns) for name, columns in suite.head_rows(market).items()}
        funding = market.series["funding"].columns["rate"].sum()
        rows["toy"]["toy.score"] = rows["toy"]["toy.score"] + funding
        return rows

    market = null_market(800, 3)
    rows = check_head_inputs(nosy, suite.heads, suite.by_name, [market])
    assert [row.subject for row in failed(rows)] == ["toy < funding.rate"]


def test_subjects_moved_one_bar_earlier_fail() -> None:
    market = null_market(800, 3)
    suite = toy_suite()
    assert failed(check_subject_prefix(suite.vote_rows, market)) == []
    assert failed(check_subject_poison(suite.vote_rows, market)) == []
    twin = leaked_subject(suite.vote_rows)
    caught = {row.subject for row in failed(check_subject_prefix(twin, market))}
    assert {"toy.direction", "toy.score", "toy:up", "toy:down"} <= caught
    caught = {row.subject for row in failed(check_subject_poison(twin, market, count=60))}
    assert "toy.direction" in caught


def test_vacuity_judges_both_ends_of_the_range() -> None:
    suite = toy_suite()
    expected = expected_rates((), suite.heads)
    for share, verdict in ((0.0, False), (0.02, False), (0.5, True), (0.95, False)):
        count = FiringCount()
        fired = np.arange(1_000) < 1_000 * share
        count.add("toy:up", fired, 1_000)
        rows = {row.subject: row for row in vacuity_rows(count, expected)}
        assert rows["toy:up"].passed is verdict
        assert rows["toy:down"].detail.startswith("no data")


def test_a_rate_counts_as_outside_only_when_the_rows_can_tell() -> None:
    """One firing is expected of 1,000 rows: none says nothing, of 20,000 rows none says much."""
    for rows, verdict in ((1_000, True), (20_000, False)):
        count = FiringCount()
        count.add("rare", np.zeros(rows), rows)
        (row,) = vacuity_rows(count, {"rare": (0.001, 0.01)})
        assert row.passed is verdict, row.detail


def test_a_range_from_zero_proves_nothing_when_nothing_fires() -> None:
    count = FiringCount()
    count.add("silent", np.zeros(100), 100)
    (row,) = vacuity_rows(count, {"silent": (0.0, 0.5)})
    assert (row.passed, row.severity) == (False, "warning")


def test_moving_earlier_repeats_the_last_value() -> None:
    column = np.array([1.0, 2.0, 3.0, 4.0])
    assert moved_earlier(column, 1).tolist() == [2.0, 3.0, 4.0, 4.0]
    assert moved_earlier(column, 9).tolist() == [4.0, 4.0, 4.0, 4.0]
    assert moved_earlier(column[:0], 1).tolist() == []


def test_cuts_keep_every_event_of_the_rarest_output() -> None:
    common, rare = np.arange(0, 2_000, 2), np.array([17, 1_503])
    cuts = chosen_cuts(2_000, (common, rare), event_cuts=60, other_cuts=200)
    assert {18, 1_504} <= set(cuts.tolist())
    assert 200 <= len(cuts) <= 271
    assert np.array_equal(cuts, chosen_cuts(2_000, (common, rare), event_cuts=60, other_cuts=200))


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d", "1w"])
def test_rebuilt_bars_equal_resampled_ones(timeframe: str) -> None:
    fine = null_fine_bars(24 * 40, 5)
    rebuilt, hourly = aggregated_bars(fine, timeframe), aggregated_bars(fine, "1h")
    assert rebuilt is not None
    assert hourly is not None
    expected = resampled(hourly, timeframe).columns()
    for name, column in rebuilt.columns().items():
        assert np.array_equal(column, expected[name][: len(column)]), name
    assert len(rebuilt) >= 5


def test_a_wild_future_keeps_the_past() -> None:
    market = null_market(500, 5)
    changed = wild_future(market, 300, 1)
    now = int(market.bars.close_time[299])
    for name, column in market.bars.columns().items():
        assert np.array_equal(changed.bars.columns()[name][:300], column[:300]), name
    assert (changed.bars.close[300:] != market.bars.close[300:]).all()
    for name, series in market.series.items():
        assert np.array_equal(
            changed.series[name].known_at(now).event_time, series.known_at(now).event_time
        )
        for column, values in series.known_at(now).columns.items():
            assert np.array_equal(changed.series[name].known_at(now).columns[column], values)


def test_a_window_holds_its_bars_and_what_was_known_by_then() -> None:
    market = null_market(500, 5)
    part = window(market, 100, 300)
    assert np.array_equal(part.bars.close, market.bars.close[100:300])
    now = int(market.bars.close_time[299])
    assert all((series.available_at <= now).all() for series in part.series.values())


def test_a_report_fails_on_errors_only() -> None:
    fine = CheckRow("prefix", "a", True, "looked at")
    warned = CheckRow("vacuity", "b", False, "odd", "warning")
    wrong = CheckRow("prefix", "c", False, "leaks")
    assert CheckReport((fine, warned)).passed
    assert not CheckReport((fine, wrong)).passed
    assert CheckReport((fine, warned, wrong)).failures == (warned, wrong)
    assert [line.split()[0] for line in CheckReport((fine, warned, wrong)).lines()] == [
        "ok",
        "warning",
        "FAILED",
    ]
