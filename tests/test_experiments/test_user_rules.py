"""Rules of the user from the configuration to the run: with indicators of his own, too."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from datasets import Store
from engine import ConfigError
from experiments import RunConfig, config_hash, config_of, load_config, run, verify_run
from experiments.checks import lookahead
from experiments.checks.lookahead import CheckSize
from experiments.cli.errors import exit_code_of
from experiments.config_file import resolved
from experiments.config_user_rules import MOST_RULES
from experiments.explanation.explain import FiredRule, explain
from experiments.explanation.plain import plain_explanation
from experiments.explanation.terminal import print_explanation
from experiments.features.build import wanted_features
from experiments.features.own_indicators import indicators_of
from experiments.record import load_run
from experiments.sweeps.config import sweep_config_of
from experiments.sweeps.executors import Workers
from experiments.sweeps.run import run_sweep
from experiments.sweeps.space import space_of
from indicators import INDICATORS_BY_NAME, Indicator
from strategies.expressions.parser import FUNCTIONS, MOST_DEPTH, MOST_PARTS
from strategies.heads.rules import RulesHead

DOCS = Path(__file__).resolve().parents[2] / "docs"
OWN = '''"""How far the close stands above the lowest low, in shares of the range."""

import numpy as np

from indicators import Indicator, Output
from indicators.rolling import rolling_max, rolling_min


def _compute(columns, parameters):
    low, high = rolling_min(columns["low"], 24), rolling_max(columns["high"], 24)
    share = np.where(high > low, (columns["close"] - low) / np.maximum(high - low, 1e-12), 0.5)
    share[:23] = np.nan
    return (share,)


PLACE = Indicator(
    name="my_place",
    text="Place of the close in the range of a day.",
    inputs=("high", "low", "close"),
    parameters=(),
    outputs=(Output("share", "value", "fraction", "0 at the low, 1 at the high", 0.0, 1.0),),
    compute=_compute,
    lookback=lambda parameters: 23,
    stable=lambda parameters: 23,
)

INDICATORS = (PLACE,)
'''
LEAKY = OWN.replace("return (share,)", "return (np.append(share[1:], 0.5),)").replace(
    "parameters: 23", "parameters: 22"
)

DIP = {
    "name": "dip",
    "direction": "long",
    "when": "my_place.share < 0.2 and rsi.rsi(length=14) < 45",
    "probability": 0.7,
    "confidence": 0.75,
}
TOP = {
    "name": "top",
    "direction": "short",
    "when": "crosses_below(my_place.share, 0.8)",
    "probability": 0.65,
    "confidence": 0.8,
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my_place.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def tree_with(small_config: RunConfig, own: Path | None, *rules: dict[str, Any]) -> dict[str, Any]:
    tree = resolved(small_config)
    tree["heads"]["enabled"], tree["consensus"]["quorum"] = ["rules"], 1
    tree["heads"]["rules"]["user_rules"] = list(rules)
    tree["indicators"] = [] if own is None else [str(own)]
    return tree


def test_a_run_with_rules_over_an_indicator_of_ones_own(
    small_config: RunConfig, own: Path, store: Store, tmp_path: Path
) -> None:
    config = config_of(tree_with(small_config, own, DIP, TOP))
    result = run(config, store=store, runs=tmp_path / "runs")
    votes = result.votes["AAASIM"]
    names = [reason.name for reason in RulesHead.REASONS]
    bits = votes.reasons[:, votes.names.index("rules")]
    bars = result.market("AAASIM").bars
    dips = 0
    for row in range(100, len(bars)):
        low, high = bars.low[row - 23 : row + 1].min(), bars.high[row - 23 : row + 1].max()
        fires = bool(int(bits[row]) >> names.index("user_rule_long") & 1)
        assert not fires or (bars.close[row] - low) / (high - low) < 0.2
        dips += fires
    assert dips > 10
    record = load_run(result.run_dir)
    assert record.content["config"]["heads"]["rules"]["user_rules"] == [DIP, TOP]
    assert verify_run(record, store=store).passed
    row = int(np.flatnonzero(bits & np.uint64(1 << names.index("user_rule_short")))[3])
    at = np.datetime64(int(votes.known_at[row]), "ns").astype("datetime64[s]")
    told = explain(record, str(at), symbol="AAASIM", store=store)
    (rules,) = (head for head in told.heads if head.vote.name == "rules")
    assert "user_rule_short" in {reason.name for reason in rules.reasons}
    assert told.not_again == ""
    assert rules.rules == (FiredRule(TOP["name"], -1),)
    assert all(head.rules is None for head in told.heads if head is not rules)
    shown = StringIO()
    print_explanation(told, Console(file=shown, width=80))
    assert f"- rule {TOP['name']}" in shown.getvalue()
    (plain,) = (head for head in plain_explanation(told)["heads"] if head["name"] == "rules")
    assert plain["user_rules"] == [{"name": TOP["name"], "direction": -1}]


def test_the_features_of_the_rules_are_those_of_the_head(
    small_config: RunConfig, own: Path
) -> None:
    config = config_of(tree_with(small_config, own, DIP))
    wanted = {str(one) for one in wanted_features(config, indicators_of(config))}
    assert {"my_place.share()@bars", "rsi.rsi(length=14)@bars"} <= wanted


def test_the_text_of_a_rule_is_part_of_the_hash(small_config: RunConfig, own: Path) -> None:
    one = config_hash(config_of(tree_with(small_config, own, DIP)))
    other = {**DIP, "when": DIP["when"].replace("45", "46")}
    assert config_hash(config_of(tree_with(small_config, own, other))) != one


def test_the_page_about_rules_shows_what_can_be_read(tmp_path: Path) -> None:
    page = (DOCS / "user-rules.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(example, encoding="utf-8")
    config = load_config(tmp_path / "mine.yaml")
    (head,) = (one for one in config.heads.instances() if isinstance(one, RulesHead))
    assert [rule.name for rule in head.user_rules] == ["dip", "tired"]
    for function in FUNCTIONS:
        assert f"`{function}(" in page, function
    for limit in (MOST_RULES, MOST_PARTS, MOST_DEPTH):
        assert f" {limit} " in page


WRITTEN = """\
data: {simulated: {days: 40}}
heads:
  rules:
    user_rules:
      - {name: one, direction: long, when: close > open, probability: 0.7, confidence: 0.7}
      - name: two
        direction: short
        when: rsi.rsi(length=14) > 70 and clsoe < open
        probability: 0.7
        confidence: 0.7
