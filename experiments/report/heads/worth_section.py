"""What each head was worth: the run without it, and trades by how many heads agreed."""

from typing import Any, Final

import numpy as np

from engine import Float1D

from ...formats import counted, formatted, signed, spoken
from ...pages import Block, Chart, Number, Section, Table, Text
from ...pages.plots import axis, percent_axis, points
from ..reading import RunReading
from .entries import FEWEST_CLUSTERS, FEWEST_TRADES, EntryGroups
from .left_out import FEWEST_DAYS, HeadChanges
from .numbers import HeadNumbers
from .shown import interval_words, listed, signed_colours, whiskers

THE_REST_STAYS: Final = (
    "Everything else stays as it is, the quorum too: a run without a head also has fewer bars on which "
    "enough heads agree, and its change holds both."
)
NO_TRIALS: Final = (
    "Runs without a head are no trials of a search: nothing is chosen by them, and the deflated Sharpe "
    "ratio does not count them. Whoever drops a head because of this picture has made a choice that it "
    "should count."
)


def worth_section(reading: RunReading, numbers: HeadNumbers) -> Section:
    """Leave-one-out changes, and trades by agreeing heads."""
    return Section(
        name="head-worth",
        title="What each head is worth",
        lead="The same run without each head, and trades by how many heads agreed on them.",
        blocks=(*_changes(reading, numbers), *_entries(numbers.entries, numbers.cluster_days)),
    )


def _changes(reading: RunReading, numbers: HeadNumbers) -> tuple[Block, ...]:
    changes = numbers.changes
    if changes is None:
        return (Text(paragraphs=("Leave-one-out: n/a, it needs two heads; only one votes here.",)),)
    table, own_trades = _table(reading, changes), reading.metric("trades")
    if not (own_trades or changes.trades.any()):
        said = "Leave-one-out: n/a, neither the run nor any run without a head traded."
        return (Text(paragraphs=(said,)),)
    blocks: list[Block] = [_verdict(changes)]
    if np.nan_to_num(changes.sharpe).any():
        blocks.append(_sharpe_chart(changes, table))
    else:
        blocks.append(table)
    if changes.total_return.any():
        blocks.append(_return_chart(changes))
    return (*blocks, Text(paragraphs=(THE_REST_STAYS, NO_TRIALS)))


def _verdict(changes: HeadChanges) -> Text:
    known = np.isfinite(changes.low)
    if not known.any():
        return Text(
            paragraphs=(
                f"No interval can be given for what a head adds: it needs {FEWEST_DAYS} days on which "
                "the run with it and the run without it differ and both vary.",
            )
        )
    better = [head for head, low in zip(changes.heads, changes.low, strict=True) if low > 0]
    worse = [head for head, high in zip(changes.heads, changes.high, strict=True) if high < 0]
    said = []
    if better:
        said.append(
            f"With 95 % confidence for all heads at once, {listed(better)} added to the run."
        )
    if worse:
        said.append(f"With 95 % confidence for all heads at once, {listed(worse)} took from it.")
    if not said:
        said.append(
            "Every interval holds 0: this run alone does not show that any head adds to it or takes from "
            "it, whichever side its bar is on."
        )
    return Text(paragraphs=tuple(said), tone="warning" if worse else "plain")


def _table(reading: RunReading, changes: HeadChanges) -> Table:
    without, units = reading.content["leave_one_out"], reading.content["metric_units"]
    rows = []
    for k, head in enumerate(changes.heads):
        its = without[head]
        rows.append(
            (
                spoken(head),
                Number(changes.sharpe[k], "ratio", is_change=True),
                Number(changes.low[k], "ratio", is_change=True),
                Number(changes.high[k], "ratio", is_change=True),
                Number(its["sharpe"], units["sharpe"]),
                Number(changes.total_return[k], "fraction", is_change=True),
                Number(its["total_return"], units["total_return"]),
                Number(its["max_drawdown"], units["max_drawdown"]),
                Number(its["trades"], "count"),
            )
        )
    return Table(
        name="leave-one-out-table",
        caption="The run without each head",
        columns=(
            "without",
            "Sharpe it adds",
            "low",
            "high",
            "Sharpe",
            "return it adds",
            "total return",
            "max drawdown",
            "trades",
        ),
        rows=tuple(rows),
        note="What it adds is the run less the run without the head. Low and high bound the Sharpe ratio "
        "it adds, for all heads at once with 95 %.",
    )


def _sharpe_chart(changes: HeadChanges, table: Table) -> Chart:
    blocks = (
        f" Blocks of days are drawn together, {changes.block_days:.1f} days long on average."
        if np.isfinite(changes.block_days)
        else ""
    )
    return Chart(
        name="leave-one-out-sharpe",
        title="Sharpe ratio that each head adds",
        text="Sharpe ratio of the run less that of the run without the head: "
        f"{_ends(changes, changes.sharpe, 'ratio')}.",
        data=(
            _sideways(changes, changes.sharpe, "%{x:+.2f}")
            | {"error_x": whiskers(changes.sharpe, changes.low, changes.high)},
        ),
        layout=_sideways_layout("Sharpe ratio, with less without", changes, ""),
        height=90 + 26 * len(changes.heads),
        width="half",
        note="Whiskers: 95 % for all heads at once, from a bootstrap that draws the same days for the run "
        f"and for the run without the head.{blocks}",
        table=table,
    )


