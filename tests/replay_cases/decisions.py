"""Random decisions and settlements on a panel."""

import numpy as np

from engine import Decisions, Funding, Panel

TARGETS = (-1.0, -0.5, 0.0, 0.25, 0.5, 1.0)


def random_decisions(
    panel: Panel,
    seed: int,
    rate: float,
    *,
    has_styles: bool = False,
    has_kinds: bool = False,
    reach: float = 0.01,
    limit_share: float = 0.4,
    is_coarse: bool = False,
) -> Decisions:
    """Acting rows at ``rate`` with whole and fractional targets.

    Prices of limit and stop orders lie within ``reach`` of the close, on both sides.
    """
    generator = np.random.default_rng(seed + 1)
    shape = panel.open.shape
    acts = generator.random(shape) < rate
    target = generator.choice(TARGETS, size=shape)
    if is_coarse:
        atr_frac = generator.choice([1 / 16, 1 / 8, 1 / 4], size=shape)
        price = np.maximum(panel.close + generator.integers(-4, 5, size=shape), 0.5)
    else:
        atr_frac = reach * (0.2 + generator.random(shape))
        price = panel.close * np.exp(reach * generator.uniform(-2.5, 2.5, size=shape))
    unknown = (generator.random(shape) < 0.2) & ~(acts & (target != 0))
    kinds = generator.choice([0, 1, 2], p=[0.8 - limit_share, limit_share, 0.2], size=shape)
    styles = generator.choice([0, 1, 2, 3], p=[0.4, 0.3, 0.15, 0.15], size=shape)
    return Decisions(
        target=np.where(acts, target, np.nan),
        acts=acts,
        atr_frac=np.where(unknown, np.nan, atr_frac),
        style=styles.astype(np.int8) if has_styles else None,
        order_kind=kinds.astype(np.int8) if has_kinds else None,
        order_price=np.where(kinds > 0, price, np.nan) if has_kinds else None,
        volatility=generator.choice([0.25, 0.5, 1.0, 2.0], size=shape),
    )


def random_funding(
    panel: Panel,
    seed: int,
    *,
    mark_share: float = 0.3,
    sub_step_ns: int | None = None,
    heavy: float = 1.0,
) -> Funding:
    """Settlements at opens and inside bars, some with a mark price, some outside the panel.

    Rates of about 0.3 % are ``heavy`` times that, to move margins.
    """
    generator = np.random.default_rng(seed + 2)
    count = max(1, len(panel) // 3)
    step = panel.step_ns if sub_step_ns is None else sub_step_ns
    start, stop = int(panel.open_time[0]), int(panel.open_time[-1]) + panel.step_ns
    on_grid = start + step * generator.integers(-1, (stop - start) // step + 1, size=count)
    anywhere = generator.integers(start - step, stop + step, size=count)
    times = np.where(generator.random(count) < 0.7, on_grid, anywhere)
    times = np.repeat(np.sort(times), generator.integers(1, 3, size=count))
    marks = panel.close[0, 0] * (0.9 + 0.2 * generator.random(len(times)))
    return Funding(
        time_ns=times.astype(np.int64),
        symbol_index=generator.integers(0, len(panel.symbols), size=len(times)),
        rate=heavy * generator.normal(1e-4, 3e-3, size=len(times)),
        mark_price=np.where(generator.random(len(times)) < mark_share, marks, 0.0),
    )
