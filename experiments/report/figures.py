"""The pictures of the report, and a sentence under each that says what was left out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Float1D, drawdowns

from ..pages.sampling import MAX_BUCKETS, bucket_means, bucket_rows, extreme_rows

UP: Final = "#0f766e"
DOWN: Final = "#c2410c"
WON: Final = "#1d4ed8"
LOST: Final = "#94a3b8"
INK: Final = "#1f2937"
MUTED: Final = "#94a3b8"
ACCENT: Final = "#1d4ed8"
MAX_CANDLES: Final = 2500
MAX_TRADES: Final = 1500
LOG_SPAN: Final = 4.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A Plotly figure as JSON values, and its caption."""

    content: Mapping[str, Any]
    caption: str


def milliseconds(column: pa.ChunkedArray) -> Float1D:
    """Times as milliseconds since the epoch, float64, which a date axis takes as they are."""
    values: Float1D = np.asarray(column.cast(pa.int64())).astype(np.float64) / 1_000
    return values


def floats(column: pa.ChunkedArray) -> Float1D:
    """A numeric column as float64."""
    return np.asarray(column.cast(pa.float64())).astype(np.float64)


def equity_figure(equity: pa.Table, content: Mapping[str, Any]) -> Picture:
    """Equity against buy and hold, both drawdowns, and what of the equity is at work under it."""
    figure = _figure([0.58, 0.24, 0.18])
    time = milliseconds(equity["time"])
    cash = float(content["config"]["initial_cash"])
    for name, label, colour, width in (
        ("buy_and_hold", "buy & hold", MUTED, 1.2),
        ("equity", "run", ACCENT, 1.8),
    ):
        values = floats(equity[name])
        depth = -100.0 * drawdowns(values, cash)
        for row, drawn, shown in ((1, values, True), (2, depth, False)):
            kept = extreme_rows(drawn)
            figure.add_scatter(
                x=time[kept],
                y=drawn[kept],
                name=label,
                legendgroup=label,
                showlegend=shown,
                line={"color": colour, "width": width},
                fill="tozeroy" if row == 2 and name == "equity" else None,
                fillcolor="rgba(29,78,216,0.12)",
                hovertemplate="%{y:,.2f}" if row == 1 else "%{y:.2f} %",
                row=row,
                col=1,
            )
    _add_use(figure, time, equity)
    figure.update_yaxes(title_text="equity", row=1, col=1)
    figure.update_yaxes(title_text="drawdown %", row=2, col=1)
    figure.update_yaxes(title_text="× equity", row=3, col=1)
    figure.update_xaxes(range=[time[0], time[-1]])
    figure.update_layout(height=620)
    _scale(figure, np.concatenate([floats(equity["equity"]), floats(equity["buy_and_hold"])]))
    return Picture(_content(figure), _line_caption(len(time)))


def _add_use(figure: Any, time: Float1D, equity: pa.Table) -> None:
    """Gross exposure and maintenance margin in multiples of equity; nothing is left of it at 1."""
    total = floats(equity["equity"])
    for name, label, colour in (
        ("gross_exposure", "gross exposure", INK),
        ("maintenance_margin", "maintenance margin", DOWN),
    ):
        share = np.divide(floats(equity[name]), total, out=np.zeros_like(total), where=total > 0)
        kept = extreme_rows(share)
        figure.add_scatter(
            x=time[kept],
            y=share[kept],
            name=label,
            line={"color": colour, "width": 1},
            hovertemplate="%{y:.3f}",
            row=3,
            col=1,
        )


def symbol_figure(
    symbol: str, tables: Mapping[str, pa.Table], content: Mapping[str, Any]
) -> Picture:
    """Traded price with entries and exits, and the votes of the heads under it."""
    names = [head["name"] for head in content["firing"][0]["heads"]]
    figure = _figure([0.58, 0.42])
    captions = [
        _add_price(figure, symbol, _of(tables["prices"], symbol)),
        _add_trades(figure, _of(tables["trades"], symbol)),
        _add_votes(figure, _of(tables["votes"], symbol), names),
    ]
    figure.update_yaxes(title_text="price", row=1, col=1)
    time = milliseconds(_of(tables["votes"], symbol)["time"])
    figure.update_xaxes(range=[time[0], time[-1]])
    figure.update_layout(height=720, hovermode="closest")
    _scale(figure, floats(_of(tables["prices"], symbol)["close"]))
    return Picture(_content(figure), " ".join(caption for caption in captions if caption))