def _return_chart(changes: HeadChanges) -> Chart:
    return Chart(
        name="leave-one-out-return",
        title="Total return that each head adds",
        text="Total return of the run less that of the run without the head: "
        f"{_ends(changes, changes.total_return, 'fraction')}.",
        data=(_sideways(changes, changes.total_return, "%{x:+.2%}"),),
        layout=_sideways_layout("total return, with less without", changes, ".3~%"),
        height=90 + 26 * len(changes.heads),
        width="half",
        note="One path of prices: these differences have no interval, and a few trades can make them.",
    )


def _ends(changes: HeadChanges, values: Float1D, unit: str) -> str:
    """The lowest and the highest of the changes in words."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return "n/a"
    low, high = (known[values[known].argmin()], known[values[known].argmax()])
    return (
        f"from {signed(float(values[low]), unit)} ({spoken(changes.heads[low])}) to "
        f"{signed(float(values[high]), unit)} ({spoken(changes.heads[high])})"
    )


def _sideways(changes: HeadChanges, values: Any, hover: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": [spoken(head) for head in changes.heads],
        "marker": {"color": signed_colours(values)},
        "hovertemplate": f"%{{y}}: {hover}<extra></extra>",
        "showlegend": False,
    }


def _sideways_layout(title: str, changes: HeadChanges, form: str) -> dict[str, Any]:
    return {
        "xaxis": axis(title, zeroline=True, tickformat=form),
        "yaxis": {"type": "category", "autorange": "reversed", "automargin": True},
        "bargap": 0.35,
    }


def _entries(entries: EntryGroups, cluster_days: int) -> tuple[Block, ...]:
    if not len(entries.heads):
        return (
            Text(paragraphs=("Trades by agreeing heads: n/a, no trade was decided by heads.",)),
        )
    table = Table(
        name="entries-by-agreement-table",
        width="half",
        caption="Trades by how many heads agreed at the close that decided them",
        columns=("agreeing heads", "trades", "won", "mean return", "low", "high", "net result"),
        rows=tuple(
            (
                str(int(entries.heads[k])),
                Number(float(entries.trades[k]), "count"),
                Number(entries.wins[k], "fraction"),
                Number(entries.mean_return[k], "fraction"),
                Number(entries.low[k], "fraction"),
                Number(entries.high[k], "fraction"),
                Number(entries.net_pnl[k], "settlement currency"),
            )
            for k in range(len(entries.heads))
        ),
        note="Returns are net of every cost, a share of the value that was entered with."
        + (
            f" {counted(entries.undecided, 'trade')} left out: no order of the consensus opened it."
            if entries.undecided
            else ""
        ),
    )
    if not np.isfinite(entries.low).any():
        why = (
            f"A picture of trades by agreeing heads needs {FEWEST_TRADES} trades of one kind in "
            f"{FEWEST_CLUSTERS} different stretches of {cluster_days} days; the table has what there is."
        )
        return (Text(paragraphs=(why,)), table)
    shown = np.isfinite(entries.low)
    heads, mean = entries.heads[shown].astype(np.float64), entries.mean_return[shown]
    low, high = entries.low[shown], entries.high[shown]
    told = [
        f"{counted(int(count), 'head')}: {formatted(float(value), 'fraction')} "
        f"({interval_words(below, above, 'fraction')}, {counted(int(trades), 'trade')})"
        for count, value, below, above, trades in zip(
            heads, mean, low, high, entries.trades[shown], strict=True
        )
    ]
    left_out = int((~shown).sum())
    chart = Chart(
        name="entries-by-agreement",
        title="Mean return of a trade by agreeing heads at entry",
        text=f"Mean net return of a trade by the number of agreeing heads: {'; '.join(told)}.",
        data=(
            points(
                heads,
                mean,
                "mean return",
                colour="@accent",
                size=9,
                hover="agreeing heads %{x}: %{y:.2%}<extra></extra>",
                error_y=whiskers(mean, low, high),
                showlegend=False,
            ),
        ),
        layout={
            "xaxis": axis("agreeing heads", dtick=1, range=[heads.min() - 0.6, heads.max() + 0.6]),
            "yaxis": percent_axis("net return of a trade", zeroline=True),
        },
        width="half",
        note=f"Whiskers: 95 % for all means at once; trades that began in the same {cluster_days} days may "
        "depend on each other."
        + (
            f" {counted(left_out, 'group')} with too few trades only in the table."
            if left_out
            else ""
        ),
    )
    return (chart, table)