"""


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("clsoe", r"is no condition: 'clsoe' is no name here; did you mean 'close'"),
        ("rsi.rsj", r"of rule 'two': 'rsj' is no output of rsi; did you mean 'rsi'"),
        ("rsi.rsi@fundng", r"of rule 'two': there is no clock 'fundng'; did you mean 'funding'"),
        ("my.own", r"of rule 'two': 'my' is no indicator"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_a_caret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str, says: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WRITTEN.replace("clsoe", written), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=rf"mine\.yaml:8: heads\.rules\.user_rules\.1\.when.*{says}"
    ) as error:
        load_config(path)
    assert exit_code_of(error.value) == 2
    told, shown, carets = capsys.readouterr().err.splitlines()
    assert told.startswith("error: ")
    word = shown[carets.index("^") : carets.rindex("^") + 1]
    assert word in written.replace("@", ".").split(".")


def test_with_files_of_indicators_their_names_are_looked_up_when_they_are_run(
    small_config: RunConfig, own: Path, store: Store
) -> None:
    config = config_of(tree_with(small_config, own, {**DIP, "when": "my_place.shares < 0.2"}))
    with pytest.raises(
        ConfigError, match="'shares' is no output of my_place; did you mean 'share'"
    ):
        run(config, store=store, runs=None)
    with pytest.raises(ConfigError, match="is no output of rsi"):
        config_of(tree_with(small_config, own, {**DIP, "when": "my_place.share > rsi.no"}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"direction": "up"}, "direction='up' must be 'long' or 'short'"),
        ({"probability": 0.4}, "probability=0.4 must be at least 0.5"),
        ({"confidence": 1.0}, "confidence=1.0 must be at most 0.95"),
        ({"when": ""}, "when='' is empty"),
        (
            {"weight": 1},
            "unknown key 'heads.rules.user_rules.0.weight'; valid keys here: name, direc",
        ),
    ],
)
def test_the_other_keys_of_a_rule(
    small_config: RunConfig, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        config_of(tree_with(small_config, None, {**DIP, "when": "close > 1", **changes}))


def test_a_rule_has_a_name_of_its_own(small_config: RunConfig) -> None:
    plain = {**DIP, "when": "close > 1"}
    with pytest.raises(ConfigError, match=r"user_rules\.1\.name=dip is there already"):
        config_of(tree_with(small_config, None, plain, plain))
    many = [{**plain, "name": f"r{index}"} for index in range(51)]
    with pytest.raises(ConfigError, match="has 51 rules, 50 are allowed"):
        config_of(tree_with(small_config, None, *many))


def test_rules_of_a_head_that_does_not_vote_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = WRITTEN.replace("clsoe", "close").replace("heads:\n", "heads:\n  enabled: [volume]\n")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"user_rules has no effect here: add rules to heads\.ena"
    ):
        load_config(path)


def test_a_rule_over_data_that_are_not_there_is_noted(
    small_config: RunConfig, store: Store
) -> None:
    tree = tree_with(small_config, None, {**DIP, "when": "rsi.rsi@tvl > 1 or close > 1"})
    result = run(config_of(tree), store=store, runs=None)
    assert "AAASIM: there are no data for rsi.rsi()@tvl, which the rule dip reads" in result.notes


def sweep_tree(
    small_config: RunConfig, own: Path | None, space: dict[str, Any], *rules: dict[str, Any]
) -> dict[str, Any]:
    screen = {"trials": 8, "batch": 4}
    sweep = {"space": space, "screen": screen, "search": {"trials": 0}}
    return {**tree_with(small_config, own, *rules), "sweep": sweep}


def test_a_sweep_with_rules_in_workers_gives_the_trials_of_one_process(
    small_config: RunConfig, own: Path, store: Store, tmp_path: Path
) -> None:
    space = {
        "heads.rules.chart_validity_bars": {"kind": "whole", "low": 3, "high": 20},
        "exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0},
    }
    config = sweep_config_of(sweep_tree(small_config, own, space, DIP, TOP))
    here = run_sweep(config, store=store, runs=tmp_path / "one")
    workers = Workers(count=2, executor="processes")
    there = run_sweep(config, store=store, runs=tmp_path / "two", workers=workers)
    assert here.ledger.trials().equals(there.ledger.trials())
    assert here.ledger.trials().num_rows == 8


def test_what_stands_inside_a_rule_is_not_searched(small_config: RunConfig) -> None:
    plain = {**DIP, "when": "close > 1"}
    for key in ("0.probability", "0.when", "dip"):
        space = {f"heads.rules.user_rules.{key}": {"kind": "real", "low": 0.5, "high": 0.9}}
        with pytest.raises(ConfigError, match="what stands inside a rule is not searched"):
            space_of(sweep_config_of(sweep_tree(small_config, None, space, plain)))


def test_whole_sets_of_rules_are_searched_as_choices(
    small_config: RunConfig, own: Path, store: Store, tmp_path: Path
) -> None:
    space = {"heads.rules.user_rules": {"kind": "choice", "values": [[DIP], [DIP, TOP], []]}}
    config = sweep_config_of(sweep_tree(small_config, own, space, DIP))
    done = run_sweep(config, store=store, runs=tmp_path / "one")
    assert done.ledger.trials().num_rows == 8


SMALL = CheckSize(rows=300, event_cuts=20, other_cuts=10, futures=4, rebuilds=10, long_cuts=2)


@pytest.fixture
def few_indicators(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks look at the user's own indicators and at those that the rules head reads, no others."""
    read = {one.indicator for one in RulesHead().features().values()} | {"rsi", "atr"}

    def chosen(config: RunConfig) -> dict[str, Indicator]:
        everything = indicators_of(config)
        return {
            name: one
            for name, one in everything.items()
            if name in read or name not in INDICATORS_BY_NAME
        }

    monkeypatch.setattr(lookahead, "indicators_of", chosen)


@pytest.mark.usefixtures("few_indicators")
def test_check_lookahead_catches_a_leak_behind_a_rule(
    small_config: RunConfig, own: Path, store: Store
) -> None:
    tree = tree_with(small_config, own, DIP, TOP)
    sound = lookahead.check_lookahead(config_of(tree), store, size=SMALL)
    assert sound.passed, sound.lines()
    own.write_text(LEAKY, encoding="utf-8")
    tree["indicators"] = [str(own)]
    report = lookahead.check_lookahead(config_of(tree), store, size=SMALL)
    failed = {(row.check, row.subject.split(": ")[-1]) for row in report.failures}
    assert {("prefix", "my_place"), ("prefix", "rules")} <= failed
