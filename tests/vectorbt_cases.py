"""Cases that vectorbt can express too: why each restriction is there stands beside it.

Everywhere: no missing bars, late listings or delistings (vectorbt drops an order there, the replay
carries it or closes), targets that add up to at most 0.8 of equity and bars that move by half a per
cent or so (vectorbt cannot owe cash), every position closed by a decision before the data end (the
replay closes what is left, vectorbt leaves it open).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from engine import (
    HOUR_NS,
    STYLES,
    Bool2D,
    Costs,
    Decisions,
    Exits,
    Float2D,
    Limits,
    Margin,
    MarkPrices,
    Panel,
    ReplayRules,
    Sizing,
    SymbolRules,
)
from tests.generators import START_NS

MOST_INVESTED = 0.8
LEAST_RATIO = 1.5
"""Between targets on one side: an increase then never wants less than prices made of the position."""
LEAST_DISTANCE = 0.006
"""Of a stop or target from the entry: three times the range of a narrow bar."""
MOST_CELLS = 72
"""Bars times symbols: Hypothesis prints a case that fails, and refuses to print a larger one."""
LOT = 2.0**-10
"""vectorbt divides by the lot without tolerance: exact only for powers of two."""


@dataclass(frozen=True)
class OrderCase:
    """Targets, and the same as shares of equity on the rows in which they fill (NaN: no order)."""

    panel: Panel
    decisions: Decisions
    rules: ReplayRules
    symbol_rules: dict[str, SymbolRules]
    share_of_equity: Float2D


@dataclass(frozen=True)
class SignalCase:
    """Entries and exits with stops; the arrays ``(T, S)`` are on the rows in which orders fill."""

    panel: Panel
    decisions: Decisions
    rules: ReplayRules
    long_entries: Bool2D
    short_entries: Bool2D
    exits: Bool2D
    stop_distance: Float2D
    target_distance: Float2D
    share_of_equity: Float2D


@st.composite
def order_cases(draw: st.DrawFn) -> OrderCase:
    """Entries, resizes, reversals and exits in every style, sized by fraction or volatility."""
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    symbols = draw(st.integers(1, 3))
    rows = draw(st.integers(3, MOST_CELLS // symbols))
    panel = _panel(generator, rows, symbols, jump=0.003, reach=0.003)
    if draw(st.booleans()):
        panel = replace(panel, mark=_mark(generator, panel))
    largest = MOST_INVESTED / symbols
    by_volatility = draw(st.booleans())
    volatility = generator.uniform(0.5, 0.55, size=panel.open.shape)
    unit = largest * draw(st.sampled_from([0.2, 1.0]))
    acts = generator.random(panel.open.shape) < draw(st.sampled_from([0.1, 0.4, 0.9]))
    styled = draw(st.booleans())
    decisions, wanted = _styled_targets(generator, acts, volatility, styled=styled)
    scale = unit * 0.5 / volatility if by_volatility else np.full(panel.open.shape, unit)
    share = np.full(panel.open.shape, np.nan)
    share[1:] = (wanted * scale)[:-1]
    rules = ReplayRules(
        initial_cash=draw(st.sampled_from([1_000.0, 100_000.0])),
        costs=_costs(draw),
        exits=Exits(stop_atr=None),
        sizing=Sizing(
            method="volatility" if by_volatility else "fraction",
            position_fraction=unit,
            volatility_target=unit * 0.5,
        ),
        limits=Limits(max_gross=4.0),
        margin=Margin(mode=draw(st.sampled_from(["cross", "isolated"]))),
    )
    lot = draw(st.sampled_from([0.0, LOT]))
    lots = {symbol: SymbolRules(lot_step=lot) for symbol in panel.symbols}
    return OrderCase(panel, decisions, rules, lots, share)


@st.composite
def signal_cases(draw: st.DrawFn, *, reverses: bool) -> SignalCase:
    """Entries and exits beside a stop, a target, or a stop that trails.

    vectorbt ranks the stop of a bar before its signal, the replay the order at the open before the
    level inside the bar. A bar in which an order may fill is therefore flat, and in a case that
    reverses it opens at the last close, which the stop has survived; an entry bar may have a range
    narrower than any distance, unless the stop trails (vectorbt leaves its entry bar out).
    """
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    symbols = draw(st.integers(1, 3)) if reverses else 1
    rows = draw(st.integers(4, MOST_CELLS // symbols))
    panel = _panel(generator, rows, symbols, jump=0.002, reach=0.005)
    trails = not reverses and draw(st.booleans())
    rate = draw(st.sampled_from([0.1, 0.3]))
    side, entry, exit_ = _signals(generator, panel.open.shape, rate, reverses=reverses)
    enters, leaves = _next_row(entry), _next_row(exit_)
    narrow = enters & ~leaves & (not (trails or reverses))
    panel = _quiet(generator, panel, (enters | leaves) & ~narrow, narrow, at_last_close=reverses)
    ends_by_style = exit_ & (generator.random(entry.shape) < 0.5) & (not reverses)
    atr_frac = generator.uniform(LEAST_DISTANCE, 0.02, size=entry.shape)
    decisions = Decisions(
        target=np.where(entry, side, 0.0),
        acts=entry | exit_,
        atr_frac=atr_frac,
        style=np.where(
            ends_by_style,
            np.where(side > 0, STYLES.index("exit_long"), STYLES.index("exit_short")),
            STYLES.index("target"),
        ).astype(np.int8),
    )
    exits, stop, target = _levels(draw, atr_frac, trails=trails)
    largest = MOST_INVESTED / symbols * draw(st.sampled_from([0.2, 1.0]))
    by_risk = draw(st.booleans())
    rules = ReplayRules(
        initial_cash=10_000.0,
        costs=_costs(draw),
        exits=exits,
        sizing=Sizing(
            method="risk" if by_risk else "fraction",
            position_fraction=largest,
            risk_frac=largest * LEAST_DISTANCE,
        ),
        limits=Limits(max_gross=4.0),
        margin=Margin(mode="cross"),
    )
    share = largest * LEAST_DISTANCE / stop if by_risk else np.full(entry.shape, largest)
    return SignalCase(
        panel,
        decisions,
        rules,
        long_entries=enters & (_next_row(side) > 0),
        short_entries=enters & (_next_row(side) < 0),
        exits=leaves,
        stop_distance=_next_row(stop),
        target_distance=_next_row(target),
        share_of_equity=_next_row(share),
    )


def _levels(draw: st.DrawFn, atr_frac: Float2D, *, trails: bool) -> tuple[Exits, Float2D, Float2D]:
    """Exits, and the distances of stop and target (NaN for none) that each row gives an entry."""
    by_range = not trails and draw(st.booleans())
    if by_range:
        multiple = draw(st.sampled_from([1.0, 1.5, 3.0]))
        stop = multiple * atr_frac
        given: dict[str, float | None] = {"stop_atr": multiple}
    else:
        fraction = draw(st.sampled_from([LEAST_DISTANCE, 0.01, 0.03]))
        stop = np.full(atr_frac.shape, fraction)
        given = {
            "stop_atr": None,
            "stop_frac": fraction,
            "trail_frac": fraction if trails else None,
        }
    kind = draw(st.sampled_from(["none", "take_profit_frac", "take_profit_atr", "take_profit_r"]))
    amount = draw(st.sampled_from([1.0, 2.0]))
    if kind == "take_profit_frac":
        amount *= LEAST_DISTANCE
    if kind != "none":
        given[kind] = amount
    unit = {
        "none": np.nan,
        "take_profit_frac": 1.0,
        "take_profit_atr": atr_frac,
        "take_profit_r": stop,
    }
    return Exits(**given), stop, amount * unit[kind] * np.ones(atr_frac.shape)


def _signals(
    generator: np.random.Generator, shape: tuple[int, int], rate: float, *, reverses: bool
) -> tuple[Float2D, Bool2D, Bool2D]:
    """The side of each row, constant for some rows on end; where it enters; where it leaves."""
    side = np.empty(shape)
    changes = generator.random(shape) < 0.15
    now = generator.choice([-1.0, 1.0], size=shape[1])
    for t in range(shape[0]):
        now = np.where(changes[t], -now, now)
        side[t] = now
    entry = generator.random(shape) < rate
    exit_ = (generator.random(shape) < 0.1) & ~entry
    if not reverses:
        # A row before the other side leaves first: percentages cannot reverse in vectorbt.
        turn = side != np.vstack([side[1:], side[-1:]])
        entry, exit_ = entry & ~turn, exit_ | turn
    entry[-2:], exit_[-2], exit_[-1] = False, True, False
    return side, entry, exit_


def _next_row(column: Any) -> Any:
    """``column`` one bar on: where an order decided there fills."""
    return np.vstack([np.zeros_like(column[:1]), column[:-1]])


def _costs(draw: st.DrawFn) -> Costs:
    return Costs(
        taker_fee_bps=draw(st.sampled_from([0.0, 5.0, 60.0])),
        slippage_bps=draw(st.sampled_from([0.0, 2.0, 10.0])),
    )


def _panel(
    generator: np.random.Generator, rows: int, symbols: int, *, jump: float, reach: float
) -> Panel:
    shape = (rows, symbols)
    close = 100.0 * np.exp(np.cumsum(0.005 * generator.standard_normal(shape), axis=0))
    before = np.vstack([np.full((1, symbols), 100.0), close[:-1]])
    open_ = before * np.exp(
        np.where(generator.random(shape) < 0.5, jump, 0.0) * generator.standard_normal(shape)
    )
    reaches = np.exp(reach * generator.exponential(size=(2, *shape)))
    return Panel(
        symbols=tuple(f"S{index}" for index in range(symbols)),
        timeframe="1h",
        open_time=START_NS + HOUR_NS * np.arange(rows),
        open=open_,
        high=np.maximum(open_, close) * reaches[0],
        low=np.minimum(open_, close) / reaches[1],
        close=close,
        listed=np.ones(shape, dtype=np.bool_),
        is_gap=np.zeros(shape, dtype=np.bool_),
    )


def _mark(generator: np.random.Generator, panel: Panel) -> MarkPrices:
    basis = 1 + 0.002 * generator.standard_normal(panel.open.shape)
    return MarkPrices(
        open=panel.open * basis,
        high=panel.high * basis,
        low=panel.low * basis,
        close=panel.close * basis,
    )


def _quiet(
    generator: np.random.Generator,
    panel: Panel,
    flat: Bool2D,
    narrow: Bool2D,
    *,
    at_last_close: bool,
) -> Panel:
    """``panel`` with some bars at one price and some within a fifth of a per cent of their open."""
    before = np.vstack([panel.open[:1], panel.close[:-1]])
    close = np.where(
        narrow, panel.open * (1 + 0.001 * generator.uniform(-1, 1, size=flat.shape)), panel.close
    )
    open_ = panel.open
    for t in range(len(panel)):
        if at_last_close:
            previous = close[t - 1] if t else before[0]
            open_ = np.where((np.arange(len(panel)) == t)[:, None] & flat, previous, open_)
        close[t] = np.where(flat[t], open_[t], close[t])
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    wide = ~(flat | narrow)
    return replace(
        panel,
        open=open_,
        close=close,
        high=np.where(wide, np.maximum(panel.high, top), top * np.where(narrow, 1.0005, 1.0)),
        low=np.where(wide, np.minimum(panel.low, bottom), bottom / np.where(narrow, 1.0005, 1.0)),
    )


def _styled_targets(
    generator: np.random.Generator, acts: Bool2D, volatility: Float2D, *, styled: bool
) -> tuple[Decisions, Float2D]:
    """Random decisions, and the target that each row leads to (NaN where it changes nothing)."""
    rows, symbols = acts.shape
    acts = acts.copy()
    acts[-1], acts[-2] = False, True
    style = generator.choice(4 if styled else 1, size=acts.shape).astype(np.int8)
    target = generator.choice([-1.0, -0.6, -0.25, 0.0, 0.25, 0.6, 1.0], size=acts.shape)
    style[-2], target[-2] = STYLES.index("target"), 0.0
    wanted = np.full(acts.shape, np.nan)
    for s in range(symbols):
        held = 0.0
        for t in range(rows - 1):
            if not acts[t, s]:
                continue
            goal = _goal(STYLES[style[t, s]], target[t, s], held)
            if goal * held > 0 and goal != held and _too_near(goal, held):
                acts[t, s] = False
            elif goal != held:
                wanted[t, s] = held = goal
    decisions = Decisions(
        target=target,
        acts=acts,
        atr_frac=np.full(acts.shape, 0.01),
        style=style if styled else None,
        volatility=volatility,
    )
    return decisions, wanted


def _goal(style: str, target: float, held: float) -> float:
    if style == "target":
        return target
    if style == "add":
        return float(np.clip(held + target, -1.0, 1.0)) if held * target >= 0 else target
    leaves = held > 0 if style == "exit_long" else held < 0
    return 0.0 if leaves else held


def _too_near(goal: float, held: float) -> bool:
    ratio = goal / held
    return max(ratio, 1 / ratio) < LEAST_RATIO
