"""Every listed head, the consensus and the replay of its decisions, under every check."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from itertools import chain
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from engine import HOUR_NS, Market, MarketPanel
from experiments.checks import CheckRow, Suite
from experiments.checks.conformance import check_head_conformance
from experiments.checks.disturbed import without_flows
from experiments.checks.fine_bars import START_NS, aggregated_bars, null_fine_bars
from experiments.checks.inputs import check_head_aliases, check_head_inputs
from experiments.checks.markets import null_market
from experiments.checks.null_series import HISTORY_ROWS, null_series
from experiments.checks.panels import null_panels
from experiments.checks.path_start import NULL_HOURS, check_path_start, compared_after
from experiments.checks.poison import check_subject_poison
from experiments.checks.prefix import check_subject_prefix, chosen_cuts, prefix_failures
from experiments.checks.subjects import (
    ClockBuilder,
    Rows,
    Subject,
    feature_subject,
    head_features,
    stepwise,
)
from experiments.checks.timeframe import check_timeframe_rebuild
from indicators import Feature, clock_of, feature
from strategies import Head, HeadInputs, HeadOutput
from tests.test_conformance.leaked_twins import (
    early_series_clock,
    leaked_subject,
    open_time_clock,
    open_time_clock_of,
)

HOURS = 3_000
"""Long enough for the longest warm-up that votes at all: 90 days of market mood."""
REBUILT_HOURS = 2_400
SEED = 501


def failures(rows: list[CheckRow]) -> list[str]:
    return [f"{row.check} {row.subject}: {row.detail}" for row in rows if not row.passed]


def errors(rows: list[CheckRow]) -> list[str]:
    return failures([row for row in rows if row.severity == "error"])


def leaks(row: CheckRow) -> bool:
    """Whether a row was seen to change, not merely never seen to move."""
    return not row.passed and not row.detail.endswith("not checked")


VARIANTS = range(len(Suite().variants()))
each_variant = pytest.mark.parametrize("number", VARIANTS)


@pytest.fixture(scope="module")
def market() -> Market:
    return null_market(HOURS, SEED)


def further_markets() -> Iterator[Market]:
    """Where outputs that the first market never shows are looked for: a source without taker flow,
    then one null market after the other."""
    flowless = null_market(HOURS, SEED + 1)
    yield replace(flowless, bars=without_flows(flowless.bars))
    for seed in range(SEED + 1, SEED + 40):
        yield null_market(HOURS, seed)
    for seed in range(900, 940):
        yield null_market(2 * HOURS, seed)


def test_conformance(suite: Suite) -> None:
    market = null_market(2_000, SEED)
    for one in (suite, *suite.variants()):
        assert failures(check_head_conformance(one.heads, one.by_name, market)) == []


def test_prefix_replay_of_the_whole_path(suite: Suite, market: Market) -> None:
    rows = check_subject_prefix(
        suite.path_rows,
        market,
        event_cuts=200,
        other_cuts=200,
        further=further_markets(),
        narrowed=suite.narrowed,
        may_be_silent=suite.never_have_to_fire(),
    )
    assert errors(rows) == []
    print("not checked:", [row.subject for row in rows if not row.passed])
    assert {row.subject.split(".")[0].split(":")[0] for row in rows} == {
        *(head.name for head in suite.heads), "consensus", "decision", "replay",
    }  # fmt: skip


def choices_of(head: Head) -> dict[str, set[object]]:
    """Every field of ``head`` that takes one of a few words or turns something on, with its values."""
    types = get_type_hints(type(head))
    return {
        field.name: {True, False} if kind is bool else set(get_args(kind))
        for field in fields(head)
        if (kind := types[field.name]) is bool or get_origin(kind) is Literal
    }


def test_defaults_and_variants_choose_everything_there_is(suite: Suite) -> None:
    chosen: dict[tuple[str, str], set[object]] = {}
    for one in (suite, *suite.variants()):
        for head in one.heads:
            for name in choices_of(head):
                chosen.setdefault((head.name, name), set()).add(getattr(head, name))
    assert chosen == {
        (head.name, name): values
        for head in suite.heads
        for name, values in choices_of(head).items()
    }
    assert len(chosen) > 20


@each_variant
def test_prefix_replay_of_variants(suite: Suite, market: Market, number: int) -> None:
    variant = suite.variants()[number]
    rows = check_subject_prefix(
        variant.vote_rows,
        market,
        event_cuts=60,
        other_cuts=40,
        further=further_markets(),
        narrowed=variant.narrowed,
        may_be_silent=variant.never_have_to_fire(),
    )
    assert errors(rows) == []


@each_variant
def test_variants_do_not_depend_on_a_wild_future(suite: Suite, market: Market, number: int) -> None:
    variant = suite.variants()[number]
    rows = check_subject_poison(
        variant.vote_rows, market, count=8, may_be_silent=variant.never_have_to_fire()
    )
    assert [row for row in errors(rows) if not row.endswith("not checked")] == []


@each_variant
def test_variants_do_not_remember_where_the_bars_began(suite: Suite, number: int) -> None:
    rows = check_path_start(suite.variants()[number], null_market(NULL_HOURS, SEED))
    assert failures(rows) == []


def test_nothing_depends_on_a_wild_future(suite: Suite, market: Market) -> None:
    rows = check_subject_poison(
        suite.path_rows,
        market,
        count=24,
        further=further_markets(),
        narrowed=suite.narrowed,
        may_be_silent=suite.never_have_to_fire(),
    )
    assert errors(rows) == []
    print("not checked:", [row.subject for row in rows if not row.passed])


def test_nothing_remembers_where_the_bars_began(suite: Suite) -> None:
    """Nothing is excused here, not even where less than the declared warm-up could be waited for."""
    rows = check_path_start(suite, null_market(NULL_HOURS, SEED))
    assert failures(rows) == []
    assert {"consensus.direction", "decision.target", "replay.fills", "replay.price"} <= {
        row.subject for row in rows
    }
    assert {f"{head.name}.direction" for head in suite.heads} <= {row.subject for row in rows}


def test_data_too_short_to_compare_give_way_to_a_null_market(suite: Suite) -> None:
    technical = replace(suite, heads=tuple(one for one in suite.heads if one.name == "technical"))
    short = {row.detail for row in check_path_start(technical, null_market(HOURS, SEED))}
    after, severity = compared_after(technical, HOUR_NS)
    assert severity == "error"
    assert f"{NULL_HOURS - after - 200} bars compared, {after} bars after the start" in short
    assert compared_after(suite, HOUR_NS) == (10_000, "warning")


def outputs_that_move(whole: Rows) -> set[str]:
    """The rows that have something to leak: they are not the same from end to end."""
    return {name for name, column in whole.items() if not (column == column[0]).all()}


def test_every_twin_moved_one_bar_earlier_fails_prefix_replay(suite: Suite) -> None:
    """Reasons that a market does not show are looked for on the next one."""
    subject = leaked_subject(suite.path_rows)
    every: set[str] = set()
    moving: set[str] = set()
    caught: set[str] = set()
    for seed in range(SEED, SEED + 40):
        market = null_market(HOURS, seed)
        whole = subject(market)
        every |= set(whole)
        moving |= outputs_that_move(whole)
        missing = {name: column for name, column in whole.items() if name not in caught}
        if not outputs_that_move(missing):
            continue
        others = 10 if seed == SEED else 0
        cuts = chosen_cuts(HOURS, stepwise(missing), event_cuts=60, other_cuts=others)
        caught |= set(prefix_failures(lambda cut, m=market: subject(m.prefix(cut)), missing, cuts))
        if caught >= every:
            break
    assert moving - caught == set(), "moved one bar earlier, these still pass"
    assert every - moving <= suite.never_have_to_fire(), (
        "these are the same on every bar of forty markets"
    )


def test_rare_votes_moved_one_bar_earlier_fail_on_a_further_market(suite: Suite) -> None:
    """Wyckoff never votes on the first market: looking there alone would let it pass."""
    one = replace(suite, heads=tuple(head for head in suite.heads if head.name == "wyckoff"))
    first = null_market(HOURS, SEED)
    assert not one.votes(first).direction.any()
    twin = leaked_subject(one.vote_rows)
    for check in (check_subject_prefix, check_subject_poison):
        alone = {row.subject: row for row in check(twin, first)}
        assert alone["wyckoff.direction"].detail == "no event: not checked"
        rows = check(twin, first, further=further_markets())
        assert {"wyckoff.direction", "wyckoff.probability"} <= {
            row.subject for row in rows if leaks(row)
        }


@pytest.mark.parametrize("clock", ["votes", "features"])
def test_longer_bars_rebuilt_from_minutes(suite: Suite, clock: str) -> None:
    rows = check_timeframe_rebuild(
        rebuilt_subject(suite, clock), minutes(), slow_series(), "1h", panels=coin_panels()
    )
    assert failures(rows) == []


def rebuilt_subject(suite: Suite, kind: str) -> Callable[..., Rows]:
    if kind == "votes":
        return suite.vote_rows
    wanted = head_features(suite.heads)
    return lambda market, builder: feature_subject(wanted, suite.by_name, builder)(market)


def minutes():
    return null_fine_bars(REBUILT_HOURS, SEED, steps_per_hour=60)


def slow_series():
    return null_series(START_NS, START_NS + REBUILT_HOURS * HOUR_NS, SEED)


def coin_panels() -> Mapping[str, MarketPanel]:
    open_time = START_NS + HOUR_NS * np.arange(REBUILT_HOURS)
    return null_panels(open_time, HOUR_NS, SEED, history_rows=HISTORY_ROWS)


def heads_on_longer_bars(suite: Suite) -> set[str]:
    return {
        head.name
        for head in suite.heads
        if any(wanted.clock.startswith("bars:") for wanted in head.features().values())
    }


def test_longer_bars_joined_on_open_time_fail(suite: Suite) -> None:
    rows = check_timeframe_rebuild(
        suite.vote_rows, minutes(), slow_series(), "1h", clock_builder=open_time_clock
    )
    caught = {row.subject.split(".")[0].split(":")[0] for row in rows if leaks(row)}
    assert caught == heads_on_longer_bars(suite)
    wanted = [one for one in head_features(suite.heads) if one.clock.startswith("bars:")]
    rows = check_timeframe_rebuild(
        lambda market, builder: feature_subject(wanted, suite.by_name, builder)(market),
        minutes(),
        slow_series(),
        "1h",
        clock_builder=open_time_clock,
    )
    survivors = [row.subject for row in rows if row.passed and "@bars:1w" not in row.subject]
    assert survivors == [], "weekly structure needs years; JOINED looks at that join"


JOINED = tuple(
    wanted
    for clock in ("bars:4h", "bars:1d", "bars:1w")
    for wanted in (
        feature("roc", "roc", clock=clock, length=1),
        feature("market_trend", "trend", clock=clock, left=1, right=1),
        feature("market_trend", "known", clock=clock, left=1, right=1),
    )
)
"""Features that move within weeks on every longer bar that a head may read."""
JOINED_HOURS = 6_000


def joined(suite: Suite, builder: ClockBuilder) -> Subject:
    """``JOINED`` as a subject; while no bar of a clock is complete, what a join shows before one."""
    known = feature_subject(JOINED, suite.by_name, builder)

    def rows(market: Market) -> Rows:
        found = known(market)
        before = {"roc": np.full(len(market.bars), np.nan)}
        return {
            str(wanted): found.get(
                str(wanted), before.get(wanted.indicator, np.zeros(len(market.bars)))
            )
            for wanted in JOINED
        }

    return rows


def join_leaks(suite: Suite, builder: ClockBuilder) -> tuple[list[CheckRow], list[CheckRow]]:
    """Prefix replay and rebuild of ``JOINED`` when longer bars come from ``builder``."""
    market = null_market(JOINED_HOURS, SEED)
    prefix = check_subject_prefix(joined(suite, builder), market, event_cuts=60, other_cuts=60)
    fine = null_fine_bars(JOINED_HOURS, SEED, steps_per_hour=12)
    rebuilt = check_timeframe_rebuild(
        lambda part, other: joined(suite, other)(part),
        fine,
        {},
        "1h",
        clock_builder=builder,
        count=120,
        all_move=True,
    )
    return prefix, rebuilt


def test_every_longer_bar_is_joined_at_its_close(suite: Suite) -> None:
    for rows in join_leaks(suite, clock_of):
        assert failures(rows) == []
        assert len(rows) == len(JOINED)


@pytest.mark.parametrize("clock", ["bars:4h", "bars:1d", "bars:1w"])
def test_one_longer_bar_joined_at_its_open_fails(suite: Suite, clock: str) -> None:
    leaked = {str(wanted) for wanted in JOINED if wanted.clock == clock}
    for rows in join_leaks(suite, open_time_clock_of(clock)):
        assert {row.subject for row in rows if leaks(row)} == leaked


def test_a_feature_that_never_moves_is_not_called_sound(suite: Suite) -> None:
    weekly = feature("market_trend", "trend", clock="bars:1w", left=5, right=5)
    (row,) = check_timeframe_rebuild(
        lambda part, builder: feature_subject([weekly], suite.by_name, builder)(part),
        minutes(),
        {},
        "1h",
        clock_builder=open_time_clock,
        all_move=True,
    )
    assert (row.passed, row.detail) == (False, "no event: not checked")


def test_longer_bars_joined_on_open_time_fail_prefix_replay(suite: Suite, market: Market) -> None:
    leaky = replace(suite, clock_builder=open_time_clock)
    rows = check_subject_prefix(leaky.vote_rows, market, event_cuts=0, other_cuts=60)
    caught = {row.subject.split(".")[0].split(":")[0] for row in rows if leaks(row)}
    assert caught == heads_on_longer_bars(suite)


def test_slow_rows_shown_before_they_were_published_fail(suite: Suite, market: Market) -> None:
    leaky = replace(suite, clock_builder=early_series_clock)
    rows = check_subject_prefix(leaky.vote_rows, market, event_cuts=60, other_cuts=60)
    caught = {row.subject.split(".")[0].split(":")[0] for row in rows if leaks(row)}
    lagged = {
        "metrics",
        "premium_index",
        "fear_greed",
        "exchange_reserves",
        "tvl",
        "implied_volatility",
        "universe",
        "benchmark",
    }
    expected = {
        head.name
        for head in suite.heads
        if any(wanted.clock in lagged for wanted in head.features().values())
    }
    assert caught == expected


@pytest.mark.parametrize("number", [None, *VARIANTS])
def test_inputs_are_real(suite: Suite, number: int | None) -> None:
    one = suite if number is None else suite.variants()[number]
    markets = [null_market(HOURS, seed) for seed in range(SEED, SEED + 6)]
    rows = check_head_inputs(one.head_rows, one.heads, one.by_name, markets)
    assert failures(rows) == []


PRESENCE = frozenset(
    ("crypto_metrics", alias)
    for alias in ("reserves_change", "altcoin_band", "rotation_phase", "listing_band")
)
"""Features of which a head reads only whether they are known: the side comes as a feature of its own."""


def minute_market() -> Market:
    """Decision bars so short that every timeframe from 5 minutes on is a longer one."""
    bars = aggregated_bars(null_fine_bars(300, SEED, steps_per_hour=60), "1m")
    assert bars is not None
    return Market(bars=bars)


def test_every_feature_is_read(suite: Suite) -> None:
    """With a head's defaults or a variant: a switch may choose between two features."""
    read: dict[str, bool] = {}
    for one in (suite, *suite.variants()):
        markets = chain([null_market(HOURS, SEED), minute_market()], further_markets())
        for row in check_head_aliases(one.heads, one.by_name, markets, presence=PRESENCE):
            read[row.subject] = read.get(row.subject, False) or row.passed
    assert len(read) > 100
    assert [subject for subject, passed in read.items() if not passed] == []


def test_an_idle_feature_on_a_shared_column_is_caught(suite: Suite) -> None:
    """Other features of the head read the same raw columns, so disturbing these cannot tell."""
    technical = next(head for head in suite.heads if head.name == "technical")
    rows = check_head_aliases([Idle(technical)], suite.by_name, [null_market(HOURS, SEED)])
    assert [row.subject for row in rows if not row.passed] == ["technical < idle"]


class Idle:
    """A head that declares one more feature than it reads."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.name = head.name

    def features(self) -> dict[str, Feature]:
        return {**self.head.features(), "idle": feature("donchian", "position", length=33)}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        return self.head.vote(inputs)
