"""The summary of a run in a terminal: what stands there, how wide, on which terminals."""

import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from engine import ConfigError
from experiments import RunRecord, RunResult, load_run
from experiments.run_tables import BRIEF, HEADLINES, print_run
from experiments.sparkline import ASCII_LEVELS, BLOCKS, sparkline
from experiments.verdict import verdict


class Altered(RunRecord):
    """A record with another table of equity than its folder holds."""

    equity: pa.Table | None = None

    def table(self, name: str) -> pa.Table:
        return self.equity if name == "equity" and self.equity else super().table(name)


def altered(result: RunResult, changes: Mapping[str, Any], equity: Any = None) -> RunRecord:
    record = load_run(result.run_dir)
    made = Altered(run_dir=record.run_dir, content={**record.content, **changes})
    if equity is not None:
        table = record.table("equity").slice(0, len(equity))
        at = table.schema.get_field_index("equity")
        object.__setattr__(made, "equity", table.set_column(at, "equity", pa.array(equity)))
    return made


def printed(record: RunRecord, *, verbose: bool = False, encoding: str = "utf-8") -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    print_run(record, Console(file=file, width=80, highlight=False), verbose=verbose)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def widths(text: str) -> list[int]:
    return [
        cell_len(line) for line in text.splitlines() if not line.startswith(("run  ", "report  "))
    ]


def with_metrics(content: Mapping[str, Any], **values: float | None) -> dict[str, Any]:
    return {"metrics": {**content["metrics"], **values}}


def test_what_matters_first_stands_above_the_rest(result: RunResult):
    record = load_run(result.run_dir)
    text = printed(record)
    metrics, held = record.content["metrics"], record.content["benchmark_metrics"]
    [row] = [line for line in text.splitlines() if line.startswith(" run ")]
    assert row.split() == [
        "run",
        f"{metrics['total_return']:.2%}",
        f"{metrics['sharpe']:.2f}",
        f"{metrics['max_drawdown']:.2%}",
        str(record.content["n_trades"]),
        f"{metrics['exposure']:.2%}",
    ]
    [row] = [line for line in text.splitlines() if line.startswith(" buy & hold ")]
    assert row.split()[3:] == [
        f"{held['total_return']:.2%}",
        f"{held['sharpe']:.2f}",
        f"{held['max_drawdown']:.2%}",
    ]
    order = ["total return", "equity  ", "annual return", "consensus stood", "note: ", "report  "]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert text.index(verdict(record.content)[0].split()[0]) < places[0]
    assert text.splitlines()[-1] == f"report  {record.run_dir / 'report.html'}"
    assert len(text.splitlines()) < 50


def test_equity_is_told_with_its_start_end_and_lowest(result: RunResult):
    record = load_run(result.run_dir)
    table = record.table("equity")
    equity = table["equity"].to_numpy()
    lowest = int(equity.argmin())
    told = (
        f"equity  100,000 to {equity[-1]:,.0f}; lowest {equity[lowest]:,.0f} on "
        f"{table['time'][lowest].as_py():%Y-%m-%d}"
    )
    assert told in printed(record)
    assert f"equity  {sparkline(equity)}\n" in printed(record)


def test_verbose_shows_every_head_and_more_metrics(result: RunResult):
    record = load_run(result.run_dir)
    brief, long = printed(record), printed(record, verbose=True)
    assert "has data" not in brief
    assert long.count("has data") == len(record.content["symbols"])
    assert len(long.splitlines()) > len(brief.splitlines()) + 15
    for word in ("Sortino", "longest drawdown bars", "mean bars held"):
        assert (word in brief, word in long) == (False, True)
    assert set(BRIEF) < set(HEADLINES)


def test_nothing_that_warns_is_only_in_the_long_form(result: RunResult):
    """A head without data, one that is off, one that votes too often, refused orders, notes."""
    content = load_run(result.run_dir).content
    notes = [
        "wyckoff has no data on any bar of all 2 symbols and abstains; the quorum is as it was"
    ]
    firing = [
        {
            **of_symbol,
            "heads": [
                {**of_symbol["heads"][0], "enabled": False, "voted": 0.0},
                {**of_symbol["heads"][1], "voted": 0.77, "expected": [0.005, 0.25]},
                *of_symbol["heads"][2:],
            ],
        }
        for of_symbol in content["firing"]
    ]
    rejected = with_metrics(content, orders_rejected=12.0, liquidations=3.0)
    text = printed(altered(result, {"notes": notes, "firing": firing, **rejected}))
    flat = " ".join(text.split())
    assert f"note: {notes[0]}" in flat
    assert f"heads that are off: {firing[0]['heads'][0]['name']}" in flat
    assert f"{firing[0]['heads'][1]['name']} 77.0% (expected 0.5%-25.0%)" in flat
    assert "orders rejected 12" in flat
    assert "liquidations 3" in flat
    for line in verdict({**content, "notes": notes}):
        assert " ".join(line.split()) in flat


