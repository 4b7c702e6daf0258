"""The page of `ninefold draw`: self-contained, complete, and what the command says."""

import base64
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from datasets import Store
from engine import ConfigError, Market
from experiments import RunConfig, RunResult
from experiments.drawing import figure as figure_module
from experiments.drawing.draw import Drawing, draw, figure_content
from experiments.drawing.figure import Picture, picture
from experiments.drawing.panels import KILL_ZONES, kill_zone_bands
from experiments.drawing.window import window_of
from experiments.events.found import HeadEvents, events_on
from experiments.pipeline import votes_of
from strategies import HEADS_BY_NAME, Head, vote_matrix
from tests.html_page import Page
from tests.test_experiments.command_line import called, refused
from tests.test_experiments.conftest import SYMBOLS

from .conftest import EVENTS, HOUR_NS, START_NS


@pytest.fixture(scope="module")
def toy_picture(market: Market, head: Head, found: list[HeadEvents]) -> Picture:
    votes = vote_matrix(market, [head])
    return picture(market, head, found, votes, window_of(market.bars, None, None))


@pytest.fixture(scope="module")
def page(small_config: RunConfig, store: Store) -> Drawing:
    return draw(small_config, head="harmonic", symbol=SYMBOLS[0], store=store)


def marker_traces(drawn: Picture) -> list[dict[str, Any]]:
    return [trace for trace in drawn.data if trace.get("mode") == "markers+text"]


def test_each_type_is_a_layer_with_a_marker_for_each_event(toy_picture: Picture):
    assert [(one.label, one.count) for one in toy_picture.legend[:4]] == [
        ("zone", 2),
        ("level (S/R)", 1),
        ("bare", 2),
        ("shape", 1),
    ]
    markers = marker_traces(toy_picture)
    x = sorted(x for trace in markers for x in trace["x"])
    assert x == sorted((START_NS + HOUR_NS * int(row[3])) / 1e6 for row in EVENTS)
    shapes = {
        (trace["hovertext"][at].split("\n")[2], shape)
        for trace in markers
        for at, shape in enumerate(trace["marker"]["symbol"])
    }
    assert shapes == {
        ("argues for a rise", "triangle-up"),
        ("argues for a fall", "triangle-down"),
        ("argues for neither side", "diamond"),
    }


def hours(path: dict[str, Any]) -> list[float]:
    """Corners of a path in hours since the first bar."""
    return [(x - START_NS / 1e6) / 3.6e6 for x in path["x"] if x is not None]


def test_zones_begin_where_they_became_known_and_lines_lead_back(toy_picture: Picture):
    zone, bare = toy_picture.legend[0], toy_picture.legend[2]
    paths = [toy_picture.paths[at] for at in zone.paths]
    filled = [path for path in paths if "fillcolor" in path]
    assert min(min(hours(path)) for path in filled) == 8
    assert [path["line"]["dash"] for path in filled] == ["solid", "solid", "dash"]
    (spent,) = [path for path in paths if path["line"]["dash"] == "dot" and min(hours(path)) == 20]
    assert max(hours(spent)) == 26
    (backs,) = [path for path in paths if path["line"]["color"].endswith("/0.7")]
    assert (min(hours(backs)), max(hours(backs))) == (5, 42)
    assert hours(backs)[:2] == [5, 8]
    # The bare event's line goes from its marker to the high of the bar that it describes.
    assert hours(toy_picture.paths[bare.paths[0]])[:2] == [22, 20]