def costs_figure(trades: pa.Table) -> Picture:
    """From the result before costs to the net result, step by step."""
    import plotly.graph_objects as go

    steps = cost_split(trades)
    figure = go.Figure(
        go.Waterfall(
            x=[name for name, _ in steps],
            y=[value for _, value in steps],
            measure=["absolute", *["relative"] * (len(steps) - 2), "total"],
            text=[f"{value:,.0f}" for _, value in steps],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": UP}},
            decreasing={"marker": {"color": DOWN}},
            totals={"marker": {"color": INK}},
            connector={"line": {"color": MUTED, "width": 1}},
            hovertemplate="%{x}: %{y:,.2f}<extra></extra>",
        )
    )
    _styled(figure)
    figure.update_layout(height=320, showlegend=False, hovermode="closest")
    figure.update_xaxes(type="category")
    figure.update_yaxes(title_text="settlement currency")
    return Picture(_content(figure), "")


def cost_split(trades: pa.Table) -> list[tuple[str, float]]:
    """Sums over all trades: before costs, less what each cost took, plus what was received, net."""
    gross, spread, impact, fees, funding, borrow, shortfall, net = (
        float(floats(trades[name]).sum())
        for name in (
            "gross_pnl", "spread", "impact", "fees", "funding", "borrow", "shortfall", "net_pnl",
        )
    )  # fmt: skip
    steps = [
        ("before costs", gross + spread + impact),
        ("spread", 0.0 - spread),
        ("impact", 0.0 - impact),
        ("fees", 0.0 - fees),
        ("funding", funding),
        ("borrow", borrow),
        ("shortfall", shortfall),
        ("net", net),
    ]
    seldom = ("impact", "borrow", "shortfall")
    return [(name, value) for name, value in steps if value != 0.0 or name not in seldom]


def _of(table: pa.Table, symbol: str) -> pa.Table:
    return table.filter(pc.equal(table["symbol"], symbol))


def _add_price(figure: Any, symbol: str, prices: pa.Table) -> str:
    time, close = milliseconds(prices["open_time"]), floats(prices["close"])
    if len(time) <= MAX_CANDLES:
        figure.add_candlestick(
            x=time,
            **{name: floats(prices[name]) for name in ("open", "high", "low", "close")},
            increasing={"line": {"color": UP, "width": 1}},
            decreasing={"line": {"color": DOWN, "width": 1}},
            name=symbol,
            showlegend=False,
            row=1,
            col=1,
        )
        return ""
    kept = extreme_rows(close)
    figure.add_scatter(
        x=time[kept],
        y=close[kept],
        name=f"{symbol} close",
        line={"color": INK, "width": 1},
        hovertemplate="%{y:,.6g}<extra>close</extra>",
        row=1,
        col=1,
    )
    return _line_caption(len(time))


def _add_trades(figure: Any, trades: pa.Table) -> str:
    count = len(trades)
    net = floats(trades["net_pnl"])
    shown = np.sort(np.argsort(-np.abs(net), kind="stable")[:MAX_TRADES])
    trades, net = trades.take(pa.array(shown)), net[shown]
    entry, exit_ = milliseconds(trades["entry_time"]), milliseconds(trades["exit_time"])
    bought, sold = floats(trades["entry_price"]), floats(trades["exit_price"])
    side = floats(trades["side"])
    for label, chosen, colour in (("winning", net > 0, WON), ("losing", net <= 0, LOST)):
        gaps = np.full(int(chosen.sum()), np.nan)
        figure.add_scatter(
            x=np.column_stack([entry[chosen], exit_[chosen], gaps]).ravel(),
            y=np.column_stack([bought[chosen], sold[chosen], gaps]).ravel(),
            mode="lines",
            name=f"{label} trade",
            line={"color": colour, "width": 1.6},
            hoverinfo="skip",
            row=1,
            col=1,
        )
    for label, chosen, shape, colour in (
        ("long entry", side > 0, "triangle-up", UP),
        ("short entry", side < 0, "triangle-down", DOWN),
    ):
        figure.add_scatter(
            x=entry[chosen],
            y=bought[chosen],
            mode="markers",
            name=label,
            marker={
                "symbol": shape,
                "size": 9,
                "color": colour,
                "line": {"color": "white", "width": 1},
            },
            customdata=net[chosen],
            hovertemplate="%{x}<br>%{y:,.6g}<br>net %{customdata:,.2f}<extra>" + label + "</extra>",
            row=1,
            col=1,
        )
    if not count:
        return "No trades."
    colours = "triangles: green long, orange short; lines from entry to exit: blue won, grey lost."
    if count > MAX_TRADES:
        return f"The {MAX_TRADES} trades with the largest results of {count} are drawn; {colours}"
    return f"All {count} trades are drawn; {colours}"


