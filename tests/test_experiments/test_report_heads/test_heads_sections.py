"""The heads' sections: every number is one that was tested elsewhere, and odd runs give sensible words."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets import Store
from experiments import RunConfig, RunResult, config_of, load_run, run
from experiments.config_file import resolved
from experiments.formats import spoken
from experiments.pages import Chart, Document, Number, Section, Table, Text
from experiments.pages.plain import document_json, markdown_text
from experiments.report.heads.calibration import HeadCalibration, Reliability
from experiments.report.heads.calibration_section import calibration_section
from experiments.report.heads.consensus_section import consensus_section
from experiments.report.heads.entries import EntryGroups
from experiments.report.heads.numbers import head_numbers
from experiments.report.heads.worth_section import worth_section
from experiments.report.heads_sections import heads_sections
from experiments.report.reading import RunReading

Tables = dict[str, Table]


def document_of(result: RunResult) -> Document:
    reading = RunReading(load_run(result.run_dir))
    return Document(title="heads", subtitle="", sections=heads_sections(reading))


def tables_of(document: Document) -> Tables:
    return {block.name: block for block in document.blocks() if isinstance(block, Table)}


def charts_of(document: Document) -> dict[str, Chart]:
    return {block.name: block for block in document.blocks() if isinstance(block, Chart)}


def words_of(document: Document) -> str:
    return " ".join(
        paragraph
        for block in document.blocks()
        if isinstance(block, Text)
        for paragraph in block.paragraphs
    )


@pytest.fixture(scope="module")
def document(result: RunResult) -> Document:
    return document_of(result)


def value(cell: str | Number) -> float | None:
    assert isinstance(cell, Number)
    return cell.value


def test_every_chart_says_what_it_shows(document: Document):
    charts = charts_of(document)
    assert {"leave-one-out-sharpe", "agreement", "gates", "vote-correlation"} <= set(charts)
    assert sum(name.startswith("reliability-") for name in charts) >= 5
    for chart in charts.values():
        assert chart.title
        assert len(chart.text) > 20
        for axis in ("xaxis", "yaxis"):
            its = chart.layout[axis]
            assert "title" in its or its.get("type") == "category", (chart.name, axis)
        drawn = np.concatenate(
            [
                np.asarray(trace[key], dtype=float).ravel()
                for trace in chart.data
                for key in ("x", "y", "z")
                if key in trace and not isinstance(np.asarray(trace[key]).ravel()[0], str)
            ]
        )
        assert np.isfinite(drawn).any(), chart.name
    text = markdown_text(document)
    assert "nan" not in text.lower().replace("finance", "")
    assert "inf " not in text
    assert document_json(document)["sections"][0]["name"] == "head-worth"


def test_leave_one_out_is_what_the_record_states(document: Document, result: RunResult):
    content = load_run(result.run_dir).content
    rows = {str(row[0]): row for row in tables_of(document)["leave-one-out-table"].rows}
    for head, without in content["leave_one_out"].items():
        row = rows[spoken(head)]
        assert value(row[4]) == without["sharpe"]
        assert value(row[1]) == content["metrics"]["sharpe"] - without["sharpe"]
        assert value(row[6]) == without["total_return"]
        assert value(row[8]) == without["trades"]


def test_agreement_and_gates_count_every_bar(document: Document, result: RunResult):
    bars = sum(len(votes) for votes in result.votes.values())
    tables = tables_of(document)
    for name in ("agreement-table", "gates-table"):
        assert sum(value(row[1]) or 0 for row in tables[name].rows) == bars
        assert sum(value(row[2]) or 0 for row in tables[name].rows) == pytest.approx(1.0)
    stands = sum(int((one.gate == 0).sum()) for one in result.consensus.values())
    assert value(tables["gates-table"].rows[0][1]) == stands
    four_long = sum(
        int(((one.votes_for == 4) & (one.side > 0)).sum()) for one in result.consensus.values()
    )
    rows = {row[0]: row for row in tables["agreement-table"].rows}
    assert value(rows["4 heads long"][1]) == four_long
    against = np.concatenate(
        [
            one.votes_against[(one.votes_for == 4) & (one.side > 0)]
            for one in result.consensus.values()
        ]
    )
    assert value(rows["4 heads long"][3]) == pytest.approx(against.mean())


def test_votes_of_every_bar_are_compared(document: Document, result: RunResult):
    numbers = head_numbers(RunReading(load_run(result.run_dir)))
    direction = np.concatenate([votes.direction for votes in result.votes.values()]).astype(float)
    has_data = np.concatenate([votes.coverage > 0 for votes in result.votes.values()])
    one, other = numbers.heads.index("technical"), numbers.heads.index("volume")
    both = has_data[:, one] & has_data[:, other]
    expected = np.corrcoef(direction[both, one], direction[both, other])[0, 1]
    assert numbers.votes.correlation[one, other] == pytest.approx(expected)
    table = tables_of(document)["vote-correlation-table"]
    row = next(row for row in table.rows if row[0] == "technical")
    assert value(row[table.columns.index("volume")]) == pytest.approx(expected)
    assert f"effective number {numbers.votes.effective:.1f}" in words_of(document)


def test_firing_is_that_of_the_record(document: Document, result: RunResult):
    tables = tables_of(document)
    for place, firing in enumerate(result.firing):
        for head, row in zip(firing["heads"], tables[f"firing-heads-{place}"].rows, strict=True):
            assert value(row[6]) == head["voted"]
            low, high = head["expected"]
            assert row[8] == ("within" if low <= head["voted"] <= high else "outside")
        rows = tables[f"firing-detectors-{place}"].rows
        assert len(rows) == sum(len(head["reasons"]) for head in firing["heads"])
    assert tables["firing-heads-all"].caption.startswith("2 symbols: ")


ODD = {
    "no trade": ["consensus.quorum=9"],
    "one head": ["heads.enabled=[technical]", "consensus.quorum=1"],
    "heads that never vote": ["heads.enabled=[wyckoff, harmonic]"],
    "all of it lost": ["costs.taker_fee_bps=1000", "sizing.position_fraction=1.0"],
    "one bar": ["data.timeframe=1d", "data.simulated.days=1", "data.simulated.symbols=[AAASIM]"],
}


@pytest.mark.parametrize("overrides", ODD.values(), ids=ODD)
def test_an_odd_run_is_told_in_words(small_config: RunConfig, tmp_path: Path, overrides: list[str]):
    config = config_of(resolved(small_config), overrides)
    document = document_of(run(config, store=Store(tmp_path / "data"), runs=tmp_path / "runs"))
    names = [section.name for section in document.sections]
    assert names == [
        "head-worth",
        "consensus",
        "head-calibration",
        "head-correlation",
        "head-firing",
    ]
    for chart in charts_of(document).values():
        shown = [trace for trace in chart.data if trace.get("hoverinfo") != "skip"]
        marks = [
            np.asarray(trace[key], dtype=float)
            for trace in shown
            for key in ("z", "y", "x")
            if key in trace and not isinstance(np.asarray(trace[key]).ravel()[0], str)
        ]
        assert any(np.nan_to_num(one).any() for one in marks), chart.name
    assert "nan" not in markdown_text(document).lower()


def test_what_cannot_be_said_is_said_so(small_config: RunConfig, tmp_path: Path):
    quiet = config_of(resolved(small_config), ["consensus.quorum=9"])
    words = words_of(document_of(run(quiet, store=Store(tmp_path / "d"), runs=tmp_path / "r")))
    assert "neither the run nor any run without a head traded" in words
    assert "no trade was decided by heads" in words
    assert "a picture needs two levels with 30 bars each, in 8 stretches of 7 days" in words
    alone = config_of(resolved(small_config), ["heads.enabled=[technical]", "consensus.quorum=1"])
    words = words_of(document_of(run(alone, store=Store(tmp_path / "d"), runs=tmp_path / "r")))
    assert "it needs two heads; only one votes here" in words
    assert "it needs two heads that vote" in words


def text_of(section: Section) -> str:
    document = Document(title="one", subtitle="", sections=(section,))
    told = [one.text for one in charts_of(document).values()]
    told += [one.note for one in tables_of(document).values() if one.note]
    return " ".join([words_of(document), *told])


def reliability(counts: list[float], low: list[float]) -> Reliability:
    values = np.asarray(counts)
    stated = np.linspace(0.5, 0.9, len(values))
    bounds = np.asarray(low)
    return Reliability(
        stated=stated, counts=values, share=np.full(len(values), 0.5), low=bounds, high=bounds + 0.2
    )


def judged(counts: list[float], low: list[float]) -> HeadCalibration:
    """A head of these bins; its own interval is known where one of a bin is."""
    bins, total = reliability(counts, low), np.full(3, float(sum(counts)))
    return HeadCalibration(
        probability=bins, confidence=bins, stated=0.55, brier=0.25, counts=total,
        share=np.full(3, 0.55), low=np.full(3, low[0]), high=np.full(3, low[0] + 0.2),
        chance=np.full(3, 0.5),
    )  # fmt: skip


def test_heads_that_are_not_drawn_are_told_by_the_reason(result: RunResult):
    numbers = head_numbers(RunReading(load_run(result.run_dir)))
    found = {
        "technical": judged([100.0], [0.45]),
        "volume": judged([3.0], [math.nan]),
        "sentiment": judged([4_000.0], [math.nan]),
        "harmonic": judged([20.0, 20.0], [math.nan, math.nan]),
    }
    told = text_of(calibration_section(replace(numbers, calibrations=found, cluster_days=21)))
    assert "Not drawn, fewer than 30 votes with a known outcome: volume." in told
    assert (
        "Not drawn, no bin of 30 votes in 4 different stretches of 21 days: sentiment and harmonic."
    ) in told
    assert "The mean probability of every head that has an interval lies within" in told
    assert "at random bars on which it had data" in told
    assert told.count(": none. Less often, likewise: none.") == 1
    alone = text_of(
        calibration_section(replace(numbers, calibrations={"technical": judged([100.0], [0.45])}))
    )
    assert "Not drawn" not in alone


def test_heads_that_do_better_and_worse_than_chance_are_named(result: RunResult):
    """By the whole interval: one that touches the share by chance tells nothing."""
    numbers = head_numbers(RunReading(load_run(result.run_dir)))
    low = {"technical": 0.51, "ict": 0.29, "wyckoff": 0.25, "volume": 0.5, "rules": 0.3}
    found = {head: judged([100.0], [least]) for head, least in low.items()}
    told = text_of(calibration_section(replace(numbers, calibrations=found)))
    assert "gives one head in forty: technical. Less often, likewise: ICT and Wyckoff." in told


@pytest.mark.parametrize("days", [7, 98])
def test_trades_by_agreement_name_the_stretches_they_need(result: RunResult, days: int):
    reading = RunReading(load_run(result.run_dir))
    numbers = head_numbers(reading)
    none = np.full(len(numbers.entries.heads), math.nan)
    short = replace(
        numbers, entries=replace(numbers.entries, low=none, high=none), cluster_days=days
    )
    assert f"in 8 different stretches of {days} days" in text_of(worth_section(reading, short))
    assert "weeks" not in text_of(worth_section(reading, short))


def test_one_head_is_one_head(result: RunResult):
    reading = RunReading(load_run(result.run_dir))
    numbers = head_numbers(reading)
    entries = EntryGroups(
        heads=np.array([1, 2]), trades=np.array([40, 50]), wins=np.array([0.5, 0.6]),
        mean_return=np.array([0.01, 0.02]), low=np.array([0.0, 0.01]), high=np.array([0.02, 0.03]),
        net_pnl=np.array([1.0, 2.0]), undecided=0,
    )  # fmt: skip
    told = text_of(worth_section(reading, replace(numbers, entries=entries)))
    assert "by the number of agreeing heads: 1 head: 1.00%" in told
    assert "; 2 heads: 2.00%" in told


def test_the_gate_that_stopped_the_most_is_not_called_most_bars(result: RunResult):
    """Of 100 bars 60 stand: the largest of the gates stopped fewer than half."""
    reading = RunReading(load_run(result.run_dir))
    numbers, first = head_numbers(reading), reading.content["firing"][0]
    gates = {**dict.fromkeys(first["gates"], 0), "stands": 60}
    least, most = [name for name in gates if name != "stands"][:2]

    def told(**stopped: int) -> str:
        firing = {**first, "bars": 100, "gates": {**gates, **stopped}}
        reading.record.content["firing"] = [firing]
        chart = charts_of(
            Document(title="", subtitle="", sections=(consensus_section(reading, numbers),))
        )["gates"]
        return chart.text

    some = told(**{least: 10, most: 30})
    assert f"The gate that stopped the most bars first: {most.replace('_', ' ')} (30.00%)." in some
    assert "most bars fail" not in some
    assert told(stands=100).endswith("or by the first gate that failed.")


def test_targets_are_told_to_be_no_heads(small_config: RunConfig, tmp_path: Path):
    path = tmp_path / "targets.csv"
    path.write_text("time,symbol,target\n2021-01-03T00:00:00Z,AAASIM,1\n", encoding="utf-8")
    config = config_of(resolved(small_config), [f"targets={path}"])
    found = document_of(run(config, store=Store(tmp_path / "data"), runs=tmp_path / "runs"))
    assert [section.name for section in found.sections] == ["head-worth"]
    assert "no head decided anything" in words_of(found)


def test_of_many_symbols_those_at_the_ends_are_shown(result: RunResult):
    reading = RunReading(load_run(result.run_dir))
    first = reading.content["firing"][0]
    many = [{**first, "symbol": f"S{k}", "decisions": k} for k in range(200)]
    reading.record.content["firing"] = many
    section: Section = heads_sections(reading)[-1]
    document = Document(title="many", subtitle="", sections=(section,))
    captions = [table.caption for table in tables_of(document).values()]
    shown = [caption.split(":")[0] for caption in captions if "decision" in caption]
    assert shown == [
        "200 symbols",
        *(f"S{k}" for k in range(199, 189, -1)),
        *(f"S{k}" for k in range(9, -1, -1)),
    ]
    assert "run.json has all of them" in words_of(document)


PLANTED = {
    "name": "planted",
    "data": {
        "simulated": {
            "symbols": ["BTCSIM"],
            "days": 365,
            "mode": "planted",
            "planted_column": "taker_flow",
            "planted_edge": 4.0,
            "planted_horizon_hours": 24,
        }
    },
    "heads": {"enabled": ["volume", "crypto_metrics", "harmonic"]},
    "consensus": {"quorum": 2},
}


def test_what_was_planted_is_seen(tmp_path: Path):
    """Heads that read the planted column are right more often than chance, and levels rise with it."""
    planted = run(config_of(PLANTED), store=Store(tmp_path / "data"), runs=tmp_path / "runs")
    reading = RunReading(load_run(planted.run_dir))
    numbers = head_numbers(reading)
    for head in ("volume", "crypto_metrics"):
        found = numbers.calibrations[head]
        assert found.low[2] > found.chance[2] > 0.4
    unknowing = numbers.calibrations["harmonic"]
    assert unknowing.low[2] < unknowing.chance[2] < unknowing.high[2]
    day = {float(level): row for row, level in enumerate(numbers.by_agreement.level)}
    mean, low, high = (
        getattr(numbers.by_agreement, name)[:, 2] for name in ("mean", "low", "high")
    )
    assert low[day[2.0]] > 0 > high[day[-2.0]]
    assert mean[day[2.0]] > mean[day[0.0]] > mean[day[-2.0]]
    words = words_of(Document(title="", subtitle="", sections=heads_sections(reading)))
    assert "luck alone gives one head in forty: volume and crypto metrics" in words


def test_the_verdict_names_heads_that_add(result: RunResult):
    """Intervals of another making: the words follow them."""
    reading = RunReading(load_run(result.run_dir))
    numbers = head_numbers(reading)
    assert numbers.changes is not None
    count = len(numbers.changes.heads)
    low, high = np.full(count, -1.0), np.full(count, 1.0)
    low[0], high[1] = 0.5, -0.5
    moved = replace(numbers, changes=replace(numbers.changes, low=low, high=high))
    section = worth_section(reading, moved)
    assert isinstance(section.blocks[0], Text)
    added, took = section.blocks[0].paragraphs
    assert "technical added" in added
    assert "sentiment took" in took
    unknown = replace(numbers.changes, low=np.full(count, math.nan), high=np.full(count, math.nan))
    section = worth_section(reading, replace(numbers, changes=unknown))
    assert isinstance(section.blocks[0], Text)
    assert "No interval can be given" in section.blocks[0].paragraphs[0]
