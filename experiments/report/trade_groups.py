"""Trades by symbol, side and exit reason, as tables and as a picture."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.metrics import TradeGroup

from ..formats import spoken
from ..pages.document import Block, Cell, Chart, Number, Table
from ..pages.plots import bars, category_axis, percent_axis
from .numbers.trades import by_symbol
from .reading import RunReading
from .wording import said

MONEY: Final = "settlement currency"
MAX_SYMBOLS: Final = 20
"""Symbols drawn and tabled; of more the best and the worst ten, and all of them folded."""
GROUP_COLUMNS: Final = (
    "", "trades", "won", "profit factor", "net", "mean", "mean R", "bars held", "fees", "spread and impact",
    "funding and borrow",
)  # fmt: skip


def groups_table(
    name: str, caption: str, groups: Sequence[TradeGroup], *, is_folded: bool = False
) -> Table:
    """A row for each group of trades; net and costs in settlement currency."""
    return Table(
        name=name,
        caption=caption,
        columns=GROUP_COLUMNS,
        rows=tuple(_group_row(group) for group in groups),
        is_folded=is_folded,
    )


def _group_row(group: TradeGroup) -> tuple[Cell, ...]:
    return (
        spoken(group.label) if group.label.islower() else group.label,
        Number(group.trades, "count"),
        Number(group.win_rate, "fraction"),
        Number(group.profit_factor, "ratio"),
        Number(group.net_pnl, MONEY),
        Number(group.mean_return_frac, "fraction"),
        Number(group.mean_r, "R"),
        Number(group.mean_bars_held, "bars"),
        Number(group.fees, MONEY),
        Number(group.spread + group.impact, MONEY),
        Number(group.funding + group.borrow, MONEY),
    )


def symbols_blocks(reading: RunReading) -> list[Block]:
    """Who made the result; of many symbols the best and the worst ten, and all of them folded."""
    groups = by_symbol(reading.trades, reading.symbols)
    if len(groups) == 1:
        return [groups_table("trades-by-symbol", "By symbol", groups)]
    ranked = sorted(groups, key=lambda group: -group.net_pnl)
    is_many = len(ranked) > MAX_SYMBOLS
    shown = [*ranked[: MAX_SYMBOLS // 2], *ranked[-MAX_SYMBOLS // 2 :]] if is_many else ranked
    half = MAX_SYMBOLS // 2
    caption = f"By symbol, the best {half} and the worst {half}" if is_many else "By symbol"
    blocks: list[Block] = [
        _contributions(reading, shown, len(ranked)),
        groups_table("trades-by-symbol", caption, shown),
    ]
    if is_many:
        title = f"All {len(ranked)} symbols"
        blocks.append(groups_table("trades-by-every-symbol", title, ranked, is_folded=True))
    return blocks


def _contributions(reading: RunReading, shown: Sequence[TradeGroup], count: int) -> Chart:
    values = np.array([group.net_pnl for group in shown]) / reading.initial_cash
    best, worst = shown[0], shown[-1]
    note = "" if len(shown) == count else f"{len(shown)} of {count} symbols are drawn."
    return Chart(
        name="contributions",
        title="Who made the result",
        text=f"Net result of the trades of each symbol as a part of the initial cash: {best.label} brought "
        f"{said(best.net_pnl / reading.initial_cash, 'fraction')}, {worst.label} "
        f"{said(worst.net_pnl / reading.initial_cash, 'fraction')}. All symbols together are the total "
        "return.",
        data=(
            bars(
                [group.label for group in shown],
                values,
                "net",
                colour=["@up" if value > 0 else "@down" for value in values.tolist()],
                hover="%{x}: %{y:.2%}<extra></extra>",
                showlegend=False,
            ),
        ),
        layout={"xaxis": category_axis(), "yaxis": percent_axis("of the initial cash")},
        height=260,
        note=note,
    )