def _add_votes(figure: Any, votes: pa.Table, names: list[str]) -> str:
    columns = []
    for name in names:
        direction = floats(votes[f"{name}_direction"])
        columns.append(np.where(floats(votes[f"{name}_coverage"]) > 0, direction, np.nan))
    columns.append(floats(votes["consensus_direction"]))
    starts, means = bucket_means(np.column_stack(columns))
    figure.add_heatmap(
        x=milliseconds(votes["time"])[starts],
        y=[*(name.replace("_", " ") for name in names), "consensus"],
        z=means.T,
        zmin=-1,
        zmax=1,
        ygap=2,
        colorscale=[[0, DOWN], [0.5, "#f8fafc"], [1, UP]],
        colorbar={
            "title": {"text": "vote", "side": "right"},
            "len": 0.36,
            "y": 0.18,
            "thickness": 10,
            "tickvals": [-1, 0, 1],
            "ticktext": ["short", "none", "long"],
        },
        hovertemplate="%{y}<br>%{x}<br>mean vote %{z:.2f}<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"size": 11}, row=2, col=1)
    figure.add_shape(
        type="rect", xref="x2 domain", yref="y2 domain", x0=0, x1=1, y0=0, y1=1,
        fillcolor="#e2e8f0", line={"width": 0}, layer="below",
    )  # fmt: skip
    rows = len(votes)
    cell = (
        "one bar" if rows <= MAX_BUCKETS else f"the mean vote of {bucket_rows(rows)} bars in a row"
    )
    return f"Each cell of the votes is {cell}; grey means that the head had no data."


def _line_caption(rows: int) -> str:
    if rows <= 4 * MAX_BUCKETS:
        return ""
    return (
        f"Lines show the first, lowest, highest and last of every {bucket_rows(rows)} bars, so no "
        "extreme is hidden."
    )


def _figure(heights: list[float]) -> Any:
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.04
    )
    _styled(figure)
    figure.update_xaxes(type="date", rangeslider_visible=False)
    return figure


def _scale(figure: Any, values: Float1D) -> None:
    """A logarithmic axis where the values span so much that a linear one would hide the low part."""
    low, high = float(values.min()), float(values.max())
    if low <= 0 or high / low <= LOG_SPAN:
        return
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    shown = [tick for tick in ticks if low / 2 <= tick <= 2 * high]
    figure.update_yaxes(
        type="log",
        tickvals=shown,
        ticktext=[f"{tick:,.10g}" for tick in shown],
        title_text=f"{figure.layout.yaxis.title.text} (log)",
        row=1,
        col=1,
    )


def _styled(figure: Any) -> None:
    figure.update_layout(
        template="none",
        font={"family": "system-ui, sans-serif", "size": 12, "color": INK},
        margin={"l": 110, "r": 20, "t": 30, "b": 40},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        plot_bgcolor="white",
        paper_bgcolor="white",
    )
    figure.update_xaxes(gridcolor="#eef2f7", zeroline=False, linecolor="#cbd5e1")
    figure.update_yaxes(gridcolor="#eef2f7", zeroline=False, linecolor="#cbd5e1", title_standoff=14)


def _content(figure: Any) -> Mapping[str, Any]:
    import json

    content: Mapping[str, Any] = json.loads(figure.to_json())
    return content
