"""From what a caller gives to what the kernels take: name order, sub-bars, payments, rules as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .._limit_tables import sector_numbers
from ..arrays import Float2D, Int1D, Records1D
from ..bars import PRICE_COLUMNS
from ..decisions import Funding
from ..errors import ContractError
from ..panel import MarkPrices, Panel, sub_bars
from ..rules import ReplayRules, SymbolRules
from ..timeframe import DAY_NS, HOUR_NS
from .extremes import rolling_extremes_kernel
from .fills import FEE_DAYS
from .fine_bars import AGREES, compare_kernel
from .payments import NEVER
from .state import (
    ACCOUNT_DTYPE,
    EVENT_DTYPE,
    FEE_TIER_DTYPE,
    MODES,
    NONE,
    RULES_DTYPE,
    SLOT_DTYPE,
    Market,
    Prices,
)

_NOTHING_2D: Final = np.zeros((0, 0))
_NOWHERE: Final = np.zeros((0, 0), dtype=np.bool_)
_NONE_LEAVE: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedMarket:
    """A market in name order, good for any number of replays.

    ``order`` gives the panel's column for each symbol in name order; ``payments_per_bar`` the most
    funding events of one bar; ``unresolved_bars`` counts tradable cells without any existing
    sub-bar.
    """

    panel: Panel
    market: Market
    order: Int1D
    slots: Records1D
    payments_per_bar: int
    unresolved_bars: int
    has_volume: bool


def prepare_market(
    panel: Panel,
    funding: Funding,
    atr_frac: Float2D,
    *,
    fine: Panel | None,
    symbol_rules: Mapping[str, SymbolRules] | None,
) -> PreparedMarket:
    """Bring everything but decisions and rules into the kernels' form.

    Raises ContractError when funding or rules name a symbol that the panel lacks, ``atr_frac`` has another
    shape, or the finer bars do not agree with the panel.
    """
    shape = panel.open.shape
    if atr_frac.shape != shape:
        raise ContractError(f"atr_frac has shape {atr_frac.shape}, the panel has {shape}")
    if funding.symbol_index.size and int(funding.symbol_index.max()) >= shape[1]:
        row = int(np.flatnonzero(funding.symbol_index >= shape[1])[0])
        raise ContractError(
            f"funding: symbol_index[{row}]={int(funding.symbol_index[row])} but the panel has "
            f"{shape[1]} symbols; give the column of the panel that pays it"
        )
    order = np.argsort(np.array(panel.symbols), kind="stable")
    columns = _Columns(order)
    bars = columns.prices(panel)
    marks = bars if panel.mark is None else columns.prices(panel.mark)
    listed, is_gap = columns.of(panel.listed), columns.of(panel.is_gap)
    sub, sub_marks, sub_is_gap, sub_step = bars, marks, is_gap, panel.step_ns
    unresolved, reach_low, reach_high = _NOWHERE, marks.low, marks.high
    if fine is not None:
        sub_bars(panel, fine)
        if (panel.mark is None) != (fine.mark is None):
            without = "panel" if panel.mark is None else "finer bars"
            raise ContractError(
                f"{without}: there are no mark prices, the other panel has them: give both or none"
            )
        sub, sub_is_gap, sub_step = columns.prices(fine), columns.of(fine.is_gap), fine.step_ns
        sub_marks = sub if fine.mark is None else columns.prices(fine.mark)
        unresolved = np.zeros(shape, dtype=np.bool_)
        reach_low, reach_high = np.empty(shape), np.empty(shape)
        found = compare_kernel(
            bars,
            marks,
            listed,
            is_gap,
            sub,
            sub_marks,
            sub_is_gap,
            unresolved,
            reach_low,
            reach_high,
        )
        _refuse_disagreement(found, panel, order)
    market = Market(
        open_time=_plain(panel.open_time, np.int64),
        bars=bars,
        marks=marks,
        reach_low=reach_low,
        reach_high=reach_high,
        listed=listed,
        is_gap=is_gap,
        volume=_NOTHING_2D if panel.volume is None else columns.of(panel.volume),
        atr_frac=columns.of(atr_frac),
        top=_NOTHING_2D,
        bottom=_NOTHING_2D,
        sub=sub,
        sub_marks=sub_marks,
        sub_is_gap=sub_is_gap,
        is_unresolved=unresolved,
        leaving=_NONE_LEAVE if listed.all() else np.flatnonzero(listed[:-1] & ~listed[1:]),
        events=np.zeros(0, dtype=EVENT_DTYPE),
        step=panel.step_ns,
        sub_step=sub_step,
    )
    events = _events(funding, market, order)
    return PreparedMarket(
        panel=panel,
        market=market._replace(events=events),
        order=order,
        slots=_slots(panel.symbols, order, symbol_rules or {}),
        payments_per_bar=_most_in_one_bar(events, market),
        unresolved_bars=int(np.count_nonzero(unresolved)),
        has_volume=panel.volume is not None,
    )


class _Columns:
    """Arrays with their columns in name order, one layout for all; a copy only where it must be one."""

    def __init__(self, order: Int1D) -> None:
        self._order = None if (np.diff(order) > 0).all() else order

    def of(self, array: np.ndarray[Any, Any]) -> Any:
        moved = array if self._order is None else array[:, self._order]
        return _plain(moved, moved.dtype)

    def prices(self, prices: Panel | MarkPrices) -> Prices:
        return Prices(
            *(_plain(self.of(getattr(prices, name)), np.float64) for name in PRICE_COLUMNS)
        )


def _plain(array: Any, dtype: Any) -> Any:
    """One layout for the kernels: another one, or a read-only array, would be compiled anew."""
    return np.require(array, dtype, ["C", "W"])


def _refuse_disagreement(
    found: tuple[int, int, int, float, float], panel: Panel, order: Int1D
) -> None:
    column, bar, s, stated, aggregated = found
    if column == AGREES:
        return
    names = (*PRICE_COLUMNS, *(f"mark {name}" for name in PRICE_COLUMNS), "is_gap")
    raise ContractError(
        f"fine: {panel.symbols[order[s]]} bar {bar}: the panel's {names[column]} is {stated}, that of its "
        f"finer bars {aggregated}; use panel.rebuilt_from(fine)"
    )


def _events(funding: Funding, market: Market, order: Int1D) -> Records1D:
    """Funding within the bars, by time, then name, with a mark price for each."""
    end = int(market.open_time[-1]) + market.step
    inside = (funding.time_ns >= market.open_time[0]) & (funding.time_ns < end)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    events = np.zeros(int(np.count_nonzero(inside)), dtype=EVENT_DTYPE)
    time, symbol = funding.time_ns[inside], rank[funding.symbol_index[inside]]
    rate, mark_price = funding.rate[inside], funding.mark_price[inside]
    if ((np.diff(time) == 0) & (np.diff(symbol) < 0)).any():
        by_name = np.lexsort((symbol, time))
        time, symbol = time[by_name], symbol[by_name]
        rate, mark_price = rate[by_name], mark_price[by_name]
    events["time_ns"], events["symbol"] = time, symbol
    events["rate"], events["mark_price"] = rate, mark_price
    unstated = np.flatnonzero(events["mark_price"] == 0.0)
    s, row = (
        events["symbol"][unstated],
        (events["time_ns"][unstated] - market.open_time[0]) // market.sub_step,
    )
    mark = market.sub_marks.open[row, s]
    if len(market.is_unresolved):
        count = len(market.sub.open) // len(market.open_time)
        bar = row // count
        whole = np.where(row % count == 0, market.marks.open[bar, s], market.marks.close[bar, s])
        mark = np.where(market.is_unresolved[bar, s], whole, mark)
    events["mark_price"][unstated] = mark
    return events


def _most_in_one_bar(events: Records1D, market: Market) -> int:
    bar = (events["time_ns"] - market.open_time[0]) // market.step
    starts = np.flatnonzero(np.diff(bar, prepend=NONE))
    return int(np.diff(starts, append=len(bar)).max(initial=0))


def _slots(
    symbols: tuple[str, ...], order: Int1D, symbol_rules: Mapping[str, SymbolRules]
) -> Records1D:
    """Records of symbols in name order, without position or order."""
    unknown = sorted(set(symbol_rules) - set(symbols))
    if unknown:
        raise ContractError(f"symbol_rules: {unknown[0]} is not a symbol of the panel {symbols}")
    for symbol, given in symbol_rules.items():
        if not isinstance(given, SymbolRules):
            raise ContractError(f"symbol_rules[{symbol!r}]={given!r} must be a SymbolRules")
    slots = np.zeros(len(symbols), dtype=SLOT_DTYPE)
    unruled = SymbolRules()
    rules = [symbol_rules.get(symbols[column], unruled) for column in order]
    slots["tick"] = [rule.tick_size for rule in rules]
    slots["lot"] = [rule.lot_step for rule in rules]
    slots["min_notional"] = [rule.min_notional for rule in rules]
    slots["sector"] = sector_numbers([rule.sector for rule in rules])
    for name in ("stop", "take_profit"):
        slots[name] = np.nan
    for name in (
        "trade",
        "order",
        "entered_late_bar",
        "entered_step",
        "entry_order",
        "taken_bar",
        "cost_bar",
    ):
        slots[name] = NONE
    for name in ("carried_bar", "decided_bar"):
        slots[name] = NONE
    return slots


def rules_record(rules: ReplayRules) -> Records1D:
    """``rules`` as one record of ``RULES_DTYPE``."""
    costs, exits, margin = rules.costs, rules.exits, rules.margin
    trails = exits.trail_atr is not None or exits.trail_frac is not None
    numbers: dict[str, float | None] = {
        "initial_cash": rules.initial_cash,
        "taker_rate": costs.taker_fee_bps / 10_000,
        "maker_rate": costs.maker_fee_bps / 10_000,
        "spread_frac": costs.slippage_bps / 10_000,
        "slippage_atr": costs.slippage_atr,
        "impact": costs.impact,
        "participation": costs.participation,
        "borrow_rate": costs.borrow_annual / 8760,
        "break_even_frac": 2 * costs.taker_fee_bps / 10_000,
        "leverage": margin.leverage,
        "liquidation_rate": margin.liquidation_fee_bps / 10_000,
        "takes_profit_by_limit": exits.take_profit_is_limit,
        "time_stop_bars": exits.time_stop_bars or 0,
        "limit_bars": exits.limit_bars or 0,
        "rungs": len(exits.ladder),
        "is_inverse": margin.contract == "inverse",
        "mode": MODES.index(margin.mode),
        "scales_costs": costs.slippage_atr > 0
        or costs.impact > 0
        or costs.participation is not None,
        "has_fee_tiers": len(costs.fee_tiers) > 0,
        "trails": trails,
        "moves_levels": trails or exits.break_even_r is not None,
        **{
            name: getattr(exits, name)
            for name in (
                "stop_atr", "stop_frac", "trail_atr", "trail_frac", "break_even_r", "take_profit_atr",
                "take_profit_frac", "take_profit_r", "time_stop_max_r",
            )
        },
    }  # fmt: skip
    record = np.zeros(1, dtype=RULES_DTYPE)
    for name, number in numbers.items():
        record[name] = np.nan if number is None else number
    for rung, (multiple, share) in enumerate(exits.ladder):
        record["rung_r"][0, rung] = multiple
        record["rung_share"][0, rung] = share
    return record


def account_record(rules: ReplayRules, market: Market, *, keeps_rows: bool) -> Records1D:
    """The account before the first bar."""
    account = np.zeros(1, dtype=ACCOUNT_DTYPE)
    for name in ("cash", "equity", "peak"):
        account[name] = rules.initial_cash
    account["taker_rate"] = rules.costs.taker_fee_bps / 10_000
    account["maker_rate"] = rules.costs.maker_fee_bps / 10_000
    for name in ("ruined_bar", "fee_day", "last_closed_bar"):
        account[name] = NONE
    first = int(market.open_time[0])
    account["first_day"] = first // DAY_NS
    account["borrow_time"] = -(-first // HOUR_NS) * HOUR_NS if rules.costs.borrow_annual else NEVER
    funding = int(market.events["time_ns"][0]) if len(market.events) else NEVER
    account["next_payment"] = min(funding, int(account["borrow_time"][0]))
    account["keeps_rows"] = keeps_rows
    return account


def fee_table(rules: ReplayRules) -> Records1D:
    """The fee tiers as ``FEE_TIER_DTYPE``."""
    return np.array(
        [
            (tier.volume_from, tier.maker_fee_bps / 10_000, tier.taker_fee_bps / 10_000)
            for tier in rules.costs.fee_tiers
        ],
        dtype=FEE_TIER_DTYPE,
    )


def day_table(rules: ReplayRules, market: Market) -> Any:
    """A place for the notional of each UTC day of the bars and of the 30 before."""
    if not rules.costs.fee_tiers:
        return np.zeros(0)
    days = int(market.open_time[-1]) // DAY_NS - int(market.open_time[0]) // DAY_NS + 1
    return np.zeros(FEE_DAYS + days)


def with_trail_extremes(market: Market, rules: ReplayRules) -> Market:
    """The market with the rolling extremes that ``trail_bars`` needs."""
    if rules.exits.trail_bars is None:
        return market
    exists = market.listed & ~market.is_gap
    count = int(rules.exits.trail_bars)
    top = rolling_extremes_kernel(market.bars.high, exists, count, 1.0)
    bottom = rolling_extremes_kernel(market.bars.low, exists, count, -1.0)
    return market._replace(top=top, bottom=bottom)
