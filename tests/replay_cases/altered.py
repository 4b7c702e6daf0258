"""Cases made of other cases: columns in another order, other units, another future, locked arrays."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from engine import PRICE_COLUMNS, Funding, MarkPrices, Panel, SymbolRules

from .case import ReplayCase

ArrayChange = Callable[[str, Any], Any]
"""From an array's name and the array to another array."""


def with_arrays(owner: Any, change: ArrayChange) -> Any:
    """A dataclass with each of its arrays changed; None stays None."""
    if owner is None:
        return None
    arrays = {
        item.name: change(item.name, value)
        for item in fields(owner)
        if isinstance(value := getattr(owner, item.name), np.ndarray)
    }
    return replace(owner, **arrays)


def with_prices(panel: Panel, change: ArrayChange) -> Panel:
    """A panel with its arrays and those of its mark changed."""
    changed: Panel = replace(with_arrays(panel, change), mark=with_arrays(panel.mark, change))
    return changed


def permuted(case: ReplayCase, order: np.ndarray) -> ReplayCase:
    """The same market with column ``order[k]`` in place of column ``k``."""

    def moved(name: str, array: Any) -> Any:
        return array[:, order].copy() if array.ndim == 2 else array

    def turned(panel: Panel) -> Panel:
        symbols = tuple(panel.symbols[column] for column in order)
        return replace(with_prices(panel, moved), symbols=symbols)

    return replace(
        case,
        panel=turned(case.panel),
        fine=None if case.fine is None else turned(case.fine),
        decisions=with_arrays(case.decisions, moved),
        funding=_by_other_columns(case.funding, order),
        symbol_rules=dict(reversed(case.symbol_rules.items())),
    )


def _by_other_columns(funding: Funding, order: np.ndarray) -> Funding:
    """The same events by the columns' other numbers; those of one time in the order of these."""
    column_of = np.argsort(order)
    symbol = column_of[funding.symbol_index]
    by_time = np.lexsort((symbol, funding.time_ns))
    moved: Funding = with_arrays(
        replace(funding, symbol_index=symbol), lambda name, array: array[by_time]
    )
    return moved


def in_other_units(case: ReplayCase, factor: float) -> ReplayCase:
    """All prices times ``factor``; quantities such that every notional stays what it is.

    Ticks go with the prices, lots and volumes with the quantities.
    """
    amount = factor if case.rules.margin.contract == "inverse" else 1 / factor
    factors = {"volume": amount, "order_price": factor, "mark_price": factor}
    factors |= dict.fromkeys(PRICE_COLUMNS, factor)

    def scaled(name: str, array: Any) -> Any:
        return array * factors[name] if name in factors else array

    return replace(
        case,
        panel=with_prices(case.panel, scaled),
        fine=None if case.fine is None else with_prices(case.fine, scaled),
        decisions=with_arrays(case.decisions, scaled),
        funding=with_arrays(case.funding, scaled),
        symbol_rules={
            name: replace(rule, tick_size=rule.tick_size * factor, lot_step=rule.lot_step * amount)
            for name, rule in case.symbol_rules.items()
        },
    )


def without_rounding(case: ReplayCase) -> ReplayCase:
    """The same case without ticks, lots and least notionals; sectors stay."""
    return replace(
        case,
        symbol_rules={
            name: SymbolRules(sector=rule.sector) for name, rule in case.symbol_rules.items()
        },
    )


def without_decisions(case: ReplayCase) -> ReplayCase:
    """The same case with no row that acts."""
    return replace(case, decisions=replace(case.decisions, acts=np.zeros_like(case.decisions.acts)))


def sub_bar_count(case: ReplayCase) -> int:
    """Finer bars in one bar, 1 without them."""
    return 1 if case.fine is None else len(case.fine) // len(case.panel)


def prefix_of(case: ReplayCase, count: int) -> ReplayCase:
    """The first ``count`` bars; settlements beyond them stay."""
    return replace(
        case,
        panel=case.panel.prefix(count),
        decisions=case.decisions.prefix(count),
        fine=None if case.fine is None else case.fine.prefix(count * sub_bar_count(case)),
    )


