"""The trades of a run: what became of them, how far they went both ways, and who made the result."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine import REASONS, Float1D

from ..formats import metric_label, spoken
from ..pages.document import Block, Cell, Chart, Number, Section, Switch, Table, Text
from ..pages.plots import axis, bars, line, percent_axis, points, time_axis
from .numbers.periods import histogram
from .numbers.trades import (
    Trades,
    by_exit_reason,
    by_side,
    concentration,
    largest_results,
    side_curve,
)
from .reading import NS_PER_MS, RunReading
from .trade_groups import MONEY, groups_table, symbols_blocks
from .wording import counted, moment, money_unit, said, too_few

FEWEST_DISTRIBUTED: Final = 10
"""Trades that a histogram needs."""
MAX_POINTS: Final = 2_000
WIDE_RANGE: Final = 100
"""Bars held from which the axis has powers of ten alone."""
TABLED: Final = 10
"""Trades in the table of the largest results, of either sign."""


def trades_section(reading: RunReading) -> Section:
    """Words alone without a trade; tables from one trade on, distributions from ten."""
    trades = reading.trades
    if not len(trades):
        nothing = Text(paragraphs=("No position was ever opened, so there is no trade to show.",))
        return Section(name="trades", title="Trades", blocks=(nothing,))
    blocks: list[Block] = []
    if len(trades) >= FEWEST_DISTRIBUTED:
        blocks += [concentration_text(reading), *_scatters(trades), *_distributions(trades)]
    else:
        what = "How results are distributed"
        blocks.append(too_few(what, FEWEST_DISTRIBUTED, "trades", len(trades)))
    blocks += [
        sides_chart(reading),
        groups_table("trades-by-exit", "By exit reason", by_exit_reason(trades)),
        *symbols_blocks(reading),
        extremes_table(reading),
    ]
    return Section(
        name="trades",
        title="Trades",
        lead="A trade goes from flat to flat. A result is net of everything; in percent it is of the value "
        "that was entered, in R of what the first stop would have lost.",
        blocks=tuple(blocks),
    )


def concentration_text(reading: RunReading) -> Text:
    """How much of the result hangs on few trades."""
    found = concentration(reading.trades)
    net = float(reading.trades["net_pnl"].sum())
    told = f"{counted(len(reading.trades), 'trade')} {_earned(net)} together"
    if np.isnan(found.without_best):
        return Text(paragraphs=(f"{told}; none won.",))
    told += f"; without the best they {_earned(found.without_best)}"
    if not np.isnan(found.without_best_five):
        told += f", without the best five they {_earned(found.without_best_five)}"
    return Text(
        paragraphs=(
            f"{told}. The best tenth of the winning trades brought {said(found.best_share, 'fraction')} of "
            "all gains.",
        )
    )


def _earned(money: float) -> str:
    """``made 5.00``, ``lost 5.00``."""
    return f"{'lost' if money < 0 else 'made'} {said(abs(money), MONEY)}"


def _scatters(trades: Trades) -> list[Block]:
    shown = trades[largest_results(trades, MAX_POINTS)]
    note = (
        f"The {MAX_POINTS:,} trades with the largest results of {len(trades):,} are drawn."
        if len(trades) > MAX_POINTS
        else ""
    )
    lost, won = _mean(trades["mae_frac"]), _mean(trades["mfe_frac"])
    best = 0.0 if not len(trades) else float(trades["mfe_frac"].max())
    return [
        Chart(
            name="adverse-excursion",
            title="Worst excursion against the result",
            text=f"How far the price of each trade went against its entry at worst (mean {lost:.2%}), and "
            "how the trade ended. Points high on the right recovered.",
            data=_won_and_lost(shown, shown["mae_frac"], shown["return_frac"]),
            layout={
                "xaxis": percent_axis("worst excursion against it", rangemode="tozero"),
                "yaxis": percent_axis("result"),
            },
            height=320,
            width="half",
            note=note,
        ),
        Chart(
            name="favourable-excursion",
            title="Best excursion and the result",
            text=f"How far the price of each trade went in favour of it at best (mean {won:.2%}, most "
            f"{best:.2%}), and how the trade ended. Points far below the dotted line gave back "
            "what they had.",
            data=(
                *_won_and_lost(shown, shown["mfe_frac"], shown["return_frac"]),
                _dotted(np.array([0.0, best]), "all of it kept"),
            ),
            layout={
                "xaxis": percent_axis("best excursion in its favour", rangemode="tozero"),
                "yaxis": percent_axis("result"),
            },
            height=320,
            width="half",
            note=note,
        ),
        Chart(
            name="holding-time",
            title="Time held and the result",
            text=f"Trades were held {_mean(trades['bars_held']):.1f} bars on average, "
            f"{int(trades['bars_held'].max()):,} at most, the first and the last included.",
            data=_won_and_lost(
                shown, shown["bars_held"].astype(np.float64), shown["return_frac"], "%{x} bars"
            ),
            layout={
                "xaxis": bars_held_axis(int(shown["bars_held"].max())),
                "yaxis": percent_axis("result"),
            },
            height=320,
            width="half",
            note=note,
        ),
    ]


def bars_held_axis(most: int) -> Mapping[str, Any]:
    """A logarithmic axis up to ``most`` bars whose labels are whole numbers, each in full."""
    steps = (1, 2, 5) if most < WIDE_RANGE else (1,)
    decades = range(len(str(most)) + 1)
    ticks = [step * 10**decade for decade in decades for step in steps]
    return axis("bars held (log scale)", type="log", tickvals=ticks, tickformat=",d")


def _won_and_lost(
    trades: Trades, x: Float1D, y: Float1D, hover: str = "%{x:.2%}"
) -> tuple[Mapping[str, Any], ...]:
    made = []
    for name, chosen, colour, symbol in (
        ("won", trades["net_pnl"] > 0, "@won", "circle"),
        ("did not win", trades["net_pnl"] <= 0, "@lost", "x"),
    ):
        if chosen.any():
            drawn = points(
                x[chosen], y[chosen], name, colour=colour, size=5, hover=hover + ", %{y:.2%}"
            )
            made.append({**drawn, "marker": {**drawn["marker"], "symbol": symbol, "opacity": 0.7}})
    return tuple(made)


def _dotted(values: Float1D, name: str) -> Mapping[str, Any]:
    made = line(values, values, name, colour="@muted", hover="")
    return {**made, "hoverinfo": "skip", "line": {**made["line"], "dash": "dot"}}


def _distributions(trades: Trades) -> list[Block]:
    blocks: list[Block] = [
        _histogram("trade-results", "Results in percent", trades["return_frac"], "fraction"),
    ]
    multiples = trades["r_multiple"][~np.isnan(trades["r_multiple"])]
    if len(multiples) >= FEWEST_DISTRIBUTED:
        blocks.append(_histogram("trade-multiples", "Results in R", multiples, "R"))
    else:
        blocks.append(
            too_few("Results in R", FEWEST_DISTRIBUTED, "trades with a stop", len(multiples))
        )
    return blocks


def _histogram(name: str, title: str, values: Float1D, unit: str) -> Chart:
    found = histogram(values)
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    is_share = unit == "fraction"
    colours = ["@won" if middle > 0 else "@lost" for middle in middles.tolist()]
    return Chart(
        name=name,
        title=title,
        text=f"{counted(len(values), 'trade')}: mean {said(found.mean, unit)}, median "
        f"{said(float(np.median(values)), unit)}, worst {said(float(values.min()), unit)}, best "
        f"{said(float(values.max()), unit)}.",
        data=(
            bars(
                middles,
                found.counts.astype(np.float64),
                "trades",
                colour=colours,
                hover=("about %{x:.2%}" if is_share else "about %{x:.2f} R")
                + ": %{y} trades<extra></extra>",
                width=float(found.edges[1] - found.edges[0]),
                showlegend=False,
            ),
        ),
        layout={
            "xaxis": percent_axis("result") if is_share else axis("result (R)"),
            "yaxis": axis("trades", rangemode="tozero"),
            "bargap": 0,
        },
        height=280,
        width="half",
        switches=(
            Switch(label="Linear", layout={"yaxis.type": "linear"}),
            Switch(label="Log", layout={"yaxis.type": "log"}),
        ),
    )


def sides_chart(reading: RunReading) -> Chart:
    """Net results of long and of short trades, added up as they ended."""
    trades = reading.trades
    start, end = int(reading.open_time[0]), int(reading.close_time[-1])
    traces = []
    for name, side, colour, dash in (
        ("long", 1, "@up", "solid"),
        ("short", -1, "@down", "dash"),
    ):
        found = side_curve(trades, side, start, end)
        drawn = line(
            found.time_ns / NS_PER_MS, found.net_pnl, name, colour=colour, hover="%{y:,.2f}"
        )
        traces.append({**drawn, "line": {**drawn["line"], "dash": dash, "shape": "hv"}})
    long, short = by_side(trades)
    return Chart(
        name="long-and-short",
        title="Long against short",
        text=f"Long: {counted(long.trades, 'trade')}, together {said(long.net_pnl, MONEY)}. Short: "
        f"{counted(short.trades, 'trade')}, together {said(short.net_pnl, MONEY)}. Each is booked when it "
        "ended.",
        data=tuple(traces),
        layout={
            "xaxis": time_axis(),
            "yaxis": axis(f"net result ({money_unit(is_inverse=reading.is_inverse)})"),
            "hovermode": "x unified",
        },
        height=320,
        width="half",
        table=groups_table("trades-by-side", "By side", (long, short)),
    )


def extremes_table(reading: RunReading) -> Table:
    """The trades with the largest gains and losses, gains first."""
    trades = reading.trades
    order = np.argsort(-trades["net_pnl"], kind="stable")
    places = (
        order if len(order) <= 2 * TABLED else np.concatenate((order[:TABLED], order[-TABLED:]))
    )
    label = metric_label("net", MONEY)
    is_all = len(places) == len(trades)
    return Table(
        name="largest-trades",
        caption="All trades" if is_all else f"The best and the worst {TABLED} trades",
        columns=(
            "entered", "left", "symbol", "side", "exit", "result", "R", label, "worst excursion",
            "best excursion", "bars held",
        ),
        rows=tuple(_trade_row(reading, trades[place]) for place in places.tolist()),
        is_folded=not is_all,
        note="" if is_all else "Every trade is in trades.parquet.",
    )  # fmt: skip


def _trade_row(reading: RunReading, trade: np.void) -> tuple[Cell, ...]:
    return (
        moment(int(trade["entry_time_ns"])),
        moment(int(trade["exit_time_ns"])),
        reading.symbols[int(trade["symbol"])],
        "long" if trade["side"] > 0 else "short",
        spoken(REASONS[int(trade["exit_reason"])]),
        Number(float(trade["return_frac"]), "fraction"),
        Number(float(trade["r_multiple"]), "R"),
        Number(float(trade["net_pnl"]), MONEY),
        Number(float(trade["mae_frac"]), "fraction"),
        Number(float(trade["mfe_frac"]), "fraction"),
        Number(float(trade["bars_held"]), "bars"),
    )


def _mean(values: Float1D) -> float:
    return float(np.mean(values))