def test_targets_and_legend_entries_switch_what_exists(toy_picture: Picture):
    traces = [at for one in toy_picture.legend for at in one.traces]
    paths = [at for one in toy_picture.legend for at in one.paths]
    assert sorted(traces) == list(range(4, len(toy_picture.data)))
    assert sorted(paths) == list(range(len(toy_picture.paths)))
    targets = next(one for one in toy_picture.legend if one.key == "levels")
    assert not targets.shown
    of_level, of_bare = [toy_picture.paths[at] for at in targets.paths]
    assert (of_level["y"], of_bare["y"]) == ([95.0, 95.0, None], [97.0, 97.0, None])
    # To the end of the window with the level, and for a day where there is no zone.
    assert hours(of_level) == [15, 59.5]
    assert hours(of_bare) == [22, 46]
    begins = [toy_picture.data[at] for at in targets.traces]
    assert [one["hovertext"] for one in begins] == [["target 95 · level"], ["target 97 · bare"]]


def test_missing_bars_have_no_prices(toy_picture: Picture, market: Market):
    bars = toy_picture.bars
    assert set(bars) == {"x", "open", "high", "low", "close", "volume"}
    missing = np.flatnonzero(np.isnan(bars["open"]))
    assert missing.tolist() == np.flatnonzero(market.bars.is_gap).tolist() == [33]
    there = ~market.bars.is_gap
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(bars[name][there], getattr(market.bars, name)[there])
    assert (bars["x"] == market.bars.open_time / 1e6).all()


def test_the_strip_shows_the_votes_of_the_run(
    page: Drawing, result: RunResult, small_config: RunConfig
):
    """Direction x probability x confidence of the recorded votes, and their reasons in words."""
    rows = page.window.rows
    recorded = votes_of(small_config, result.market(SYMBOLS[0]))
    column = recorded.names.index("harmonic")
    product = (
        recorded.direction[rows, column]
        * recorded.probability[rows, column]
        * recorded.confidence[rows, column]
    )
    has_data = recorded.coverage[rows, column] > 0
    rises, falls, line = page.picture.data[1:4]
    assert (product > 0).any() or (product < 0).any()
    assert rises["y"][1:-1] == pytest.approx(np.where(product > 0, product, 0.0), rel=1e-9)
    assert falls["y"][1:-1] == pytest.approx(np.where(product < 0, product, 0.0), rel=1e-9)
    assert np.array_equal(np.isnan(line["y"][1:-1]), ~has_data)
    for trace in (rises, falls, line):
        assert np.array_equal(trace["x"][1:-1], recorded.open_time[rows] / 1e6)
    # An area of votes reaches halfway to the bars beside it.
    assert rises["line"]["shape"] == falls["line"]["shape"] == "hvh"
    said = page.picture.said
    assert len(said) == len(product)
    for text, strength, known in zip(said, product, has_data, strict=True):
        first = "votes LONG" if strength > 0 else "votes SHORT" if strength < 0 else "no vote"
        assert text.split("\n")[0] == (first if known else "no data")
    texts = {one.text for one in HEADS_BY_NAME["harmonic"].REASONS}
    told = {line.partition(" ")[2] for text in said for line in text.split("\n")}
    assert texts & told


def test_kill_zones_follow_the_clock_of_new_york(result: RunResult):
    """Bar by bar from the wall clock, weekends left out, summer time included."""
    market = result.market(SYMBOLS[0])
    head = HEADS_BY_NAME["ict"]()
    window = window_of(market.bars, None, None)
    bands = kill_zone_bands(market, head, window)
    inside: dict[float, str] = {}
    for band in bands:
        for x in window.x():
            if band.left < x < band.right:
                inside[float(x)] = KILL_ZONES[band.code][1]
    wall = {"A": range(20, 24), "L": range(2, 5), "N": range(7, 10), "C": range(10, 12)}
    expected = {}
    for x in window.x():
        local = datetime.fromtimestamp(x / 1e3, UTC).astimezone(ZoneInfo("America/New_York"))
        for letter, of_zone in wall.items():
            weekday = (local.weekday() + (local.hour >= 20)) % 7
            if local.hour in of_zone and weekday < 5:
                expected[float(x)] = letter
    assert inside == expected
    assert {name for _, name, _ in KILL_ZONES.values()} == set(wall)
    assert kill_zone_bands(market, HEADS_BY_NAME["harmonic"](), window) == []


