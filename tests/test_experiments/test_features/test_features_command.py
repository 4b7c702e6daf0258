"""The command line, and what it says about a column."""

import json
import re
from pathlib import Path

import pytest
import yaml

from datasets import Store
from experiments import RunConfig
from experiments.config_file import resolved
from experiments.features.describe import described
from experiments.features.keeping import read_matrix
from experiments.features.sources import joining_hash, module_hash, source_files, source_hash
from indicators import INDICATORS, INDICATORS_BY_NAME
from tests.test_experiments.command_line import called


@pytest.fixture
def path(tmp_path: Path, small_config: RunConfig, own: Path) -> Path:
    tree = resolved(small_config)
    tree["features"] = {
        "columns": ["half_range.share", "rsi.rsi(length=60)@bars:1w"],
        "of_heads": False,
    }
    tree["indicators"] = [own.name]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    return tmp_path / "own.yaml"


def test_the_table_fits_and_says_what_was_done(
    capsys: pytest.CaptureFixture[str], path: Path, store: Store, tmp_path: Path
):
    words = ("features", path, "--store", store.root, "--out", tmp_path / "out", "--columns")
    code, out, _ = called(capsys, *words)
    assert code == 0
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines if str(tmp_path) not in line)
    assert [line.split()[:7] for line in lines if line.strip().startswith(("AAA", "BBB"))][:2] == [
        ["AAASIM", "1h", "960", "2", "2", "0", "0"],
        ["BBBSIM", "1h", "960", "2", "2", "0", "0"],
    ]
    flat = " ".join(out.split())
    told = "1 of the columns would differ on all of the 960 rows, had the data begun elsewhere"
    assert f"AAASIM 1h, BBBSIM 1h: {told}" in flat
    code, out, _ = called(capsys, *words[:-1], "--prune", "--json")
    found = json.loads(out)["matrices"]
    assert [(one["computed"], one["reused"]) for one in found] == [(0, 2), (0, 2)]
    assert read_matrix(found[0]["path"]).num_rows == found[0]["rows"] == 960
    assert [one["name"] for one in found[0]["columns"]] == [
        "half_range.share()@bars",
        "rsi.rsi(length=60)@bars:1w",
    ]


def test_a_wrong_column_names_its_line(
    capsys: pytest.CaptureFixture[str], path: Path, store: Store
):
    path.write_text(
        path.read_text(encoding="utf-8").replace("half_range.share", "half_range.(x)"),
        encoding="utf-8",
    )
    code, out, err = called(capsys, "features", path, "--store", store.root)
    assert (code, out) == (2, "")
    assert re.search(
        r"own\.yaml:\d+: features\.columns\.0='half_range\.\(x\)' is no feature: ", err
    )
    assert "at character 12: the name of an output is expected" in err


def test_a_column_is_described(capsys: pytest.CaptureFixture[str], path: Path):
    code, out, _ = called(capsys, "features", "--describe", "rsi.rsi(length=21)@bars:4h")
    assert code == 0
    flat = " ".join(out.split())
    for words in (
        "RSI (Wilder 1978): 100 x mean gain",
        "length 21 14 2 to 200, whole",
        "0 to 100",
        "value: NaN for the lookback, a finite number afterwards",
        "reads close",
        "known each 4h bar from its own close on",
        "lookback 21, stable",
    ):
        assert words in flat, words
    assert all(len(line) <= 80 for line in out.splitlines())
    code, out, _ = called(capsys, "features", path, "--describe", "half_range", "--json")
    facts = json.loads(out)
    assert facts["formulas"] == {
        "half_range": "Half of the mean of high - low over ``length`` bars, as a share of the close."
    }
    assert facts["home"].endswith("half_range.py")
    assert facts["outputs"][0]["nan"] == "NaN for the lookback, a finite number afterwards"


def test_every_indicator_can_be_described():
    with_formula = 0
    for indicator in INDICATORS:
        facts = described(indicator.name, INDICATORS_BY_NAME).facts()
        assert facts["text"]
        assert facts["known"]
        assert len(facts["outputs"]) == len(indicator.outputs)
        with_formula += bool(facts["formulas"])
    assert with_formula > 0.9 * len(INDICATORS), "the others are one line, which their text says"


def test_indicators_are_listed_by_family(capsys: pytest.CaptureFixture[str], path: Path):
    code, out, _ = called(capsys, "features", "--list", "--json")
    assert code == 0
    assert [one["name"] for one in json.loads(out)["indicators"]] == [
        one.name for one in INDICATORS
    ]
    code, out, _ = called(capsys, "features", path, "--list", "--family", "half_range")
    assert code == 0
    assert "Half of the mean range." in out
    assert len([line for line in out.splitlines() if line.strip()]) == 3
    code, _, err = called(capsys, "features", "--family", "momentun")
    assert code == 2
    assert "there is no such family; there are" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("features",), "name a configuration to build, or ask with --list or --describe"),
        (("features", "--describe", "bolinger"), "did you mean 'bollinger'?"),
        (("features", "--describe", "rsi.rso"), "'rso' is no output of rsi"),
    ],
)
def test_wrong_usage_says_what_to_do(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
):
    code, out, err = called(capsys, *words)
    assert (code, out) == (2, "")
    assert says in err


def test_own_indicators_are_checked(capsys: pytest.CaptureFixture[str], path: Path, own: Path):
    code, out, _ = called(capsys, "check", "indicators", path)
    assert code == 0, out
    own.write_text(
        own.read_text(encoding="utf-8").replace("/ close / 2", "/ close[-1] / 2"), encoding="utf-8"
    )
    code, out, _ = called(capsys, "check", "indicators", path, "--json")
    assert code == 1
    (row,) = json.loads(out)["rows"]
    assert (row["check"], row["passed"]) == ("contract", False)
    assert "0 rows: ContractError: " in row["detail"]
    assert f"{own}:" in row["detail"]


def test_the_sources_of_an_indicator_are_what_it_imports():
    files = [file.name for file in source_files("indicators.taker_flow")]
    assert files[0] == "taker_flow.py"
    assert {"jit.py", "spec.py"} < set(files)
    assert not {"market.py", "replay.py", "__init__.py"} & set(files)
    joins = {file.name for file in source_files("indicators.features")}
    assert {"asof.py", "clock.py", "clock_join.py", "resample.py", "bars.py", "market.py"} < joins
    hashes = {source_hash(one) for one in INDICATORS}
    assert hashes == {module_hash(one.compute.__module__) for one in INDICATORS}
    assert joining_hash() not in hashes
