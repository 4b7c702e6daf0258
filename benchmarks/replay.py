"""One replay of a million bars against vectorbt's, with the same decisions, fees and slippage."""

import numpy as np

from engine import HOUR_NS, MINUTE_NS, Decisions, Funding, Panel, ReplayRules, replay

from .timing import timed, timed_pair

BARS = 1_000_000


def _panel(bars: int) -> Panel:
    generator = np.random.default_rng(1)
    close = 100.0 * np.exp(np.cumsum(0.0008 * generator.standard_normal(bars)))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = 1.0 + 0.0004 * generator.exponential(size=bars)
    columns = {
        "open": open_,
        "high": np.maximum(open_, close) * reach,
        "low": np.minimum(open_, close) / reach,
        "close": close,
    }
    return Panel(
        symbols=("A",),
        timeframe="1m",
        open_time=1_600_000_020_000_000_000 // MINUTE_NS * MINUTE_NS + MINUTE_NS * np.arange(bars),
        listed=np.ones((bars, 1), dtype=bool),
        is_gap=np.zeros((bars, 1), dtype=bool),
        **{name: column[:, None] for name, column in columns.items()},
    )


def _crossings(close: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Target sides and acting rows of a 20/100 moving-average cross."""
    sums = np.concatenate(([0.0], np.cumsum(close)))
    fast = np.full(len(close), np.nan)
    slow = np.full(len(close), np.nan)
    fast[19:] = (sums[20:] - sums[:-20]) / 20
    slow[99:] = (sums[100:] - sums[:-100]) / 100
    side = np.where(fast > slow, 1.0, -1.0)
    side[:99] = 0.0
    acts = np.concatenate(([False], side[1:] != side[:-1]))
    return side, acts


def figures() -> dict[str, float]:
    """Seconds, bars per second and ratios; vectorbt has neither funding nor ATR stops."""
    import vectorbt as vbt

    panel = _panel(BARS)
    side, acts = _crossings(panel.close[:, 0])
    decisions = Decisions(
        target=side[:, None].copy(), acts=acts[:, None].copy(), atr_frac=np.full((BARS, 1), 0.002)
    )
    plain = ReplayRules(stop_atr=None, position_fraction=1.0)
    stops = ReplayRules(stop_atr=3.0, take_profit_atr=6.0, position_fraction=1.0)
    settlements = panel.open_time[:: 8 * HOUR_NS // MINUTE_NS]
    funding = Funding(
        time_ns=settlements,
        symbol_index=np.zeros(len(settlements), dtype=np.int64),
        rate=np.full(len(settlements), 1e-4),
        mark_price=np.zeros(len(settlements)),
    )
    # vectorbt decides on the previous row and fills at this row's open, as the replay does.
    shifted_side = np.concatenate(([0.0], side[:-1]))
    shifted_acts = np.concatenate(([False], acts[:-1]))
    long_entries = shifted_acts & (shifted_side > 0)
    short_entries = shifted_acts & (shifted_side < 0)

    def theirs(**stops: float) -> object:
        return vbt.Portfolio.from_signals(
            panel.close[:, 0],
            entries=long_entries,
            short_entries=short_entries,
            price=panel.open[:, 0],
            open=panel.open[:, 0],
            high=panel.high[:, 0],
            low=panel.low[:, 0],
            fees=0.0005,
            slippage=0.0002,
            init_cash=100_000.0,
            **stops,
        ).value()

    ours, peer = timed_pair(lambda: replay(panel, decisions, Funding.none(), plain), theirs, runs=3)
    ours_stops, peer_stops = timed_pair(
        lambda: replay(panel, decisions, funding, stops),
        lambda: theirs(sl_stop=0.006, tp_stop=0.012),
        runs=3,
    )
    without = timed(lambda: replay(panel, decisions, Funding.none(), stops), runs=5)
    with_funding = timed(lambda: replay(panel, decisions, funding, stops), runs=5)
    return {
        "million_bars_s": ours.best_s,
        "bars_per_s": BARS / ours.best_s,
        "vectorbt_million_bars_s": peer.best_s,
        "faster_than_vectorbt_times": peer.best_s / ours.best_s,
        "with_stops_and_funding_s": ours_stops.best_s,
        "faster_than_vectorbt_with_stops_times": peer_stops.best_s / ours_stops.best_s,
        "funding_on_over_off_times": with_funding.best_s / without.best_s,
    }