def test_the_page_fetches_nothing_and_is_small(page: Drawing):
    found = Page(page.html)
    assert set(found.loads) <= {"data:,", "link", "#content"}
    assert "default-src 'none'" in page.html
    assert len(page.html) < 2_000_000
    plotly, figure, *scripts = found.scripts
    assert len(scripts) == 2
    figure, plotly = sorted((figure, plotly), key=lambda one: not one.startswith("{"))
    assert b"plotly" in gzip.decompress(base64.b64decode(plotly))[:2000]
    assert "<" not in figure
    content = json.loads(figure)
    assert content == json.loads(json.dumps(figure_content(page.picture)))
    texts = content["texts"]
    assert len(texts) == len(set(texts))
    for trace, drawn in zip(content["data"], page.picture.data, strict=True):
        assert [texts[at] for at in trace.get("texts", ())] == list(drawn.get("hovertext", ()))
    marked = sum(one.is_marked for one in page.picture.events)
    assert marked > 20
    assert f"{marked} events became known here" in " ".join(page.html.split())
    assert [texts[at] for at in content["listed"]] == [
        one.text for one in page.picture.events if one.is_marked
    ]
    assert [texts[at] for at in content["said"]] == page.picture.said
    assert "SIMULATED" in page.html


def test_text_of_the_configuration_is_shown_as_it_is(small_config: RunConfig, store: Store):
    nasty = "</script><script>alert(1)</script>"
    named = small_config.model_copy(update={"name": nasty})
    html = draw(named, head="harmonic", symbol=SYMBOLS[0], store=store).html
    assert nasty not in html
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in html


def test_the_same_page_is_written_again(
    page: Drawing, small_config: RunConfig, store: Store, tmp_path: Path
):
    again = draw(small_config, head="harmonic", symbol=SYMBOLS[0], store=store)
    assert again.html == page.html
    assert again.write(tmp_path / "page.html").read_text(encoding="utf-8") == page.html


def test_a_page_that_ends_earlier_says_nothing_of_what_came_later(
    small_config: RunConfig, store: Store, result: RunResult
):
    bars = result.market(SYMBOLS[0]).bars
    end_ns = int(bars.close_time[22])
    drawn = draw(small_config, head="ict", symbol=SYMBOLS[0], store=store, end_ns=end_ns)
    assert drawn.window.end_ns == end_ns
    assert [one.type_name for one in drawn.picture.events] == ["zone", "level", "bare"]
    zone = drawn.picture.events[0]
    assert ("filled" in zone.text, "turned" in zone.text) == (True, False)
    assert [one.look for one in zone.life] == ["fresh", "touched", "spent"]
    assert (drawn.window.first, len(drawn.picture.bars["x"])) == (0, 23)
    begun = draw(
        small_config,
        head="ict",
        symbol=SYMBOLS[0],
        store=store,
        start_ns=int(bars.open_time[10]),
        end_ns=end_ns,
        types=["zone"],
    )
    assert [(one.type_name, one.is_marked) for one in begun.picture.events] == [("zone", False)]
    assert "1 zone reach in from before" not in begun.html
    assert "1 zone reaches in from before" in " ".join(begun.html.split())


