import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from experiments import RunRecord, RunResult, config_of, load_run, write_report
from experiments.config_file import resolved
from experiments.report import NEEDED, render
from experiments.report.figures import cost_split
from experiments.pages.sampling import bucket_means, extreme_rows
from experiments.report.sections import page_values
from experiments.rules_text import rules_text
from experiments.verdict import verdict


class Page(HTMLParser):
    """Collects what a browser would fetch, the text outside scripts, and the scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.ids: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "poster") and value:
                self.loads.append(value)
            if name == "id" and value:
                self.ids.append(value)
        if tag in ("link", "iframe", "object", "embed", "base"):
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def record(result: RunResult) -> RunRecord:
    return load_run(result.run_dir)


@pytest.fixture(scope="module")
def html(record: RunRecord) -> str:
    return render(record)


def test_the_page_fetches_nothing(html: str):
    page = Page(html)
    assert page.loads == []
    assert "default-src 'none'" in html
    assert not re.search(r"@import|url\(", html.partition("</style>")[0])


def test_the_page_says_what_it_must(html: str, record: RunRecord):
    text = " ".join(" ".join(Page(html).text).split())
    assert "SIMULATED DATA" in text
    assert "NOT KNOWN YET" in text
    assert record.content["config_hash"] in text
    assert record.content["data_fingerprint"] in text
    for word in ("365 days", "Risk-free rate 0", "ddof 1", "arithmetic"):
        assert word in text
    for head in record.content["firing"][0]["heads"]:
        assert head["name"].replace("_", " ") in text
        for reason in head["reasons"]:
            assert reason["name"].replace("_", " ") in text
    for gate in record.content["firing"][0]["gates"]:
        assert gate.replace("_", " ") in text


def test_many_symbols_are_summed_up_and_folded(record: RunRecord):
    names = ["AAASIM", "BBBSIM", *(f"S{number}" for number in range(6))]
    firing = [record.content["firing"][0] | {"symbol": name} for name in names]
    notes = [f"{name}: 12 of 960 signal bars are missing (gaps)" for name in names]
    content = {**record.content, "firing": firing, "notes": notes}
    few = render(RunRecord(run_dir=record.run_dir, content=content))
    assert "8 symbols: " in few
    assert few.count("<summary>S0: ") == few.count("<summary>AAASIM: ") == 1
    assert few.count("<details") == few.count("</details>")
    many = {**content, "symbols": names}
    values = page_values(
        RunRecord(run_dir=record.run_dir, content=many),
        {name: record.table(name) for name in NEEDED},
    )
    assert values["notes"] == {
        "told": ["all 8 symbols: 12 of 960 signal bars are missing (gaps)"],
        "each": notes,
    }
    whole, *folded = values["firing"]
    assert [one["symbol"] for one in folded] == names
    assert whole["gates"]["quorum"] == 8 * firing[0]["gates"]["quorum"]
    assert whole["heads"][0]["reasons"][0]["rate"] == pytest.approx(
        firing[0]["heads"][0]["reasons"][0]["rate"], rel=1e-12
    )


def test_the_page_of_the_run_is_the_page_written_again(
    html: str, result: RunResult, record: RunRecord, tmp_path: Path
):
    assert (result.run_dir / "report.html").read_text(encoding="utf-8").count("<table") == (
        html.count("<table")
    )
    path = write_report(record, tmp_path / "again.html")
    assert path.read_text(encoding="utf-8") == html
    assert path.stat().st_size < 8_000_000


def test_every_figure_has_its_place(html: str, record: RunRecord):
    page = Page(html)
    figures = json.loads(page.scripts[1])
    assert set(figures) == {"equity", "symbol-0", "symbol-1", "costs"}
    assert set(figures) <= set(page.ids)
    votes = next(trace for trace in figures["symbol-0"]["data"] if trace["type"] == "heatmap")
    assert len(votes["y"]) == len(record.content["firing"][0]["heads"]) + 1


def renamed(record: RunRecord, tmp_path: Path, name: str) -> RunRecord:
    """The same run as if its first symbol were called ``name``."""
    old = record.content["symbols"][0]
    content = json.loads(json.dumps(record.content).replace(old, json.dumps(name)[1:-1]))

    class Renamed:
        run_dir, run_id = record.run_dir, record.run_id

        def __init__(self) -> None:
            self.content = content

        def table(self, table: str) -> pa.Table:
            made = record.table(table)
            if "symbol" in made.column_names:
                names = [name if one == old else one for one in made["symbol"].to_pylist()]
                index = made.column_names.index("symbol")
                made = made.set_column(index, "symbol", pa.array(names))
            return made

    return Renamed()  # type: ignore[return-value]


def test_names_are_text_not_markup(record: RunRecord, tmp_path: Path):
    name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    html = render(renamed(record, tmp_path, name))
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    page = Page(html)
    assert page.loads == []
    assert len(page.scripts) == 3
    assert name in "".join(page.text)


def test_verdict_says_no_trades_and_why(record: RunRecord):
    content = {**record.content, "n_trades": 0}
    lines = verdict(content)
    assert any(line.startswith("NO TRADES: the consensus stood on ") for line in lines)
    assert any("HARDLY ANY TRADES (3)" in line for line in verdict({**content, "n_trades": 3}))
    quiet = {"ambiguous_exits": 0, "liquidations": 0, "ruined_bar": -1}
    many = verdict({**content, **quiet, "n_trades": 1000, "simulated": False})
    assert len(many) == 1
    assert any("RUINED" in line for line in verdict({**content, "ruined_bar": 5}))


def test_verdict_counts_what_the_bars_leave_open(record: RunRecord):
    content = {**record.content, "ambiguous_exits": 4, "n_trades": 90, "liquidations": 2}
    lines = " ".join(verdict(content))
    assert "AMBIGUOUS: 4 of 90 exits ambiguous" in lines
    assert "finer bars (data.fine_timeframe) would tell" in lines
    assert "LIQUIDATED: 2 fills" in lines
    lines = " ".join(verdict({**content, "fine_timeframe": "1m"}))
    assert "their 1m bar reached stop and target alike" in lines
    assert "still finer bars would tell" in lines


def test_the_page_shows_limits_orders_and_ambiguous_exits(html: str, record: RunRecord):
    text = " ".join(" ".join(Page(html).text).split())
    content = record.content
    assert f"{content['ambiguous_exits']} of {content['n_trades']} exits ambiguous" in text
    assert "Limits that bound" in text
    orders = record.table("orders")
    ends = Counter(zip(orders["kind"].to_pylist(), orders["status"].to_pylist(), strict=True))
    for (kind, status), count in ends.items():
        assert f"{kind} {status} {count}" in text
    limits = Counter(orders["limit"].to_pylist())
    for limit in set(limits) - {"none"}:
        assert f"{limit.replace('_', ' ')} {limits[limit]}" in text
    assert ("no order was cut" in text) == (set(limits) == {"none"})
    for group in set(content["metric_groups"].values()):
        assert group in text


def test_rules_are_told_in_words():
    config = config_of(
        {
            "data": {"simulated": {}},
            "entry": {"kind": "limit", "offset_atr": 0.5},
            "costs": {"impact": 0.4, "participation": 0.1, "borrow_annual": 0.05, "maker_fee_bps": 1},
            "exits": {
                "stop_frac": 0.02, "trail_atr": 3, "trail_bars": 10, "break_even_r": 1,
                "ladder": [[1, 0.5]], "take_profit_r": 3, "take_profit_is_limit": True,
                "time_stop_bars": 24, "time_stop_max_r": 0.5, "limit_bars": 6,
            },
            "sizing": {"method": "risk", "risk_frac": 0.02, "kelly": 0.5},
            "limits": {"max_gross": 3, "max_heat": 0.06, "drawdown_start": 0.1, "drawdown_halt": 0.3},
            "margin": {"mode": "isolated", "leverage": 5},
        }
    )  # fmt: skip
    text = " | ".join(f"{name}: {how}" for name, how in rules_text(resolved(config)))
    for words in (
        "limit order 0.5 average true ranges from the close, for 6 bars",
        "maker 1 bps",
        "square-root impact 0.4",
        "at most 10.0% of a bar's volume",
        "stop: 2.00% of the price; trailing 3 average true ranges behind the best price of 10 bars",
        "break even from 1 R",
        "take profit: 3 R; 50% at 1 R; resting limits",
        "24 bars, when the open result is below 0.5 R",
        "as much as loses 2.00% of equity at the stop; at most 0.5 of the shrunk Kelly fraction",
        "gross, in multiples of equity 3",
        "sum of what the stops would lose 0.06",
        "orders shrink from 10.0% to nothing at 30.0%",
        "linear, isolated, leverage 5",
        "borrowing: 5.00% a year on shorts",
    ):
        assert words in text, words
    plain = rules_text(resolved(config_of({"data": {"simulated": {}}})))
    assert ("margin", "linear, cross; maintenance from 0.50%, liquidation fee 50 bps") in plain
    assert ("enters by", "market order at the next open") in plain
    of_file = dict(rules_text(resolved(config_of({"data": {"simulated": {}}, "targets": "t.csv"}))))
    assert of_file["enters by"].startswith("the orders that the file of targets states: market at")
    assert of_file["enters by"].endswith("a limit or stop that rests until it is replaced")


def test_a_run_without_trades_has_a_page_with_na(record: RunRecord):
    undefined = {**record.content["metrics"], "win_rate": None, "sharpe": None}

    class Empty:
        def __init__(self) -> None:
            self.run_dir, self.run_id = record.run_dir, record.run_id
            self.content = {**record.content, "n_trades": 0, "metrics": undefined}

        def table(self, name: str) -> pa.Table:
            made = record.table(name)
            return made.slice(0, 0) if name in ("trades", "fills", "orders") else made

    html = render(Empty())  # type: ignore[arg-type]
    assert "NO TRADES" in html
    assert "n/a" in html
    assert "nan" not in " ".join(Page(html).text).lower().split()


def test_extremes_survive_sampling():
    generator = np.random.default_rng(1)
    for rows in (1, 7, 400, 4801, 9999):
        values = generator.standard_normal(rows)
        kept = extreme_rows(values, buckets=100)
        assert (np.diff(kept) > 0).all()
        assert len(kept) <= 400
        assert {0, rows - 1, int(values.argmin()), int(values.argmax())} <= set(kept.tolist())
        if rows <= 400:
            assert len(kept) == rows


def test_bucket_means_equal_means_by_hand():
    values = np.random.default_rng(2).standard_normal((103, 2))
    values[10:40, 1] = np.nan
    starts, means = bucket_means(values, buckets=10)
    stops = np.append(starts[1:], 103)
    assert len(starts) == 10
    for start, stop, found in zip(starts, stops, means, strict=True):
        for column in range(2):
            known = [value for value in values[start:stop, column] if not np.isnan(value)]
            if known:
                assert found[column] == pytest.approx(sum(known) / len(known), rel=1e-12)
            else:
                assert np.isnan(found[column])


def test_costs_lead_from_gross_to_net(record: RunRecord):
    steps = dict(cost_split(record.table("trades")))
    net = steps.pop("net")
    assert sum(steps.values()) == pytest.approx(net, rel=1e-9)
    equity = record.table("equity")["equity"][-1].as_py()
    cash = record.content["config"]["initial_cash"]
    assert net == pytest.approx(equity - cash, rel=1e-9)
