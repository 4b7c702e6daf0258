"""``ninefold check lookahead``: the checks on the data that a configuration names."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from datasets import Store
from engine import ConfigError, Market
from indicators import DETECTORS
from strategies import Head, VoteMatrix

from ..config import RunConfig
from ..features.own_indicators import indicators_of
from ..formats import counted
from .altered import window
from .events import check_detectors, detector_cases
from .fine_bars import fine_bars_of
from .inputs import check_head_inputs, check_indicator_inputs
from .markets import null_market
from .own_indicators import contract_rows, own_suite
from .path_start import check_path_start
from .poison import check_indicator_poison, check_subject_poison
from .prefix import check_indicator_prefix, check_subject_prefix, prefix_failures, subject_rows
from .replay import check_replay_prefix, check_replay_timing
from .replay_case import ReplayCase
from .report import CheckReport, CheckRow, Severity
from .sample import null_sample
from .start import check_start
from .subjects import CASE_ROWS, FIRST_SEED, indicator_cases
from .suite import LOWERED, Suite
from .timeframe import check_timeframe_rebuild
from .vacuity import FiringCount, expected_rates, vacuity_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSize:
    """How much of the data is looked at.

    ``rows`` bars make the window that is replayed prefix by prefix: at most ``event_cuts`` prefixes
    that end on an event and ``other_cuts`` drawn evenly. ``long_cuts`` prefixes are taken of the
    whole data.
    """

    rows: int = 3_000
    event_cuts: int = 300
    other_cuts: int = 200
    futures: int = 16
    rebuilds: int = 60
    long_cuts: int = 5

    def __post_init__(self) -> None:
        for name in ("rows", "other_cuts", "futures", "rebuilds"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 1")


def busiest_window(votes: VoteMatrix, rows: int) -> tuple[int, int]:
    """First and last bar (exclusive) of ``rows`` bars: where data are most complete, and then where
    heads change their minds most often."""
    total = len(votes)
    if total <= rows:
        return 0, total
    starts = np.append(np.arange(0, total - rows, max(rows // 4, 1)), total - rows)

    def within(per_row: np.ndarray) -> np.ndarray:
        summed = np.concatenate(([0.0], np.cumsum(per_row)))
        return np.asarray(summed[starts + rows] - summed[starts])

    covered = within(votes.coverage.sum(axis=1))
    turns = np.zeros(total)
    turns[1:] = (votes.direction[1:] != votes.direction[:-1]).sum(axis=1)
    score = np.where(covered >= 0.98 * covered.max(), within(turns), -1.0)
    best = int(starts[int(np.argmax(score))])
    return best, best + rows


def grouped(rows: Iterable[CheckRow], names: Sequence[str]) -> list[CheckRow]:
    """One row for each head, the consensus and the replay instead of one for each of their columns."""
    groups: dict[tuple[str, str], list[CheckRow]] = {}
    for row in rows:
        owner = next(
            (
                name
                for name in names
                if row.subject.startswith((f"{name}.", f"{name}:", f"{name} "))
            ),
            row.subject.split(".")[0],
        )
        groups.setdefault((row.check, owner), []).append(row)
    made: list[CheckRow] = []
    for (check, owner), members in groups.items():
        failed = [row for row in members if not row.passed]
        errors = [row for row in failed if row.severity == "error"]
        shown = errors or failed
        detail = f"{len(members)} looked at; {members[0].detail}"
        if shown:
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            detail = f"{shown[0].subject}: {shown[0].detail}{more}"
        severity: Severity = "warning" if failed and not errors else "error"
        made.append(CheckRow(check, owner, not failed, detail, severity))
    return made


def run_checks(
    market: Market,
    suite: Suite | None = None,
    *,
    votes: VoteMatrix | None = None,
    size: CheckSize | None = None,
    with_indicators: bool = True,
    name: str = "",
) -> CheckReport:
    """Every check that data of a user allow, on one market; ``name`` precedes the subjects.

    Indicators are replayed on null markets, where everything fires; heads, consensus and replay on
    the busiest window of ``market``. Rates outside their declared range and declared inputs that
    never mattered are warnings: they may be a property of the data.
    """
    suite = suite or Suite()
    size = size or CheckSize()
    votes = suite.votes(market) if votes is None else votes
    part = window(market, *busiest_window(votes, size.rows))
    names = [head.name for head in suite.heads]
    rows = indicator_rows(suite) + null_rows_of(suite) if with_indicators else []
    rows += grouped(
        check_subject_prefix(
            suite.path_rows,
            part,
            event_cuts=size.event_cuts,
            other_cuts=size.other_cuts,
            lacking="warning",
        )
        + check_subject_poison(suite.path_rows, part, count=size.futures, lacking="warning")
        + _long_rows(suite, market, size.long_cuts)
        + check_timeframe_rebuild(
            suite.vote_rows,
            fine_bars_of(part.bars),
            part.series,
            part.bars.timeframe,
            panels=part.panels,
            clock_builder=suite.clock_builder,
            count=size.rebuilds,
        )
        + check_head_inputs(
            suite.head_rows, suite.heads, suite.by_name, [part, part, part], lacking="warning"
        )
        + check_path_start(suite, market),
        names,
    )
    case = suite.replay_case(part, suite.consensus_rows(part))
    rows += check_replay_timing(case, replay_function=suite.replay_function)
    count = FiringCount()
    count.add_votes(votes, suite.heads)
    count.add_signals(suite.signal_rows(market), suite.indicators)
    rows += vacuity_rows(count, expected_rates(suite.indicators, suite.heads), severity="warning")
    prefix = f"{name}: " if name else ""
    return CheckReport(tuple(replace(row, subject=prefix + row.subject) for row in rows))


def indicator_rows(suite: Suite) -> list[CheckRow]:
    """Prefix replay, poison, start dependence and inputs of every listed indicator, on null markets.

    Each runs with its default parameters and with those that a head or a column uses.
    """
    market = null_market(CASE_ROWS, FIRST_SEED)
    cases = indicator_cases(suite.indicators, suite.heads, market, suite.features)
    rows = check_indicator_prefix(cases, event_cuts=100, other_cuts=60)
    rows += check_indicator_poison(cases)
    rows += check_start(cases)
    rows += check_indicator_inputs(cases)
    return grouped(rows, [case.name for case in cases])


def event_rows(heads: Iterable[Head]) -> list[CheckRow]:
    """Every detector, with its defaults and as ``heads`` use it, on a null market; a row for each."""
    wanted = (one for head in heads for one in head.detections().values())
    cases = detector_cases(DETECTORS, wanted)
    return grouped(check_detectors(cases), [case.name for case in cases])


def check_own_indicators(config: RunConfig) -> CheckReport:
    """The checks of indicators on those of the user's own that ``config`` names; no data are needed.

    One that breaks its contract is not looked at any further. Raises ConfigError where no file is named.
    """
    suite = own_suite(config)
    rows = contract_rows(suite)
    if all(row.passed for row in rows):
        rows += indicator_rows(suite)
    return CheckReport(tuple(rows))


def null_rows_of(suite: Suite) -> list[CheckRow]:
    """The random-walk null of every signal, reason, head, of the consensus and the replay.

    The consensus takes part with lowered thresholds, so that it fires. Detectors too rare for a
    verdict are warnings here; the test suite gives them more walks.
    """
    rules = replace(LOWERED, weights=suite.consensus_rules.weights)
    lowered = replace(suite, consensus_rules=rules, exit_on_flat=True)
    return null_sample(lowered, more_walks=0).null_rows()


def _long_rows(suite: Suite, market: Market, count: int) -> list[CheckRow]:
    """Prefixes of the whole data at a few places: leaks that need a long sample to show."""
    total = len(market.bars)
    cuts = sorted({total * step // (count + 1) for step in range(1, count + 1)} - {0})
    whole = suite.path_rows(market)
    failures = prefix_failures(lambda cut: suite.path_rows(market.prefix(cut)), whole, cuts)
    return subject_rows("prefix", whole, failures, {}, f"{len(cuts)} prefixes of {total} bars")


def check_replay_case(case: ReplayCase) -> list[CheckRow]:
    """Prefix and timing of one replay, as a run makes it."""
    return check_replay_prefix(case) + check_replay_timing(case)


def check_lookahead(
    config: RunConfig,
    store: Store,
    *,
    size: CheckSize | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> CheckReport:
    """Look for look-ahead in everything that ``config`` would run on the data of ``store``.

    The run itself is made once, without writing it; its decisions are replayed again under the
    timing checks, and each of its markets goes through :func:`run_checks`. With ``targets`` of the
    user there are no heads to check: only the replay is. ``progress`` hears what is checked next.
    """
    from ..pipeline import run

    made = run(config, store=store, runs=None, progress=progress)
    case = ReplayCase(
        panel=made.panel,
        decisions=made.decisions,
        funding=made.data.funding,
        rules=config.rules(),
        fine=made.data.fine,
        symbol_rules=config.rules_of_symbols(),
    )
    progress("checking the replay of these decisions")
    rows = list(check_replay_case(case))
    if config.targets is not None:
        return CheckReport(tuple(rows))
    indicators = indicators_of(config)
    voting = config.heads.instances(indicators)
    heads = tuple(head for head in voting if head.name in config.heads.enabled)
    own = own_suite(config) if config.indicators else None
    suite = Suite(
        indicators=tuple(indicators.values()),
        heads=heads,
        features=() if own is None else own.features,
        consensus_rules=config.consensus.rules(),
        replay_rules=config.rules(),
        exit_on_flat=config.consensus.exit_on_flat,
        hold_bars=config.consensus.hold_bars,
    )
    progress(f"checking {counted(len(indicators), 'indicator')}: prefixes, poison, starts, inputs")
    rows += indicator_rows(suite)
    progress("checking every detector, and everything on random walks")
    rows += event_rows(heads) + null_rows_of(suite)
    rows += [] if own is None else contract_rows(own)
    markets = made.data.markets
    for symbol, market in markets.items():
        progress(f"{symbol}: checking {counted(len(heads), 'head')}, the consensus and the replay")
        report = run_checks(
            market,
            suite,
            votes=made.votes[symbol] if len(heads) == len(made.votes[symbol].names) else None,
            size=size,
            with_indicators=False,
            name=symbol if len(markets) > 1 else "",
        )
        rows += report.rows
    return CheckReport(tuple(rows))