def test_runs_of_little(result: RunResult):
    """Without a trade, ruined, of a single bar: undefined is n/a, and nothing breaks."""
    content = load_run(result.run_dir).content
    nothing = dict.fromkeys(content["metrics"])
    text = printed(altered(result, {"metrics": nothing, "benchmark_metrics": nothing}))
    [row] = [line for line in text.splitlines() if line.startswith(" run ")]
    assert row.split() == ["run", *["n/a"] * 5]
    ruined = {**with_metrics(content, total_return=-1.0, sharpe=-9.0), "ruined_bar": 500}
    text = printed(altered(result, ruined, np.concatenate((np.full(500, 1e5), np.zeros(460)))))
    assert "RUINED" in text
    assert f"equity  {BLOCKS[-1] * 31}{BLOCKS[0] * 29}\n" in text
    assert "equity  100,000 to 0; lowest 0 on" in text
    text = printed(altered(result, {"bars": 1}, np.array([1e5])))
    assert text.count("equity  ") == 1
    assert "equity  100,000 to 100,000; never below the start" in text
    assert text.splitlines()[0].endswith(" 1 bar")


def test_the_benchmark_of_an_inverse_account_keeps_its_coins(result: RunResult):
    config = load_run(result.run_dir).content["config"]
    inverse = {**config, "margin": {**config["margin"], "contract": "inverse"}}
    text = printed(altered(result, {"config": inverse}))
    assert text.count("coins kept") == 2
    assert "buy & hold" not in text


def test_targets_decide_and_no_head_does(result: RunResult):
    text = " ".join(printed(altered(result, {"decisions_from": "mine/targets.csv"})).split())
    assert "decisions from mine/targets.csv; what the heads vote decides nothing" in text
    assert "consensus stood" not in text
    assert "than expected" not in text


def test_two_hundred_symbols_are_told_in_a_screen_or_two(result: RunResult):
    content = load_run(result.run_dir).content
    names = [f"COIN{number}USDT" for number in range(200)]
    changes = {
        "symbols": names,
        "firing": [{**content["firing"][0], "symbol": name} for name in names],
        "notes": [f"{name}: 12 of 960 signal bars are missing (gaps)" for name in names],
    }
    text = printed(altered(result, changes))
    assert len(text.splitlines()) < 50
    assert "200 symbols" in text
    assert "all 200 symbols: 12 of 960 signal bars are missing (gaps)" in text


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=120)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_line_is_wider_than_the_terminal(result: RunResult, data: st.DataObject):
    content = load_run(result.run_dir).content
    names = data.draw(st.lists(TEXT, min_size=2, max_size=2, unique=True))
    values = {name: data.draw(NUMBER) for name in dict.fromkeys(("total_return", "sharpe", *BRIEF))}
    changes = {
        **with_metrics(content, **values),
        "name": data.draw(TEXT),
        "symbols": names,
        "notes": data.draw(st.lists(TEXT, max_size=3)),
        "overrides": data.draw(st.lists(TEXT, max_size=2)),
        "firing": [
            {**one, "symbol": name} for one, name in zip(content["firing"], names, strict=True)
        ],
    }
    for verbose in (False, True):
        assert max(widths(printed(altered(result, changes), verbose=verbose))) <= 80


def test_a_terminal_without_blocks_gets_plain_characters(result: RunResult):
    text = printed(load_run(result.run_dir), encoding="ascii")
    [line] = [line for line in text.splitlines() if line.startswith("equity  ")][:1]
    assert set(line.removeprefix("equity  ")) <= set(ASCII_LEVELS)


def test_colours_are_for_terminals_and_never_against_no_color(
    result: RunResult, monkeypatch: pytest.MonkeyPatch
):
    record = load_run(result.run_dir)

    def shown(**environment: str) -> str:
        file = io.StringIO()
        console = Console(
            file=file, width=80, force_terminal=True, _environ={"TERM": "xterm", **environment}
        )
        print_run(record, console)
        return file.getvalue()

    assert "\x1b[33m" in shown()
    assert "\x1b[33m" not in shown(NO_COLOR="1")
    assert "\x1b" not in printed(record)


def by_hand(values: list[float], width: int) -> str:
    """The same line, a character at a time, from the text of its definition alone."""
    columns = min(width, len(values))
    lowest = []
    for column in range(columns):
        mine = [v for i, v in enumerate(values) if column == _column_of(i, len(values), columns)]
        lowest.append(min(mine))
    low, high = min(lowest), max(lowest)
    if low == high:
        return "▄" * columns
    return "".join("▁▂▃▄▅▆▇█"[round((value - low) / (high - low) * 7)] for value in lowest)


def _column_of(index: int, count: int, columns: int) -> int:
    return max(column for column in range(columns) if math.floor(column * count / columns) <= index)


@settings(max_examples=80, deadline=None)
@given(
    values=st.lists(st.integers(-1000, 1000).map(float), min_size=1, max_size=90),
    width=st.integers(1, 60),
)
def test_sparkline_against_one_made_by_hand(values: list[float], width: int):
    drawn = sparkline(np.array(values), width)
    assert drawn == by_hand(values, width)
    plain = sparkline(np.array(values), width, ascii_only=True)
    assert plain.translate(str.maketrans(ASCII_LEVELS, BLOCKS)) == drawn


def test_sparkline_known_lines():
    assert sparkline(np.arange(8.0)) == BLOCKS
    assert sparkline(np.array([5.0, 5.0, 5.0])) == "▄▄▄"
    assert sparkline(np.array([])) == ""
    # One bar of ten thousand falls, and the line shows it.
    equity = np.full(10_000, 100.0)
    equity[4_321] = 50.0
    assert sparkline(equity) == "█" * 25 + "▁" + "█" * 34
    assert sparkline(np.array([-1.7e308, 0.0, 1.7e308])) == "▁▅█"
    with pytest.raises(ConfigError, match="width=0 must be at least 1"):
        sparkline(equity, 0)
