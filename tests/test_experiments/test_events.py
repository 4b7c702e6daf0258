"""`ninefold events`: the table of a configuration's events, and what a person reads of it."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import Store
from engine import ConfigError
from experiments import RunConfig, RunResult
from experiments.events.found import HeadEvents, found_events
from experiments.events.table import FACTS_KEY, changes_table, events_table, write_table
from indicators import DETECTORS_BY_NAME, Detection, detection, find_events
from strategies import HEADS_BY_NAME
from tests.test_experiments.command_line import called, refused
from tests.test_experiments.conftest import SYMBOLS

DETECTIONS = {
    "ict": {
        "swings": detection("pivot", left=3, right=3),
        "gaps": detection("fair_value_gap"),
        "longer": detection("fair_value_gap", clock="bars:4h"),
    },
    "harmonic": {"figures": detection("harmonic")},
}
"""Points, zones with states, longer bars, further levels: what a table has to hold."""


@pytest.fixture(scope="module", autouse=True)
def detections() -> Iterator[None]:
    """Heads that look for these events, whatever else they look for one day."""
    with pytest.MonkeyPatch.context() as patch:
        for name, head in HEADS_BY_NAME.items():
            of_head = DETECTIONS.get(name, {})
            patch.setattr(head, "detections", lambda self, of_head=of_head: of_head)
        yield


@pytest.fixture(scope="module")
def found(small_config: RunConfig, store: Store) -> list[HeadEvents]:
    return found_events(small_config, store=store)


@pytest.fixture(scope="module")
def events(found: list[HeadEvents]) -> list[dict[str, Any]]:
    return events_table(found).to_pylist()


def moment(nanoseconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=int(nanoseconds) // 1000)


def or_none(value: float) -> float | None:
    return None if isnan(value) else float(value)


def written_out(
    market: Any, symbol: str, head: str, alias: str, wanted: Detection
) -> list[dict[str, Any]]:
    """The rows of one detection, event by event and change by change."""
    one = find_events(market, [wanted], detectors=DETECTORS_BY_NAME)[wanted]
    detector, table = one.detector, one.table
    opened, known = one.clock.event_time, one.clock.available_at
    rows = []
    for event in range(len(table)):
        changes = [
            {"state": detector.states[int(state)].name, "time": moment(known[int(row)])}
            for of, state, row in zip(
                table.change_event, table.change_state, table.change_row, strict=True
            )
            if of == event
        ]
        last = changes[-1] if changes else {"state": None, "time": None}
        rows.append(
            {
                "symbol": symbol,
                "head": head,
                "detection": alias,
                "detector": wanted.detector,
                "clock": wanted.clock,
                "event": event,
                "type": detector.types[int(table.type[event])].name,
                "direction": int(table.direction[event]),
                "anchor_time": moment(opened[table.anchor[event]]),
                "known_time": moment(known[table.known[event]]),
                "delay": int(table.known[event]) - int(table.anchor[event]),
                "top": or_none(table.top[event]),
                "bottom": or_none(table.bottom[event]),
                "measure": or_none(table.measure[event]),
                "measure_unit": detector.measure_unit,
                "points": [
                    {"name": name, "time": moment(opened[int(row)]), "price": float(price)}
                    for name, row, price in zip(
                        detector.points,
                        table.point_rows[event],
                        table.point_prices[event],
                        strict=True,
                    )
                    if row >= 0
                ],
                "levels": [
                    {"name": name, "price": float(price)}
                    for name, price in zip(detector.levels, table.levels[event], strict=True)
                    if not isnan(price)
                ],
                "state": last["state"],
                "state_time": last["time"],
                "is_over": last["state"] in [one.name for one in detector.states if one.ends],
                "changes": changes,
            }
        )
    return rows


def test_every_event_is_there_with_its_times_points_levels_and_states(
    events: list[dict[str, Any]], result: RunResult
):
    """Row by row from the tables of the detectors, on the markets that a run of it has read."""
    expected = [
        row
        for symbol in SYMBOLS
        for head in ("ict", "harmonic")
        for alias, wanted in DETECTIONS[head].items()
        for row in written_out(result.market(symbol), symbol, head, alias, wanted)
    ]
    assert events == expected
    assert any(row["changes"] for row in events)
    assert any(row["levels"] for row in events)
    assert {row["clock"] for row in events} == {"bars", "bars:4h"}
    assert any(row["is_over"] for row in events)


def test_changes_are_those_of_the_events(found: list[HeadEvents], events: list[dict[str, Any]]):
    changes = changes_table(found).to_pylist()
    assert len(changes) == sum(len(row["changes"]) for row in events) > 100
    by_event: dict[tuple[str, str, str, int], list[dict[str, Any]]] = {}
    for row in changes:
        key = (row["symbol"], row["head"], row["detection"], row["event"])
        by_event.setdefault(key, []).append({"state": row["state"], "time": row["time"]})
        assert row["time"] >= row["known_time"]
    for row in events:
        key = (row["symbol"], row["head"], row["detection"], row["event"])
        assert by_event.get(key, []) == row["changes"]


def test_an_end_shows_what_was_known_then(
    small_config: RunConfig, store: Store, result: RunResult, events: list[dict[str, Any]]
):
    """The same tables as on markets that end there: no later event, and no later state either."""
    bars = result.market(SYMBOLS[0]).bars
    row = len(bars) // 2
    end_ns = int(bars.close_time[row])
    cut = events_table(found_events(small_config, store=store, end_ns=end_ns)).to_pylist()
    expected = [
        row_
        for symbol in SYMBOLS
        for head in ("ict", "harmonic")
        for alias, wanted in DETECTIONS[head].items()
        for row_ in written_out(result.market(symbol).prefix(row + 1), symbol, head, alias, wanted)
    ]
    assert cut == expected
    assert 0 < len(cut) < len(events)
    start_ns = int(bars.close_time[row - 100])
    late = events_table(
        found_events(small_config, store=store, start_ns=start_ns, end_ns=end_ns)
    ).to_pylist()
    assert late == [one for one in cut if one["known_time"] >= moment(start_ns)]
    assert 0 < len(late) < len(cut)


def test_heads_symbols_and_types_are_chosen(
    small_config: RunConfig, store: Store, events: list[dict[str, Any]]
):
    def chosen(**choice: Any) -> list[dict[str, Any]]:
        return events_table(found_events(small_config, store=store, **choice)).to_pylist()

    assert chosen(heads=["harmonic"]) == [row for row in events if row["head"] == "harmonic"]
    assert chosen(symbols=[SYMBOLS[1]]) == [row for row in events if row["symbol"] == SYMBOLS[1]]
    assert chosen(types=["pivot_low"]) == [row for row in events if row["type"] == "pivot_low"]
    assert chosen(heads=["ict"], types=["pivot", "fair_value_gap"]) == [
        row for row in events if row["head"] == "ict"
    ]


def test_a_head_that_does_not_vote_is_shown_when_it_is_named(
    small_config: RunConfig, store: Store, events: list[dict[str, Any]]
):
    heads = small_config.heads.model_copy(update={"enabled": ("harmonic",)})
    config = small_config.model_copy(update={"heads": heads})
    whole = events_table(found_events(config, store=store)).to_pylist()
    assert whole == [row for row in events if row["head"] == "harmonic"]
    named = events_table(found_events(config, store=store, heads=["ict"])).to_pylist()
    assert named == [row for row in events if row["head"] == "ict"]


def test_a_parquet_file_holds_the_table_and_what_it_means(found: list[HeadEvents], tmp_path: Path):
    table = events_table(found)
    for name in ("one.parquet", "two.parquet"):
        write_table(tmp_path / name, table)
    read = pq.read_table(tmp_path / "one.parquet")
    assert read.equals(table)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert read.schema.field("known_time").type == pa.timestamp("us")
    for field in read.schema:
        assert field.metadata[b"text"], field.name
    facts = json.loads(read.schema.metadata[FACTS_KEY])["detections"]
    swings = next(one for one in facts if one["detection"] == "swings")
    assert swings["parameters"] == {"left": 3, "right": 3}


def test_a_csv_file_holds_the_same(found: list[HeadEvents], tmp_path: Path):
    table = events_table(found)
    write_table(tmp_path / "events.csv", table)
    with (tmp_path / "events.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for read, row in zip(rows, table.to_pylist(), strict=True):
        assert datetime.fromisoformat(read["known_time"]) == row["known_time"]
        assert read["type"] == row["type"]
        assert (read["top"] or None) == (None if row["top"] is None else read["top"])
        changes = [
            {"state": one["state"], "time": datetime.fromisoformat(one["time"])}
            for one in json.loads(read["changes"])
        ]
        assert changes == row["changes"]
        assert [one["price"] for one in json.loads(read["points"])] == [
            one["price"] for one in row["points"]
        ]
    with pytest.raises(ConfigError, match=r"must end in \.parquet or \.csv"):
        write_table(tmp_path / "events.xlsx", table)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(
        "name: small\ndata:\n  simulated:\n    mode: 'null'\n    days: 40\n"
        f"    symbols: [{', '.join(SYMBOLS)}]\n",
        encoding="utf-8",
    )
    return path


def test_the_terminal_shows_counts_and_the_newest_last_in_80_columns(
    path: Path, store: Store, capsys: pytest.CaptureFixture[str], events: list[dict[str, Any]]
):
    code, out, err = called(capsys, "events", path, "--store", store.root, "--limit", 7)
    assert code == 0
    lines = out.splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    flat = " ".join(out.split())
    gaps = [row for row in events if row["type"] == "fair_value_gap"]
    counts = (
        len(gaps),
        sum(row["direction"] == 1 for row in gaps),
        sum(row["direction"] == -1 for row in gaps),
        sum(row["is_over"] for row in gaps),
    )
    assert "fair_value_gap " + " ".join(f"{count:,}" for count in counts) in flat
    assert f"{len(events) - 7:,} older events are not shown" in flat
    assert " bars late " in flat
    assert "; over: their story has ended (used up, broken or too old)" in flat
    shown = [line.split()[:2] for line in lines if line.strip().startswith("2021-")]
    newest = sorted(row["known_time"] for row in events)[-7:]
    assert shown == [f"{one:%Y-%m-%d %H:%M}".split() for one in newest]
    assert "·" in err


def test_changes_are_listed_on_their_own(
    path: Path, store: Store, capsys: pytest.CaptureFixture[str]
):
    words = ("events", path, "--store", store.root, "--changes", "--symbol", SYMBOLS[0])
    code, out, _ = called(capsys, *words, "--type", "fair_value_gap", "--limit", 5)
    assert code == 0
    assert all(len(line.rstrip()) <= 80 for line in out.splitlines())
    assert "known since" in out
    code, out, _ = called(capsys, *words, "--type", "pivot")
    assert "none of these events has changed its state" in out
    code, out, _ = called(capsys, *words, "--to", "1999-01-01")
    assert (code, out.strip()) == (0, "no event became known")


def test_json_is_one_object_with_everything(
    path: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    events: list[dict[str, Any]], found: list[HeadEvents],
):  # fmt: skip
    words = ("events", path, "--store", store.root, "--json")
    code, out, _ = called(capsys, *words)
    content = json.loads(out)
    assert code == 0
    assert len(content["events"]) == len(events)
    assert datetime.fromisoformat(content["events"][5]["known_time"]) == events[5]["known_time"]
    assert sum(one["events"] for one in content["counts"]) == len(events)
    assert len(content["detections"]) == len(found)
    code, out, _ = called(capsys, *words, "--changes")
    assert len(json.loads(out)["changes"]) == len(changes_table(found))
    code, out, _ = called(capsys, *words, "--out", tmp_path / "events.parquet")
    assert json.loads(out)["path"] == str(tmp_path / "events.parquet")
    assert pq.read_table(tmp_path / "events.parquet").num_rows == len(events)


def test_what_is_mistyped_names_the_nearest(
    path: Path, store: Store, capsys: pytest.CaptureFixture[str]
):
    words = ("events", path, "--store", store.root)
    for given, told in (
        (("--head", "itc"), "did you mean 'ict'?"),
        (("--head", "sentiment"), "looks for no events; those that do are ict, harmonic"),
        (("--symbol", "AAASM"), "did you mean 'AAASIM'?"),
        (("--type", "fair_value_gaps"), "did you mean 'fair_value_gap'?"),
        (("--head", "harmonic", "--type", "pivot"), "no such event of harmonic"),
        (("--from", "2020-02-01", "--to", "2020-01-01"), "--from lies after --to"),
        (("--from", "yesterday"), "--from: 'yesterday' is not a time"),
        (("--out", "events.txt"), "must end in .parquet or .csv"),
    ):
        code, line = refused(capsys, *words, *given)
        assert code == 2
        assert told in line, line