def poisoned(case: ReplayCase, first: int, seed: int) -> ReplayCase:
    """The same market before bar ``first``, the same decisions before the close ahead of it; then others.

    The listing stays: whether a symbol goes on is known at the last close.
    """
    generator = np.random.default_rng(seed)
    count = sub_bar_count(case)

    def other(start: int) -> ArrayChange:
        def change(name: str, array: Any) -> Any:
            if name == "is_gap":
                later = generator.random(array[start:].shape) < 0.4
            elif name == "volume":
                later = generator.exponential(1.0, array[start:].shape)
            else:
                return array
            return np.concatenate((array[:start], later))

        return change

    def garbled(panel: Panel, start: int) -> Panel:
        garbage = _garbage(panel, start, generator)
        mark = panel.mark and replace(panel.mark, **_garbage(panel.mark, start, generator))
        return with_arrays(replace(panel, mark=mark, **garbage), other(start))

    panel, fine = garbled(case.panel, first), case.fine
    if fine is not None:
        fine = garbled(fine, first * count)
        panel = panel.rebuilt_from(fine)
    return replace(
        case,
        panel=panel,
        fine=fine,
        decisions=_other_decisions(case, first - 1, generator),
        funding=_other_funding(case, int(case.panel.open_time[first])),
    )


def _garbage(
    prices: Panel | MarkPrices, start: int, generator: np.random.Generator
) -> dict[str, Any]:
    """Prices of other heights from row ``start`` on."""
    shape = prices.open[start:].shape
    low, inner, other, high = np.sort(generator.exponential(300.0, (4, *shape)) + 0.01, axis=0)
    later = {"open": inner, "high": high, "low": low, "close": other}
    return {name: np.concatenate((getattr(prices, name)[:start], later[name])) for name in later}


def _other_decisions(case: ReplayCase, first: int, generator: np.random.Generator) -> Any:
    """Every row from ``first`` on acts, on something else."""
    shape = case.decisions.target[first:].shape
    targets = generator.choice([-1.0, -0.75, 0.125, 1.0], size=shape)
    later: dict[str, Any] = {
        "target": targets,
        "acts": np.ones(shape, dtype=np.bool_),
        "atr_frac": generator.uniform(0.001, 0.5, shape),
        "style": generator.integers(0, 4, shape).astype(np.int8),
        "order_kind": generator.integers(0, 3, shape).astype(np.int8),
        "order_price": generator.exponential(300.0, shape) + 0.01,
        "volatility": generator.uniform(0.1, 3.0, shape),
    }
    return with_arrays(
        case.decisions, lambda name, array: np.concatenate((array[:first], later[name]))
    )


def _other_funding(case: ReplayCase, start_ns: int) -> Funding:
    """Settlements from ``start_ns`` on turned and multiplied."""
    later = case.funding.time_ns >= start_ns
    return replace(
        case.funding,
        rate=np.where(later, -7.0 * case.funding.rate + 0.01, case.funding.rate),
        mark_price=np.where(later, 321.0, case.funding.mark_price),
    )


def locked(case: ReplayCase) -> ReplayCase:
    """The same case in arrays that cannot be written to."""

    def read_only(name: str, array: Any) -> Any:
        copied = array.copy()
        copied.flags.writeable = False
        return copied

    return replace(
        case,
        panel=with_prices(case.panel, read_only),
        fine=None if case.fine is None else with_prices(case.fine, read_only),
        decisions=with_arrays(case.decisions, read_only),
        funding=with_arrays(case.funding, read_only),
    )


def arrays_of(case: ReplayCase) -> Iterator[tuple[str, Any]]:
    """Every array of a case, with a name that tells where it stands."""
    owners = {"panel": case.panel, "decisions": case.decisions, "funding": case.funding}
    if case.fine is not None:
        owners |= {"fine": case.fine}
    for where, owner in owners.items():
        marks = getattr(owner, "mark", None)
        for part, held in ((where, owner), (f"{where}.mark", marks)):
            for item in fields(held) if held is not None else ():
                if isinstance(array := getattr(held, item.name), np.ndarray):
                    yield f"{part}.{item.name}", array