def test_too_many_events_are_refused_with_what_to_do(
    market: Market, head: Head, found: list[HeadEvents], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(figure_module, "MAX_EVENTS", 5)
    with pytest.raises(ConfigError, match=r"6 events of ict .* 5 at most; choose some with --type"):
        picture(
            market, head, found, vote_matrix(market, [head]), window_of(market.bars, None, None)
        )


def test_a_head_without_events_in_the_window_has_a_page(market: Market, head: Head):
    window = window_of(market.bars, START_NS + HOUR_NS, START_NS + 4 * HOUR_NS)
    found = list(events_on(market, "TOY", [head], end_ns=window.end_ns))
    drawn = picture(market, head, found, vote_matrix(market, [head]), window)
    assert drawn.events == []
    assert [one.key for one in drawn.legend] == ["zone1"]
    assert len(drawn.data) == 4 + 1


def test_a_market_of_one_price_has_a_page(market: Market, head: Head):
    """No range to scale by, no volume, every bar alike; and no number that JSON cannot hold."""
    ones = np.full(len(market.bars), 7.0)
    prices = dict.fromkeys(("open", "high", "low", "close"), ones)
    flat = replace(market, bars=replace(market.bars, **prices, volume=0.0 * ones))
    found = list(events_on(flat, "TOY", [head]))
    window = window_of(flat.bars, None, None)
    drawn = picture(flat, head, found, vote_matrix(flat, [head]), window)
    assert json.dumps(figure_content(drawn), allow_nan=False)
    low, high = drawn.layout["yaxis"]["range"]
    assert low < 7.0 < high


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(
        "name: small\ndata:\n  simulated:\n    mode: 'null'\n    days: 40\n"
        f"    symbols: [{', '.join(SYMBOLS)}]\n",
        encoding="utf-8",
    )
    return path


def test_the_command_writes_a_page_and_says_where(
    path: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    words = ("draw", path, "--store", store.root, "--head", "harmonic", "--symbol", SYMBOLS[1])
    code, out, _ = called(capsys, *words)
    assert (code, out.strip()) == (0, f"{SYMBOLS[1]}-harmonic.html")
    assert (tmp_path / out.strip()).is_file()
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    code, out, _ = called(capsys, *words, "--out", tmp_path / "a.html", "--open", "--json")
    content = json.loads(out)
    assert (content["path"], content["bars"]) == (str(tmp_path / "a.html"), 300)
    assert content["events"] > 20
    assert opened == [(tmp_path / "a.html").as_uri()]


def test_what_cannot_be_drawn_is_one_line(
    path: Path, store: Store, capsys: pytest.CaptureFixture[str]
):
    words = ("draw", path, "--store", store.root)
    for given, told in (
        (("--head", "all"), "a page shows one head; draw one for each of ict, harmonic"),
        (("--head", "harmonics"), "did you mean 'harmonic'?"),
        (("--head", "technical"), "this head looks for no events"),
        (("--head", "ict"), f"give one of {', '.join(SYMBOLS)} with --symbol"),
        (("--head", "ict", "--symbol", "AAASM"), "did you mean 'AAASIM'?"),
        (("--head", "ict", "--symbol", SYMBOLS[0], "--type", "zon"), "did you mean 'zone'?"),
        (("--head", "ict", "--symbol", SYMBOLS[0], "--to", "1999-01-01"), "no 1h bar of AAASIM"),
    ):
        code, line = refused(capsys, *words, *given)
        assert code == 2
        assert told in line, line


def test_of_too_many_markers_the_commonest_kinds_wait_until_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, small_config: RunConfig, store: Store
):
    every = draw(small_config, head="ict", symbol=SYMBOLS[0], store=store)
    usual = [one for one in every.picture.legend if one.count and one.shown]
    assert len(usual) > 2
    assert every.picture.held_back == []
    assert "not shown until switched on" not in every.html
    marks = sum(1 + len(one.changes) for one in every.picture.events)
    for limit in (marks - 1, 0):
        monkeypatch.setattr(figure_module, "MARKERS_AT_FIRST", limit)
        drawing = draw(small_config, head="ict", symbol=SYMBOLS[0], store=store)
        entries = {one.key: one for one in drawing.picture.legend}
        shown = [one.key for one in usual if entries[one.key].shown]
        off = [one for one in usual if one.key not in shown]
        assert 1 <= len(shown) < len(usual)
        assert drawing.picture.held_back == list(dict.fromkeys(one.label for one in off))
        assert f"until switched on above: {', '.join(drawing.picture.held_back)}." in drawing.html
        assert [entries[one.key].count for one in usual] == [one.count for one in usual]
