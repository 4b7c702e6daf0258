"""Random replays: panels with late listings and gaps, decisions, settlements and rules."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from engine import Decisions, Funding, Panel, ReplayRules
from tests.generators import random_bars


@dataclass(frozen=True)
class ReplayCase:
    """Everything that one replay needs."""

    panel: Panel
    decisions: Decisions
    funding: Funding
    rules: ReplayRules


def random_panel(rows: int, symbols: int, seed: int, *, wildness: float = 1.0) -> Panel:
    """Symbols that list and delist at different bars, with missing bars; ``wildness`` scales ranges."""
    generator = np.random.default_rng(seed)
    by_symbol = {}
    for index in range(symbols):
        bars = random_bars(rows, seed * 31 + index, gap_share=0.06)
        if wildness != 1.0:
            log_close = np.log(bars.close) * wildness
            close = np.exp(log_close - log_close[0]) * 100.0
            open_ = np.concatenate(([100.0], close[:-1]))
            open_ = np.where(
                generator.random(rows) < 0.2,
                open_ * np.exp(0.02 * generator.standard_normal(rows)),
                open_,
            )
            open_ = np.where(bars.is_gap, close, open_)
            reach = np.where(bars.is_gap, 0.0, 0.01 * generator.exponential(size=rows))
            bars = replace(
                bars,
                open=open_,
                close=close,
                high=np.maximum(open_, close) * (1 + reach),
                low=np.minimum(open_, close) * np.exp(-reach),
                quote_volume=None,
                taker_buy_quote=None,
            )
        first = int(generator.integers(0, max(1, rows // 3))) if index else 0
        last = int(generator.integers(2 * rows // 3, rows + 1)) if index else rows
        keep = slice(first, max(last, first + 1))
        columns = {
            name: getattr(bars, name)[keep]
            for name in ("open_time", "open", "high", "low", "close", "volume", "is_gap")
        }
        by_symbol[f"S{index}"] = replace(
            bars, trades=None, taker_buy_volume=None, quote_volume=None, taker_buy_quote=None,
            **columns,
        )  # fmt: skip
    return Panel.from_bars(by_symbol)


def random_decisions(panel: Panel, seed: int, rate: float) -> Decisions:
    """Acting rows at ``rate`` with whole and fractional targets."""
    generator = np.random.default_rng(seed + 1)
    shape = panel.open.shape
    acts = (generator.random(shape) < rate) & panel.listed
    return Decisions(
        target=generator.choice([-1.0, -0.4, 0.0, 0.3, 1.0], size=shape),
        acts=acts,
        atr_frac=0.004 + 0.03 * generator.random(shape),
    )


def random_funding(panel: Panel, seed: int, *, mark_share: float = 0.3) -> Funding:
    """Settlements at opens and inside bars, some with a mark price, some outside the panel."""
    generator = np.random.default_rng(seed + 2)
    count = max(1, len(panel) // 4)
    span = (panel.open_time[0] - panel.step_ns, panel.open_time[-1] + 2 * panel.step_ns)
    on_grid = panel.open_time[generator.integers(0, len(panel), size=count)]
    anywhere = generator.integers(*span, size=count)
    times = np.where(generator.random(count) < 0.7, on_grid, anywhere)
    symbols = generator.integers(0, len(panel.symbols), size=count)
    order = np.argsort(times, kind="stable")
    return Funding(
        time_ns=times[order].astype(np.int64),
        symbol_index=symbols[order].astype(np.int64),
        rate=generator.normal(1e-4, 1e-3, size=count),
        mark_price=np.where(
            generator.random(count) < mark_share, 90 + 20 * generator.random(count), 0.0
        ),
    )


@st.composite
def replay_cases(draw: st.DrawFn) -> ReplayCase:
    """Cases over every rule: stops or none, targets or none, time stops, leverage up to ruin."""
    seed = draw(st.integers(0, 10**6))
    rows = draw(st.integers(2, 90))
    panel = random_panel(
        rows, draw(st.integers(1, 4)), seed, wildness=draw(st.sampled_from([1.0, 3.0, 8.0]))
    )
    stop = draw(st.none() | st.floats(0.2, 4.0))
    fraction = draw(st.sampled_from([0.1, 0.5, 1.0, 4.0]))
    rules = ReplayRules(
        initial_cash=draw(st.sampled_from([1000.0, 100_000.0])),
        position_fraction=fraction,
        max_gross_leverage=fraction * draw(st.sampled_from([1.0, 1.5, 4.0])),
        taker_fee_bps=draw(st.sampled_from([0.0, 5.0, 60.0])),
        slippage_bps=draw(st.sampled_from([0.0, 2.0, 50.0])),
        stop_atr=stop,
        take_profit_atr=draw(st.none() | st.floats(0.2, 4.0)),
        time_stop_bars=draw(st.none() | st.integers(1, 12)),
        time_stop_max_r=draw(st.none() | st.floats(-1.0, 1.0)) if stop is not None else None,
    )
    return ReplayCase(
        panel,
        random_decisions(panel, seed, draw(st.sampled_from([0.05, 0.3, 0.9]))),
        random_funding(panel, seed),
        rules,
    )
