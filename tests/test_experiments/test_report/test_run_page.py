"""The page of a run: every section for every kind of run, and numbers that agree with run.json."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.config_file import resolved
from experiments.firing import over_symbols
from experiments.formats import formatted, is_silent, metric_label, spoken
from experiments.pages import Chart, Code, Document, Fold, Number, Section, Table, Text
from experiments.pages.html import html_text
from experiments.pages.plain import document_json
from experiments.report.metrics import ELSEWHERE
from experiments.report.reading import RunReading
from experiments.report.run_page import run_document
from experiments.report.trades import bars_held_axis
from tests.html_page import Page
from tests.test_experiments.conftest import small_tree

SECTIONS = (
    "performance", "market", "returns", "rolling", "benchmark", "drawdowns", "exposure", "costs", "trades",
    "calendar", "regimes", "metrics", "data", "rules-and-accounting", "orders", "provenance", "conventions",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(usual: Any) -> Document:
    return run_document(usual)


def tables(document: Document) -> dict[str, Table]:
    return {block.name: block for block in document.blocks() if isinstance(block, Table)}


def charts(document: Document) -> dict[str, Chart]:
    return {block.name: block for block in document.blocks() if isinstance(block, Chart)}


def section(document: Document, name: str) -> Section:
    return next(one for one in document.sections if one.name == name)


def words(document: Document) -> str:
    return " ".join(" ".join(Page(html_text(document)).text).split())


def test_every_run_has_a_whole_page(edge: Any) -> None:
    document = run_document(edge)
    names = [one.name for one in document.sections]
    has_hours = edge.content["timeframe"] != "4d"
    expected = [name for name in SECTIONS if has_hours or name != "calendar"]
    assert [name for name in names if name in SECTIONS] == expected
    text = words(document)
    for word in (" nan ", " inf ", "None", "NaN", "-0.00%"):
        assert word not in text, text[max(0, text.index(word) - 80) : text.index(word) + 40]
    json.dumps(document_json(document), allow_nan=False)
    for chart in charts(document).values():
        assert any(has_marks(trace) for trace in chart.data), chart.name


def has_marks(trace: Mapping[str, Any]) -> bool:
    values = trace["x"] if trace.get("orientation") == "h" else trace.get("z", trace.get("y"))
    return bool(np.isfinite(np.asarray(values, dtype=float)).any())


def labelled(
    document: Document, labels: dict[str, str]
) -> Iterator[tuple[str, Table, tuple[Any, ...]]]:
    """Rows of metrics tables by the metric that their first cell names."""
    for table in tables(document).values():
        if table.columns[:2] == ("metric", "run"):
            for row in table.rows:
                yield labels[str(row[0])], table, row


def test_every_number_called_a_metric_is_that_metric(edge: Any) -> None:
    document, content = run_document(edge), edge.content
    units, metrics, held = content["metric_units"], content["metrics"], content["benchmark_metrics"]
    labels = {metric_label(name, units[name]): name for name in metrics}
    seen = set()
    for name, table, row in labelled(document, labels):
        seen.add(name)
        assert row[1] == Number(metrics[name], units[name])
        if len(table.columns) == 4:
            assert row[2] == Number(held[name], units[name])
    assert seen == {name for name, value in metrics.items() if not is_silent(name, value)}
    assert document.tiles is not None
    shown = [tile.value for tile in document.tiles.tiles]
    names = ("total_return", "annual_return", "sharpe", "max_drawdown", "trades", "exposure")
    assert shown == [Number(metrics[name], units[name]) for name in names]
    json_metrics = document_json(document)["facts"]["metrics"]
    assert json_metrics == metrics


def test_a_group_that_stands_elsewhere_is_folded(page: Document) -> None:
    found = tables(page)
    for group in ("returns", "distribution", "periods", "trades", "events"):
        assert not found[f"metrics-{group}"].is_folded
    for group in ELSEWHERE:
        assert found[f"metrics-{group}"].is_folded


def test_extremes_of_periods_are_the_metrics(edge: Any) -> None:
    metrics = edge.content["metrics"]
    for row in tables(run_document(edge))["extremes"].rows:
        span = str(row[0])
        cells = [cell.value for cell in row[1:] if isinstance(cell, Number)]
        if span != "week":
            expected = [
                metrics[f"best_{span}"],
                metrics[f"worst_{span}"],
                metrics[f"positive_{span}s"],
            ]
            assert cells == pytest.approx(expected, rel=1e-12)


def test_sums_on_the_page_agree(usual: Any, page: Document) -> None:
    metrics, found = usual.content["metrics"], tables(page)
    months = [
        cell.value
        for row in found["months-table"].rows
        for cell in row[1:13]
        if isinstance(cell, Number) and cell.value is not None
    ]
    assert np.prod(1 + np.array(months)) - 1 == pytest.approx(metrics["total_return"], rel=1e-9)
    steps = [row[1].value for row in found["cost-steps-table"].rows if isinstance(row[1], Number)]
    assert sum(steps[:-1]) == pytest.approx(steps[-1], rel=1e-9)
    cash = usual.content["config"]["initial_cash"]
    assert steps[-1] == pytest.approx(metrics["total_return"] * cash, rel=1e-9)
    contributions = np.asarray(charts(page)["contributions"].data[0]["y"])
    assert contributions.sum() == pytest.approx(metrics["total_return"], rel=1e-9)
    for name in ("weekdays-table", "hours-table"):
        counts = [row[1].value for row in found[name].rows if isinstance(row[1], Number)]
        assert sum(counts) == usual.content["bars"]
        grown = [row[3].value for row in found[name].rows if isinstance(row[3], Number)]
        assert np.prod(1 + np.array(grown)) - 1 == pytest.approx(metrics["total_return"], rel=1e-9)
    counted = charts(page)["hours-and-weekdays"].data[0]["customdata"]
    assert np.asarray(counted).sum() == usual.content["bars"]
    worst = found["worst-drawdowns"].rows[0]
    assert worst[1] == Number(metrics["max_drawdown"], "fraction")
    assert worst[5] == Number(metrics["max_drawdown_days"], "days")
    assert worst[2] == formatted(metrics["max_drawdown_start"], "unix seconds")
    assert worst[3] == formatted(metrics["max_drawdown_trough"], "unix seconds")


def test_regimes_compound_to_the_run(daily: Any) -> None:
    metrics, held = daily.content["metrics"], daily.content["benchmark_metrics"]
    found = tables(run_document(daily))
    for name in ("regimes-volatility", "regimes-trend"):
        rows = found[name].rows
        assert len(rows) >= 3
        own = [row[3].value for row in rows if isinstance(row[3], Number)]
        assert np.prod(1 + np.array(own)) - 1 == pytest.approx(metrics["total_return"], rel=1e-9)
        other = [row[4].value for row in rows if isinstance(row[4], Number)]
        assert np.prod(1 + np.array(other)) - 1 == pytest.approx(held["total_return"], rel=1e-9)
        trades = [row[9].value for row in rows if isinstance(row[7], Number)]
        assert sum(trades) == metrics["trades"]


def test_lines_of_a_chart_end_where_the_run_ends(usual: Any, page: Document) -> None:
    reading = RunReading(usual)
    held, own = charts(page)["equity"].data
    assert (own["y"][0], held["y"][0]) == (reading.initial_cash, reading.initial_cash)
    assert (own["y"][-1], held["y"][-1]) == (reading.equity[-1], reading.benchmark[-1])
    assert own["y"].min() == min(reading.equity.min(), reading.initial_cash)
    assert own["x"][-1] == reading.time_ms[-1]
    under = next(one for one in charts(page)["underwater"].data if one["name"] == "run")
    assert -under["y"].min() == pytest.approx(reading.metric("max_drawdown"), rel=1e-12)


def test_pictures_of_one_time_axis_line_up(usual: Any, page: Document) -> None:
    """From the first open to the last close, at the same margin, whatever marks stand at the ends."""
    reading = RunReading(usual)
    ends = [reading.open_time[0] / 1e6, reading.close_time[-1] / 1e6]
    for name in ("equity", "underwater", "fan"):
        layout = charts(page)[name].layout
        assert layout["xaxis"]["range"] == ends, name
        assert layout["margin"] == charts(page)["equity"].layout["margin"], name


def test_numbers_of_drawdowns_stand_below_every_line(page: Document) -> None:
    chart = charts(page)["underwater"]
    *lines, numbers = chart.data
    assert numbers["name"] == "rank"
    low, high = chart.layout["yaxis"]["range"]
    assert (numbers["y"] == low).all()
    lowest = min(line["y"].min() for line in lines)
    assert lowest < 0 < high
    # A line of text of 15 of the 170 pixels that a phone's plot is high.
    assert lowest - low > 0.09 * (high - low)
    start, end = chart.layout["xaxis"]["range"]
    places = np.sort(numbers["x"])
    assert (np.diff(places) >= 0.05 * (end - start)).all()
    assert places[0] - start >= 0.019 * (end - start)
    assert end - places[-1] >= 0.019 * (end - start)


def test_linear_comes_first_on_every_chart_with_both(page: Document) -> None:
    labels = [[one.label for one in chart.switches] for chart in charts(page).values()]
    assert {tuple(one) for one in labels if one} == {("Linear", "Log")}
    for chart in charts(page).values():
        if chart.switches:
            assert "type" not in chart.layout["yaxis"], chart.name


@pytest.mark.parametrize(
    ("most", "ticks"), [(8, [1, 2, 5]), (60, [1, 2, 5, 10, 20, 50]), (729, [1, 10, 100])]
)
def test_bars_held_are_labelled_in_full(most: int, ticks: list[int]) -> None:
    axis = bars_held_axis(most)
    assert [tick for tick in axis["tickvals"] if tick <= most] == ticks
    assert axis["tickformat"] == ",d"


def test_the_page_says_what_it_must(usual: Any, page: Document) -> None:
    content, text = usual.content, words(page)
    assert page.badges == ("SIMULATED",)
    assert "SIMULATED DATA" in text
    assert "NOT KNOWN YET" in text
    for said in (content["config_hash"], content["data_fingerprint"], content["run_id"]):
        assert said in text
    for convention in ("365 days", "Risk-free rate 0", "ddof 1", "arithmetic", "UTC"):
        assert convention in text
    for name in content["datasets"]:
        assert name in text
    for note in content["notes"]:
        assert note in text
    for piece in content["price_pieces"]:
        assert piece["instrument"] in text
    count = content["ambiguous_exits"]
    said = f"{count} of {content['n_trades']} exits ambiguous" if count else "No exit is ambiguous"
    assert said in text
    codes = [block for block in page.blocks() if isinstance(block, Code)]
    assert any("taker_fee_bps" in code.text for code in codes)


def test_orders_and_limits_are_counted(usual: Any, page: Document) -> None:
    frame = usual.tables["orders"].to_pandas()
    ends = {
        row[0]: row[1].value
        for row in tables(page)["order-ends"].rows
        if isinstance(row[1], Number)
    }
    assert ends == (frame["kind"] + " " + frame["status"]).value_counts().to_dict()
    bound = frame[frame["limit"] != "none"].groupby("limit")
    found = tables(page).get("order-limits")
    assert (found is None) == (not len(bound))
    for row in () if found is None else found.rows:
        group = bound.get_group(str(row[0]).replace(" ", "_"))
        wanted, granted = group["wanted_notional"].sum(), group["granted_notional"].sum()
        values = [cell.value for cell in row[1:] if isinstance(cell, Number)]
        rejected = (group["status"] == "rejected").sum()
        assert values == pytest.approx([len(group), rejected, wanted, granted], rel=1e-12)


def test_a_run_without_trades_says_so(untraded: Any) -> None:
    document = run_document(untraded)
    assert words(document).count("Never traded") == 1
    for name in ("trades", "orders", "exposure", "costs"):
        assert isinstance(section(document, name).blocks[0], Text)
    assert "distribution" not in charts(document)
    assert "NO TRADES" in " ".join(document.verdict[1].paragraphs)


def test_one_trade_is_shown_and_not_distributed(one_trade: Any) -> None:
    document = run_document(one_trade)
    found = charts(document)
    assert "long-and-short" in found
    assert not {"adverse-excursion", "trade-results"} & set(found)
    assert "it needs 10 trades and there are 1" in words(document)
    largest = tables(document)["largest-trades"]
    assert (largest.caption, largest.is_folded) == ("All trades", False)
    (row,) = largest.rows
    assert row[2:5] == ("AAASIM", "long", "exit")
    assert (
        "Decisions come from the file of targets" in section(document, "rules-and-accounting").lead
    )


def test_a_bar_is_too_little_for_any_statistic(one_bar: Any) -> None:
    document = run_document(one_bar)
    assert set(charts(document)) & {"equity", "months", "rolling-sharpe", "hours", "relative"} == {
        "equity",
        "months",
    }
    assert document.tiles is not None
    assert document.tiles.tiles[2].note == ""


def test_what_does_not_vary_is_not_called_short(untraded: Any, short: Any) -> None:
    for record, note in ((untraded, ""), (short, "no interval: too short")):
        document = run_document(record)
        assert document.tiles is not None
        assert document.tiles.tiles[2].note == note


def test_a_short_position_has_no_below(usual: Any, page: Document) -> None:
    found = charts(page)
    assert "against its entry" in found["adverse-excursion"].text
    assert "in favour of it" in found["favourable-excursion"].text
    assert "below its entry" not in words(page)


def test_a_loss_is_not_left(usual: Any, page: Document) -> None:
    net = formatted(tables(page)["cost-steps-table"].rows[-1][1].value, "settlement currency")
    assert f"; net {net}." in charts(page)["cost-steps"].text
    assert "was left" not in charts(page)["cost-steps"].text
    is_lost = usual.content["metrics"]["break_even_cost"] < 0
    assert ("They lose before any cost" in tables(page)["cost-cases"].note) == is_lost


def test_the_first_days_of_regimes_are_told(daily: Any) -> None:
    document = run_document(daily)
    note = tables(document)["regimes-volatility"].note
    assert "fewer than 30 days" in note


def test_a_ruin_is_the_first_thing_said(ruined: Any) -> None:
    document = run_document(ruined)
    assert document.verdict[0].tone == "bad"
    assert document.verdict[0].paragraphs[0].startswith("Was ruined: it lost everything")
    assert "RUINED" in " ".join(document.verdict[1].paragraphs)


def test_coins_are_compared_with_coins(inverse: Any) -> None:
    document = run_document(inverse)
    assert "where keeping the coins made nothing" in document.verdict[0].paragraphs[0]
    assert section(document, "benchmark").title == "Against keeping the coins"
    assert "coins" in str(charts(document)["equity"].layout["yaxis"])
    assert "relative" not in charts(document)
    columns = [name for table in tables(document).values() for name in table.columns]
    lines = [str(trace.get("name")) for chart in charts(document).values() for trace in chart.data]
    notes = [tile.note for tile in document.tiles.tiles] if document.tiles is not None else []
    told = [chart.text for chart in charts(document).values()]
    assert not [one for one in (*columns, *lines, *notes, *told) if "buy and hold" in one]
    assert sum("coins kept" in one for one in (*columns, *lines, *notes)) > 8


def test_long_bars_are_not_called_days(long_bars: Any) -> None:
    document = run_document(long_bars)
    assert charts(document)["distribution"].title == "Distribution of bar returns"
    assert charts(document)["rolling-sharpe"].title == "Sharpe ratio of 30 bars"
    assert "known before the bar began" in section(document, "regimes").lead


def test_many_symbols_are_summed_up_and_folded(many: Any) -> None:
    document = run_document(many)
    found = tables(document)
    assert len(found["trades-by-symbol"].rows) == 20
    assert len(found["trades-by-every-symbol"].rows) == 200
    assert found["trades-by-every-symbol"].is_folded
    assert found["gaps"].is_folded
    net = [
        row[4].value for row in found["trades-by-every-symbol"].rows if isinstance(row[4], Number)
    ]
    assert net == sorted(net, reverse=True)
    assert [row[0] for row in found["trades-by-symbol"].rows[:10]] == [
        row[0] for row in found["trades-by-every-symbol"].rows[:10]
    ]
    notes = section(document, "data").blocks[:2]
    assert isinstance(notes[0], Text)
    assert notes[0].paragraphs == ("all 200 symbols: 12 of 960 signal bars are missing (gaps).",)
    assert isinstance(notes[1], Fold)
    assert "200 symbols · 1h" in document.subtitle
    whole = over_symbols(many.content["firing"])
    coverage = {row[0]: row[2] for row in found["coverage"].rows}
    for head in whole["heads"]:
        shown = coverage[spoken(head["name"])]
        assert isinstance(shown, Number)
        assert shown.value == pytest.approx(head["coverage"], rel=1e-12)


def test_names_are_text_not_markup(usual: Any) -> None:
    name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    old = usual.content["symbols"][0]
    content = json.loads(json.dumps(usual.content).replace(old, json.dumps(name)[1:-1]))
    import pyarrow as pa

    def renamed(table: pa.Table) -> pa.Table:
        if "symbol" not in table.column_names:
            return table
        names = [name if one == old else one for one in table["symbol"].to_pylist()]
        return table.set_column(table.column_names.index("symbol"), "symbol", pa.array(names))

    made = replace(
        usual, content=content, tables={key: renamed(one) for key, one in usual.tables.items()}
    )
    html = html_text(run_document(made))
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    page = Page(html)
    assert not any(one.startswith("x") for one in page.loads)
    assert name in "".join(page.text)


def test_the_same_run_has_the_same_page(usual: Any, page: Document) -> None:
    assert html_text(run_document(usual)) == html_text(page)


def test_configuration_is_told_after_defaults(page: Document, small_config: Any) -> None:
    text = next(
        block.text
        for block in page.blocks()
        if isinstance(block, Code) and block.summary.startswith("Conf")
    )
    assert resolved(small_config)["name"] == small_tree()["name"]
    assert "name: small" in text
