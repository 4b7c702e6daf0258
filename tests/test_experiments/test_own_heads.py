"""A head of the user's own: a file that a configuration names, voting beside the nine."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from datasets import Store
from engine import ConfigError, ContractError
from experiments import (
    ablate,
    config_hash,
    config_of,
    explain,
    load_config,
    own_heads,
    run,
    verify_run,
)
from experiments.checks import CheckSize, Suite, run_checks
from experiments.checks.markets import null_market
from experiments.config_file import resolved
from experiments.record import load_run
from experiments.run_tables import print_run
from experiments.serve.sweep_watch import SweepWatch
from experiments.sweep_report.document import sweep_document
from experiments.sweeps.best import sweep_config, trial_config
from experiments.sweeps.config import sweep_config_of
from experiments.sweeps.run import run_sweep
from experiments.sweeps.space import space_of
from indicators import INDICATORS_BY_NAME
from strategies import HEAD_NAMES, ConsensusRules
from strategies.consensus_sweep import MOST_HEADS
from tests.page_runner import ROOT, blocks_of

from .conftest import SYMBOLS

(OWN,) = [
    block.body
    for block in blocks_of(ROOT / "docs/how-to/own-head.md")
    if block.file == "reversal.py"
]
"""The head of the how-to page."""
LEAKY = OWN.replace('far = inputs.get("far")', 'far = np.roll(inputs["far"], -1)')

ConfigOf = Callable[..., Any]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "reversal.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def tree_with(own: Path, **heads: Any) -> dict[str, Any]:
    return {
        "name": "own",
        "data": {"simulated": {"symbols": list(SYMBOLS), "days": 40}},
        "heads": {"files": [str(own)], **heads},
        "consensus": {"quorum": 2, "weights": {"reversal": 0.1}},
    }


def edited(path: Path, before: str, after: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


def test_it_votes_after_the_nine_unless_enabled_says_otherwise(own: Path):
    config = config_of(tree_with(own))
    assert config.heads.enabled == (*HEAD_NAMES, "reversal")
    assert [head.name for head in config.heads.instances()] == [*HEAD_NAMES, "reversal"]
    assert config.consensus.weights["reversal"] == 0.1
    assert config_of(resolved(config)) == config
    two = config_of(tree_with(own, enabled=["technical", "reversal"]))
    assert two.heads.enabled == ("technical", "reversal")
    file = {"path": str(own), "parameters": {"length": 50, "threshold": 1.5}}
    head = config_of(tree_with(own) | {"heads": {"files": [file]}}).heads.instances()[-1]
    assert (head.length, head.threshold) == (50, 1.5)
    assert hash(head) == hash(replace(head))


def test_paths_are_beside_the_configuration_and_the_hash_knows_the_content(
    own: Path, tmp_path: Path
):
    text = "data: {simulated: {days: 40}}\nheads: {files: [reversal.py]}\n"
    text += "consensus: {weights: {reversal: 0.1}}\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "a.yaml")
    (file,) = config.heads.files
    assert Path(file.path) == own
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "reversal.py").write_bytes(own.read_bytes())
    (moved / "a.yaml").write_text(text, encoding="utf-8")
    assert config_hash(load_config(moved / "a.yaml")) == config_hash(config)
    edited(moved / "reversal.py", "0.4 * strength", "0.3 * strength")
    assert config_hash(load_config(moved / "a.yaml")) != config_hash(config)
    with pytest.raises(ConfigError, match="is not the file that it was"):
        config_of(resolved(config_of(tree_with(own))) | {
            "heads": {"files": [{**file.model_dump(), "path": str(moved / "reversal.py")}]}
        })  # fmt: skip


@pytest.fixture(scope="module")
def ten(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("own")
    (folder / "reversal.py").write_text(OWN, encoding="utf-8")
    return run(config_of(tree_with(folder / "reversal.py")), store=store, runs=folder / "runs")


def test_a_tenth_head_goes_through_the_run(ten: Any, store: Store):
    """Its votes follow from the close, the nine are untouched, and everything that names heads names it."""
    nine = run(
        config_of({**tree_with(Path()), "heads": {}, "consensus": {"quorum": 2}}),
        store=store,
        runs=None,
    )
    for symbol in SYMBOLS:
        votes, plain = ten.votes[symbol], nine.votes[symbol]
        assert votes.names == (*HEAD_NAMES, "reversal")
        np.testing.assert_array_equal(votes.direction[:, :9], plain.direction)
        np.testing.assert_array_equal(votes.probability[:, :9], plain.probability)
        close = ten.market(symbol).bars.close
        for row in (19, 100, 555, 959):
            window = close[row - 19 : row + 1]
            far = (close[row] - window.mean()) / window.std(ddof=0)
            side = 1 if far <= -2 else -1 if far >= 2 else 0
            assert votes.direction[row, 9] == side, row
        assert (votes.direction[:, 9] != 0).sum() > 30
        assert (votes.coverage[:19, 9] == 0).all()
    heads = ten.firing[0]["heads"]
    assert [head["name"] for head in heads][-1] == "reversal"
    assert heads[-1]["weight"] == 0.1
    assert heads[-1]["expected"] == [0.02, 0.4]
    assert [reason["name"] for reason in heads[-1]["reasons"]] == ["fallen", "risen"]
    record = load_run(ten.run_dir)
    assert "reversal_direction" in record.table("votes").column_names
    console = Console(record=True, width=80)
    print_run(record, console, verbose=True)
    assert "reversal" in console.export_text()
    assert "reversal" in (ten.run_dir / "report.html").read_text(encoding="utf-8")
    assert verify_run(record, store=store).passed


def test_the_consensus_counts_it(ten: Any):
    """On bars on which it is one of two that agree, taking it out leaves no quorum."""
    opinion = ten.consensus[SYMBOLS[0]]
    counted = (opinion.mask >> 9) & 1
    assert counted.sum() > 5
    assert (opinion.votes_for[counted == 1] >= 1).all()


def test_explain_and_ablate_know_it(ten: Any, store: Store):
    votes = ten.votes[SYMBOLS[0]]
    row = int(np.flatnonzero(votes.direction[:, 9])[3])
    record = load_run(ten.run_dir)
    moment = str(np.datetime64(int(votes.known_at[row]), "ns").astype("datetime64[s]"))
    told = explain(record, moment, symbol=SYMBOLS[0], store=store)
    head = told.heads[-1]
    assert (head.vote.name, head.weight) == ("reversal", 0.1)
    assert [reason.name for reason in head.reasons] in (["fallen"], ["risen"])
    ablation = ablate(ten.config, store=store)
    assert ablation.run("without", "reversal").metrics["trades"] >= 0
    assert ablation.run("alone", "reversal").metrics["trades"] > 0


def sweep_tree(own: Path, enabled: list[str]) -> dict[str, Any]:
    sweep = {"space": {"consensus.weights": {"kind": "weights"}}, "screen": {"trials": 4}}
    return {**tree_with(own, enabled=enabled), "sweep": sweep}


@pytest.mark.parametrize("enabled", [[*HEAD_NAMES[1:], "reversal"], [*HEAD_NAMES, "reversal"]])
def test_a_sweep_weighs_it_with_the_others_that_vote(own: Path, enabled: list[str]):
    config = sweep_config_of(sweep_tree(own, enabled))
    names = [axis.head for axis in space_of(config).axes]
    assert sorted(names) == sorted(enabled)


def test_a_sweep_decides_no_more_heads_than_have_a_bit(own: Path, tmp_path: Path):
    names = [f"more_{number}" for number in range(MOST_HEADS - len(HEAD_NAMES))]
    tree = sweep_tree(own, ["technical", "reversal"])
    tree["heads"]["files"] += [{"path": str(own), "name": name} for name in names]
    tree["consensus"]["weights"] |= dict.fromkeys(names, 0.1)
    with pytest.raises(ConfigError, match="a sweep decides up to 63; leave 1 out"):
        space_of(sweep_config_of(tree))


def test_a_sweep_stays_readable_after_its_head_was_edited(own: Path, store: Store, tmp_path: Path):
    """What is written down is read; what would run the file refuses it."""
    enabled = ["technical", "reversal"]
    tree = sweep_tree(own, enabled)
    tree["sweep"] |= {"search": {"trials": 0}}
    ledger = run_sweep(sweep_config_of(tree), store=store, runs=tmp_path).ledger
    edited(own, "0.4 * strength", "0.3 * strength")
    assert sweep_config(ledger).heads.enabled == tuple(enabled)
    assert trial_config(ledger, 1).origin is not None
    assert "own" in sweep_document(ledger).title
    assert SweepWatch(ledger).look()[0].trials == 4
    own_heads._head_class.cache_clear()
    with pytest.raises(ConfigError, match="is not the file that the configuration states"):
        run_sweep(sweep_config(ledger), store=store, runs=tmp_path / "again")
    assert not (tmp_path / "again").exists(), "no trial may be kept as failed because of the file"
    own.unlink()
    assert sweep_config(ledger).heads.enabled == tuple(enabled)
    with pytest.raises(ConfigError, match="cannot be read"):
        run_sweep(sweep_config(ledger), store=store, runs=tmp_path / "again")


BROKEN = {
    "no HEAD": ("HEAD = Reversal", "OTHER = Reversal", r"reversal.py: has no HEAD; name its class"),
    "no class": ("HEAD = Reversal", "HEAD = 3", r"reversal.py:\d+: HEAD is a int; it must be a class"),
    "not frozen": ("(frozen=True)", "", r"must be a class with @dataclass\(frozen=True\)"),
    "no detections": ("def detections", "def other", r"the class Reversal lacks detections"),
    "another name": ('name = "reversal"', 'name = "x"', r"calls itself 'x' and heads.files calls it"),
    "reasons": ('Reason("risen"', 'Reason("fallen"', r"REASONS must be a tuple of at most 64"),
    "reasons are a number": ("REASONS = (", "REASONS = 5; OTHER = (", r"REASONS must be a tuple of"),
    "rate of a text": ("FIRING_RATE = (0.02, 0.4)", "FIRING_RATE = ('x', 1)", r"must be two shares"),
    "space of tuples": ("Range(1.0, 4.0)", "(1, 2)", r"SPACE must be a mapping from param"),
    "space of another": ('{"threshold": Range', '{"treshold": Range', r"SPACE has 'treshold', which is no"),
    "variants": ("VARIANTS = (", "VARIANTS = (3,", r"VARIANTS must be a tuple of mappings"),
    "rate": ("FIRING_RATE = (0.02, 0.4)", "FIRING_RATE = 0.4", r"FIRING_RATE=0.4 must be two shares"),
    "syntax": ("def vote(self", "def vote(self(", r"reversal.py:\d+: the file cannot be loaded"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_used_is_told_with_its_place(own: Path, case: str):
    before, after, message = BROKEN[case]
    edited(own, before, after)
    config = config_of(tree_with(own))
    with pytest.raises(ConfigError, match=message):
        config.heads.instances()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": ["{own}"], "enabled": ["reversall"]}, "'reversall'"),
        ({"files": ["{own}", "{own}"]}, "there is a head 'reversal' already"),
        ({"files": [{"path": "{own}", "name": "ict"}]}, "there is a head 'ict' already"),
        ({"files": ["{own}x"]}, "cannot be read"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(own: Path, change: Any, message: str):
    filled = eval(repr(change).replace("{own}", str(own)))
    with pytest.raises(ConfigError, match=re.escape(message)):
        config_of({**tree_with(own), "heads": filled})


def test_a_weight_has_to_be_stated_and_to_belong_to_a_head(own: Path):
    with pytest.raises(ConfigError, match=r"consensus\.weights\.reversal is missing"):
        config_of({**tree_with(own), "consensus": {}})
    with pytest.raises(ConfigError, match=r"unknown head 'reverse'; the heads are .*, reversal"):
        config_of({**tree_with(own), "consensus": {"weights": {"reverse": 0.1}}})
    with pytest.raises(ConfigError, match="unknown head 'reversal'"):
        config_of({**tree_with(own), "heads": {}})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lenght": 3}, "no parameter 'lenght'; did you mean 'length'\\? It has length, th"),
        ({"threshold": 9.0}, r"reversal.threshold=9.0 must lie in \[1, 4\]"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(own: Path, parameters: Any, message: str):
    file = {"path": str(own), "parameters": parameters}
    config = config_of({**tree_with(own), "heads": {"files": [file]}})
    with pytest.raises(ConfigError, match=message):
        config.heads.instances()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("known = ~np.isnan(far)", "known = 1 / 0", r"reversal.py:\d+: head reversal: ZeroDivision"),
        ("return HeadOutput.from_votes(", "return dict(", r"vote returned a dict; return a HeadOutput"),
        ("0.5 + 0.4 * strength", "2.0 + strength", r"head reversal: probability\[\d+\]=.* must lie in"),
    ],
)  # fmt: skip
def test_a_head_that_breaks_its_contract_is_told(
    own: Path, store: Store, before: str, after: str, message: str
):
    edited(own, before, after)
    with pytest.raises(ContractError, match=message):
        run(config_of(tree_with(own)), store=store, runs=None)


@pytest.mark.parametrize(("text", "is_sound"), [(OWN, True), (LEAKY, False)])
def test_it_can_be_checked_for_look_ahead(own: Path, text: str, is_sound: bool):
    own.write_text(text, encoding="utf-8")
    head = config_of(tree_with(own)).heads.instances()[-1]
    rules = ConsensusRules(weights={"reversal": 1.0}, quorum=1)
    suite = Suite(
        indicators=tuple(INDICATORS_BY_NAME[name] for name in ("z_score", "atr")),
        heads=(head,),
        consensus_rules=rules,
    )
    size = CheckSize(rows=1_200, event_cuts=60, other_cuts=40, futures=6, rebuilds=30, long_cuts=2)
    report = run_checks(null_market(1_500, 9), suite, size=size)
    assert report.passed is is_sound, "\n".join(report.lines())
