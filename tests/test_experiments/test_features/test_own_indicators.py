"""One file in the user's project: loaded under its own name, checked, placed in every identity."""

import hashlib
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets import Store
from engine import BacktestError, ConfigError, ContractError, DataError, Market
from experiments import config_hash, config_of, load_config, run, verify_run
from experiments.checks import check_own_indicators
from experiments.config_file import resolved
from experiments.features import own_indicators as own_module
from experiments.features.keeping import read_matrix
from experiments.features.own_indicators import indicators_of, own_indicators_of
from experiments.record import load_run
from experiments.sweeps.config import load_sweep_config, sweep_config_of
from experiments.sweeps.executors import Workers
from experiments.sweeps.run import run_sweep
from indicators import INDICATORS_BY_NAME

from .conftest import OWN, Build, ConfigOf

DOCS = Path(__file__).resolve().parents[3] / "docs"
LEAKY = OWN.replace(
    "return rolling_mean(high - low, length) / close / 2",
    "return np.append(rolling_mean(high - low, length)[1:], 0.0) / close / 2",
)


def edited(path: Path, before: str, after: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


def line_of(path: Path, word: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if word in line)


def test_a_column_of_ones_own(config_with: ConfigOf, build: Build, own: Path, market: Market):
    config = config_with("half_range.share(length=3)", "rsi.rsi", own=(own,))
    (made,) = build(config)
    column = read_matrix(made.path).column("half_range.share(length=3)@bars").to_numpy()
    bars = market.bars
    assert np.isnan(column[:2]).all()
    for row in (2, 100, len(bars) - 1):
        ranges = [bars.high[k] - bars.low[k] for k in (row - 2, row - 1, row)]
        assert column[row] == pytest.approx(sum(ranges) / 3 / bars.close[row] / 2, rel=1e-12)
    assert (made.columns[0].lookback, made.columns[0].stable) == (2, 2)


def test_an_edit_reaches_the_columns_of_the_file_only(
    config_with: ConfigOf, build: Build, own: Path
):
    build(config_with("half_range.share", "rsi.rsi", own=(own,)))
    edited(own, "/ close / 2", "/ close / 4")
    (made,) = build(config_with("half_range.share", "rsi.rsi", own=(own,)))
    assert (made.computed, made.reused) == (1, 1)


def test_a_path_is_relative_to_the_file_that_names_it(tmp_path: Path, own: Path, monkeypatch):
    text = "data: {simulated: {days: 40}}\nindicators: [half_range.py]\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    config = load_config(tmp_path / "mine.yaml")
    (file,) = config.indicators
    assert Path(file.path) == own
    assert file.sha256 == hashlib.sha256(own.read_bytes()).hexdigest()
    space = "sweep: {space: {exits.stop_atr: {kind: real, low: 1, high: 2}}}\n"
    (tmp_path / "search.yaml").write_text(text + space, encoding="utf-8")
    assert load_sweep_config(tmp_path / "search.yaml").indicators == config.indicators


def test_the_hash_knows_the_content_and_not_the_place(
    config_with: ConfigOf, own: Path, tmp_path: Path
):
    config = config_with("half_range.share", own=(own,))
    other = tmp_path / "moved" / own.name
    other.parent.mkdir()
    other.write_bytes(own.read_bytes())
    assert config_hash(config_with("half_range.share", own=(other,))) == config_hash(config)
    edited(other, "/ close / 2", "/ close / 4")
    assert config_hash(config_with("half_range.share", own=(other,))) != config_hash(config)


def test_a_configuration_that_was_written_out_insists_on_the_content(
    config_with: ConfigOf, own: Path
):
    tree = resolved(config_with("half_range.share", own=(own,)))
    assert config_of(tree).indicators[0].path == str(own)
    edited(own, "/ close / 2", "/ close / 4")
    with pytest.raises(ConfigError, match="is not the file that it was"):
        config_of(tree)


def test_a_run_records_the_file_and_refuses_to_be_verified_with_another(
    config_with: ConfigOf, own: Path, store: Store, tmp_path: Path
):
    tree = resolved(config_with("half_range.share", own=(own,)))
    tree["heads"]["enabled"], tree["consensus"]["quorum"] = ["volume"], 1
    result = run(config_of(tree), store=store, runs=tmp_path / "runs")
    record = load_run(result.run_dir)
    assert record.content["config"]["indicators"] == [
        {"path": str(own), "sha256": hashlib.sha256(own.read_bytes()).hexdigest()}
    ]
    assert verify_run(record, store=store).passed
    edited(own, "/ close / 2", "/ close / 4")
    with pytest.raises(DataError, match="is not the file that it was"):
        verify_run(record, store=store)


def test_only_what_the_configuration_names_is_run(tmp_path: Path, config_with: ConfigOf, own: Path):
    other = tmp_path / "beside.py"
    other.write_text("raise SystemExit('never')\n", encoding="utf-8")
    (indicator,) = own_indicators_of(config_with("half_range.share", own=(own,)))
    assert indicator.name == "half_range"
    assert set(indicators_of(config_with("rsi.rsi"))) == set(INDICATORS_BY_NAME)
    assert str(tmp_path) not in sys.path


def test_reading_a_configuration_runs_nothing(config_with: ConfigOf, own: Path):
    own.write_text("raise SystemExit('run')\n", encoding="utf-8")
    config = config_with("half_range.share", own=(own,))
    with pytest.raises(ConfigError, match=r"half_range\.py:1: .* SystemExit: run"):
        indicators_of(config)


def test_what_runs_is_what_was_hashed(config_with: ConfigOf, own: Path, market: Market):
    """Two contents of one length and one second: bytecode beside the file would mix them up."""
    first = config_with("half_range.share", own=(own,))
    (before,) = own_indicators_of(first)
    edited(own, "/ close / 2", "/ close / 4")
    (after,) = own_indicators_of(config_with("half_range.share", own=(own,)))
    columns = market.bars.columns()
    parameters = before.resolved({})
    (halves,), (quarters,) = (one.compute(columns, parameters) for one in (before, after))
    assert np.array_equal(halves[9:], 2.0 * quarters[9:])
    assert not list(own.parent.glob("__pycache__"))
    edited(own, "/ close / 4", "/ close / 8")
    own_module.loaded_indicators.cache_clear()
    with pytest.raises(ConfigError, match="is not the file that the configuration states"):
        own_indicators_of(first)


def test_the_example_of_the_documentation_passes_its_own_checks(
    config_with: ConfigOf, tmp_path: Path
):
    text = (DOCS / "features.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(\"\"\"half_range.py.*?)```", text, re.DOTALL)
    (tmp_path / "half_range.py").write_text(example, encoding="utf-8")
    config = config_with("half_range.share(length=5)", own=(tmp_path / "half_range.py",))
    assert check_own_indicators(config).passed


BROKEN = {
    "no list": (
        "INDICATORS = (HALF_RANGE,)", "OTHERS = (HALF_RANGE,)", None, "has no INDICATORS; list"
    ),
    "no tuple": (
        "INDICATORS = (HALF_RANGE,)", "INDICATORS = HALF_RANGE", "INDICATORS =",
        "INDICATORS is a Indicator; it must be a tuple",
    ),
    "empty": (
        "INDICATORS = (HALF_RANGE,)", "INDICATORS = ()", "INDICATORS =", "of one or more indicators"
    ),
    "no indicator": (
        "INDICATORS = (HALF_RANGE,)", "INDICATORS = (HALF_RANGE, half_range)", "INDICATORS =",
        r"INDICATORS\[1\] is a function; it must be an indicators.Indicator",
    ),
    "twice": (
        "INDICATORS = (HALF_RANGE,)", "INDICATORS = (HALF_RANGE, HALF_RANGE)", "INDICATORS =",
        "INDICATORS has 'half_range' twice",
    ),
    "taken": (
        'name="half_range"', 'name="rsi"', 'name="rsi"',
        "there is an indicator 'rsi' already, in Ninefold itself; call this one otherwise",
    ),
    "no name": (
        'name="half_range"', 'name="half range"', 'name="half range"',
        "letters, digits and underscores only",
    ),
    "default": (
        '"length", 10, 2, 50', '"length", 99, 2, 50', 'name="half_range"',
        r"the default of a parameter: length=99 must lie in \[2, 50\]",
    ),
    "syntax": (
        "def _compute(columns, parameters):", "def _compute(columns, parameters)", "def _compute",
        "the file cannot be loaded: SyntaxError: expected ':'",
    ),
    "import": (
        "import numpy as np", "import numpy_of_nobody", "import numpy_of_nobody",
        "the file cannot be loaded: ModuleNotFoundError",
    ),
    "rule of ours": (
        '"value", "fraction"', '"signal", "fraction"', "outputs=",
        "a signal states its expected firing_rate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_used_is_told_with_its_line(
    config_with: ConfigOf, own: Path, case: str
):
    before, after, place, says = BROKEN[case]
    edited(own, before, after)
    line = "" if place is None else f":{line_of(own, place)}"
    with pytest.raises(ConfigError, match=says) as error:
        indicators_of(config_with("rsi.rsi", own=(own,)))
    assert str(error.value).startswith(f"{own}{line}: "), str(error.value)


COMPUTED = {
    "raises": ("/ close / 2", "/ close / {}[2]", "return rolling_mean", "KeyError: 2"),
    "one too many": (
        ', length),)', ', length), columns["close"])', "def _compute",
        "compute returned 2 columns; return a tuple with one array for each of the outputs share",
    ),
    "no tuple": (
        ', length),)', ', length))[0].sum()', "def _compute", "compute returned a float64"
    ),
    "length": (
        "/ close / 2", "/ close[0] / 2 * np.ones((2, 1))", "def _compute",
        r"output share is float64 of shape \(2, 960\); it must be float64 of shape \(960,\)",
    ),
    "type": (
        "/ close / 2", "> close", "def _compute", "output share is bool of shape"
    ),
    "list": ("return rolling_mean(high - low, length) / close / 2", "return list(close)",
             "def _compute", "output share is a list; return a numpy array"),
    "warm-up": (
        'stable=lambda parameters: int(parameters["length"]) - 1',
        'stable=lambda parameters: parameters["length"] / 4', "stable=",
        "stable gave 2.5; it must be a whole number of rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPUTED)
def test_a_broken_compute_is_told_with_its_line(
    config_with: ConfigOf, build: Build, own: Path, case: str
):
    before, after, place, says = COMPUTED[case]
    edited(own, before, after)
    with pytest.raises(ContractError, match=says) as error:
        build(config_with("half_range.share", own=(own,)))
    assert str(error.value).startswith(f"{own}:{line_of(own, place)}: indicator half_range: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text(
        "data: {simulated: {days: 40}}\nindicators:\n  - none.py\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"mine\.yaml:3: .*none\.py cannot be read"):
        load_config(tmp_path / "mine.yaml")


def test_sound_indicators_pass_the_checks(config_with: ConfigOf, own: Path):
    found = check_own_indicators(
        config_with("half_range.share(length=3)@bars:4h", "rsi.rsi", own=(own,))
    )
    assert found.passed, found.lines()
    assert {row.check for row in found.rows} == {"contract", "prefix", "poison", "start", "inputs"}
    assert {row.subject for row in found.rows} == {"half_range", "half_range(length=3)"}


def test_a_leaking_indicator_is_caught(config_with: ConfigOf, own: Path):
    """It shows the range of the next bar: sound in shape, kind, range and warm-up."""
    own.write_text(
        LEAKY.replace('int(parameters["length"]) - 1', 'int(parameters["length"]) - 2'),
        encoding="utf-8",
    )
    found = check_own_indicators(config_with("rsi.rsi", own=(own,)))
    failed = {row.check for row in found.failures}
    assert not found.passed
    assert {"prefix", "poison"} <= failed
    assert "contract" not in failed, found.lines()


def test_a_broken_promise_is_caught_before_the_rest(config_with: ConfigOf, own: Path):
    edited(own, '"value", "fraction"', '"state", "fraction"')
    found = check_own_indicators(config_with("rsi.rsi", own=(own,)))
    (row,) = found.rows
    assert (row.check, row.passed) == ("contract", False)
    assert "a state is a whole number" in row.detail


def test_without_a_file_there_is_nothing_to_check(config_with: ConfigOf):
    with pytest.raises(ConfigError, match="names no file with indicators of its own"):
        check_own_indicators(config_with("rsi.rsi"))


def test_workers_of_a_sweep_load_the_file_themselves(
    config_with: ConfigOf, own: Path, store: Store, tmp_path: Path
):
    """Workers say that they ran the file; the trials are those of one process."""
    log = tmp_path / "loaded_by"
    own.write_text(
        f"import os\nwith open({str(log)!r}, 'a') as file:\n    file.write(f'{{os.getpid()}}\\n')\n{OWN}",
        encoding="utf-8",
    )
    sweep = {
        "space": {"exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0}},
        "screen": {"trials": 8, "batch": 4},
        "search": {"trials": 0},
    }
    tree = resolved(config_with("half_range.share", own=(own,)))
    tree["heads"]["enabled"], tree["consensus"]["quorum"] = ["volume"], 1
    config = sweep_config_of({**tree, "sweep": sweep})
    here = run_sweep(config, store=store, runs=tmp_path / "one")
    there = run_sweep(
        config, store=store, runs=tmp_path / "two", workers=Workers(count=2, executor="processes")
    )
    assert here.ledger.sweep_id == there.ledger.sweep_id
    assert here.ledger.trials().equals(there.ledger.trials())
    loaded = {int(line) for line in log.read_text(encoding="utf-8").split()}
    assert os.getpid() in loaded
    assert loaded - {os.getpid()}, "a worker that comes late may find nothing left to do"
    changed = {**resolved(config)}
    edited(own, "/ close / 2", "/ close / 4")
    changed["indicators"] = [str(own)]
    other = run_sweep(sweep_config_of(changed), store=store, runs=tmp_path / "one")
    assert other.ledger.sweep_id != here.ledger.sweep_id
    with pytest.raises(BacktestError, match="is not the file that it was"):
        sweep_config_of(resolved(config))
