"""Parameters of heads of the user's own in a sweep of eleven heads, against the run of each trial."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets import Store
from engine import ConfigError
from experiments import config_of, run
from experiments.checks.parity import check_parity
from experiments.config_file import is_trial, resolved
from experiments.market_data import load_market_data
from experiments.sweep_report.document import sweep_document
from experiments.sweeps.best import sweep_config, trial_config
from experiments.sweeps.checked_files import checked_files
from experiments.sweeps.config import load_sweep_config, sweep_config_of
from experiments.sweeps.evaluate import Evaluator
from experiments.sweeps.mirror import write_mirror
from experiments.sweeps.run import run_sweep
from experiments.sweeps.space import load_searchable, sobol_points, space_of
from strategies import HEAD_NAMES
from tests.page_runner import ROOT, blocks_of

from ..conftest import SYMBOLS

(AGAINST,) = [
    block.body
    for block in blocks_of(ROOT / "docs/how-to/own-head.md")
    if block.file == "reversal.py"
]
"""The head of the how-to page."""
WITH = (
    AGAINST.replace("Reversal", "Follow")
    .replace('"reversal"', '"follow"')
    .replace("fallen.astype(np.int8) - risen", "risen.astype(np.int8) - fallen")
)
"""The opposite opinion, of parameters with the same names."""
SPACE = {
    "heads.files.reversal.threshold": {"kind": "real", "low": 1.0, "high": 3.0},
    "heads.files.reversal.length": {"kind": "whole", "low": 10, "high": 40, "step": 10},
    "heads.files.follow.threshold": {"kind": "choice", "values": [1.0, 2, 2.5]},
    "heads.technical.adx_length": {"kind": "whole", "low": 10, "high": 12},
    "consensus.weights": {"kind": "weights"},
}
Tree = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("own")
    (found / "reversal.py").write_text(AGAINST, encoding="utf-8")
    (found / "follow.py").write_text(WITH, encoding="utf-8")
    return found


def tree_of(folder: Path, **sweep: Any) -> Tree:
    return {
        "name": "own",
        "data": {"simulated": {"symbols": list(SYMBOLS), "days": 40}},
        "heads": {"files": [str(folder / "reversal.py"), str(folder / "follow.py")]},
        "consensus": {
            "quorum": 2,
            "consensus_c_min": 0.6,
            "c_min": 0.5,
            "weights": {"reversal": 0.1, "follow": 0.1},
        },
        "sweep": {"space": SPACE, "screen": {"trials": 4}, "search": {"trials": 0}, **sweep},
    }


@pytest.fixture(scope="module")
def evaluator(folder: Path, store: Store) -> Evaluator:
    space = space_of(sweep_config_of(tree_of(folder)))
    return Evaluator(space, load_market_data(space.base, store))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_trial_states_the_numbers_of_its_run(
    evaluator: Evaluator, store: Store, data: st.DataObject
) -> None:
    """Evaluated after others of other parameters, whose votes are kept."""
    space = evaluator.space
    unit = st.floats(0.0, 1.0, exclude_max=True)
    values = space.values(data.draw(st.lists(unit, min_size=len(space), max_size=len(space))))
    found = evaluator([values])
    assert found.errors == (None,)
    alone = run(space.config(values), store=store, runs=None)
    assert alone.votes[SYMBOLS[0]].names == (*HEAD_NAMES, "reversal", "follow")
    compared = [name for name in found.metrics if name in alone.metrics]
    assert {"sharpe", "trades"} < set(compared)
    for name in compared:
        np.testing.assert_equal(found.metrics[name][0], alone.metrics[name], err_msg=name)


def test_each_parameter_reaches_its_own_head(evaluator: Evaluator) -> None:
    """Other thresholds are other votes of that head, and of no other; 2 and 2.0 are the same number."""
    space, votes = evaluator.space, evaluator._votes[SYMBOLS[0]]
    point = space.values([0.4] * len(space))

    def cast(**changed: Any) -> Any:
        paths = {f"heads.files.{name.replace('_', '.')}": value for name, value in changed.items()}
        return votes.cast(space.config({**point, **paths})).direction

    plain = cast()
    for head, column in (("reversal", 9), ("follow", 10)):
        found = cast(**{f"{head}_threshold": 1.1})
        differs = (found != plain).any(axis=0)
        assert differs.tolist() == [at == column for at in range(11)]
    np.testing.assert_array_equal(cast(), plain)
    np.testing.assert_array_equal(
        cast(reversal_threshold=2)[:, 9], cast(reversal_threshold=2.0)[:, 9]
    )
    both = cast(reversal_threshold=2.0, reversal_length=20, follow_threshold=2.0)
    assert np.count_nonzero(both[:, 9]) > 20
    np.testing.assert_array_equal(both[:, 9], -both[:, 10])


HeadOf = Callable[..., Any]


@pytest.fixture
def head_of(tmp_path: Path) -> HeadOf:
    """The head of the page with its text changed, and parameters."""

    def made(text: str = AGAINST, parameters: Mapping[str, Any] = {}, name: str = "a") -> Any:
        path = tmp_path / name / "reversal.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        file = {"path": str(path), "parameters": dict(parameters)}
        tree = {"data": {"simulated": {}}, "consensus": {"weights": {"reversal": 0.1}}}
        return config_of({**tree, "heads": {"files": [file]}}).heads.instances()[-1]

    return made


@pytest.mark.parametrize(
    "text",
    [
        AGAINST,
        AGAINST.replace("(frozen=True)", "(frozen=True, eq=False)"),
        AGAINST.replace("length: int = 20", "length: int = field(default=20, compare=False)").replace(
            "import dataclass\n", "import dataclass, field\n"
        ),
        AGAINST.replace("length: int = 20", 'length: "int" = 20'),
    ],
)  # fmt: skip
def test_heads_are_equal_by_file_and_parameters_whatever_the_class_says(
    head_of: HeadOf, text: str
) -> None:
    plain, longer = head_of(text), head_of(text, {"length": 30})
    assert plain == head_of(text, {"length": 20, "threshold": 2})
    assert hash(plain) == hash(head_of(text, {"length": 20.0})) == hash(replace(plain))
    assert plain != longer
    assert len({plain, longer, head_of(text)}) == 2
    assert plain != head_of(text, name="b"), "the same text in another place is another file"
    assert plain != head_of(text.replace("0.4 *", "0.3 *"))


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        ("int", 2.5, r"reversal.extra=2.5 must be a whole number$"),
        ("int", True, r"reversal.extra=True must be a whole number$"),
        ("float", "x", r"reversal.extra='x' must be a number$"),
        ("float | None", True, r"reversal.extra=True must be a number$"),
        ("bool", 1, r"reversal.extra=1 must be true or false$"),
        ("str", 3, r"reversal.extra=3 must be a text$"),
        ("int | str", 2.5, r"reversal.extra=2.5 must be a whole number or a text$"),
    ],
)  # fmt: skip
def test_a_parameter_has_the_type_of_its_field(
    head_of: HeadOf, annotation: str, value: Any, message: str
) -> None:
    for written in (annotation, repr(annotation)):
        text = AGAINST.replace("length: int", f"extra: {written} = 1\n    length: int")
        with pytest.raises(ConfigError, match=message):
            head_of(text, {"extra": value})


def test_what_an_annotation_does_not_tell_is_taken_as_it_is(head_of: HeadOf) -> None:
    text = AGAINST.replace("length: int", "extra: list[int] = ()\n    length: int")
    assert head_of(text, {"extra": "x"}).extra == "x"
    assert head_of(text, {"extra": 1}) != head_of(text, {"extra": True})


REAL = {"kind": "real", "low": 1.5, "high": 3.0}


@pytest.mark.parametrize(
    ("path", "parameter", "message"),
    [
        ("heads.files", {"kind": "choice", "values": [[], ["a.py"]]}, "name a head and one of its par"),
        ("heads.files.reversal", REAL, r"one of its parameters, heads.files.reversal.<parameter>$"),
        ("heads.files.revesal.threshold", REAL, "no head 'revesal'; did you mean 'reversal'\\? The heads"),
        ("heads.files.0.parameters.threshold", REAL, "there is no head '0'; The heads of heads.files are"),
        ("heads.files.reversal.parameters.threshold", REAL, "; leave 'parameters' out$"),
        ("heads.files.reversal.threshold", {"kind": "choice", "values": [2.0, None]}, "None must be true"),
        ("heads.files.reversal.threshold", {"kind": "choice", "values": [[1], [2]]}, r"\[1\] must be true"),
        ("heads.files.reversal.treshold", REAL, "no parameter 'treshold'; did you mean 'threshold'"),
        ("heads.files.reversal.threshold", {**REAL, "high": 9.0}, r"=9.0 must lie in \[1, 4\], as its S"),
        ("heads.files.reversal.length", {**REAL, "low": 1.0}, r"length=1.73.* must be a whole number"),
        ("heads.files.reversal.threshold", {"kind": "choice", "values": [2.0, "2"]}, "'2' must be a nu"),
    ],
)  # fmt: skip
def test_a_space_that_does_not_fit_is_refused_before_the_first_trial(
    folder: Path, store: Store, tmp_path: Path, path: str, parameter: Any, message: str
) -> None:
    config = sweep_config_of(tree_of(folder, space={path: parameter}))
    with pytest.raises(ConfigError, match=message) as raised:
        run_sweep(config, store=store, runs=tmp_path)
    assert str(raised.value).startswith(f"sweep.space.{path}: ")
    assert not list(tmp_path.iterdir())


def test_a_head_that_does_not_vote_is_not_searched(folder: Path) -> None:
    tree = tree_of(folder, space={"heads.files.reversal.threshold": REAL})
    tree["heads"]["enabled"] = ["technical", "follow"]
    with pytest.raises(ConfigError, match="reversal does not vote, so that nothing would change"):
        space_of(sweep_config_of(tree))
    tree["heads"] = {}
    tree["consensus"] = {}
    with pytest.raises(ConfigError, match=r"the configuration has no heads\.files"):
        space_of(sweep_config_of(tree))


POST = """    def __post_init__(self):
        if self.length < 5 * self.threshold:
            raise ValueError(f"length={self.length} must be five times threshold")

    def features"""


def test_what_the_class_refuses_is_told_unless_other_searched_parameters_decide_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "reversal.py").write_text(
        AGAINST.replace("    def features", POST), encoding="utf-8"
    )
    (tmp_path / "follow.py").write_text(WITH, encoding="utf-8")
    length = {"heads.files.reversal.length": {"kind": "whole", "low": 8, "high": 40}}
    with pytest.raises(
        ConfigError, match=r"^sweep.space.heads.files.reversal.length: .*reversal.py:\d+.*length=8 must"
    ):  # fmt: skip
        checked_files(space_of(sweep_config_of(tree_of(tmp_path, space=length))))
    both = {**length, "heads.files.reversal.threshold": REAL}
    checked_files(space_of(sweep_config_of(tree_of(tmp_path, space=both))))


@pytest.fixture(scope="module")
def ledger(folder: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    search = {"trials": 4, "batch": 4, "sampler": "tpe"}
    config = sweep_config_of(tree_of(folder, search=search))
    return run_sweep(config, store=store, runs=tmp_path_factory.mktemp("runs")).ledger


def test_a_trial_is_written_out_with_the_parameters_of_its_file(
    ledger: Any, folder: Path, store: Store
) -> None:
    values = json.loads(ledger.trials()["values"][1].as_py())
    config = trial_config(ledger, 1)
    reversal, follow = config.heads.files
    assert dict(reversal.parameters) == {
        "threshold": values["heads.files.reversal.threshold"],
        "length": values["heads.files.reversal.length"],
    }
    assert dict(follow.parameters) == {"threshold": values["heads.files.follow.threshold"]}
    assert is_trial(resolved(config))
    again = config_of(json.loads(json.dumps(resolved(config))))
    assert again.heads == config.heads
    assert (
        run(again, store=store, runs=None).metrics["sharpe"] == ledger.trials()["sharpe"][1].as_py()
    )
    report = check_parity(again, store, samples=3)
    assert report.passed, report.first_difference


def test_mirror_and_page_know_the_parameters(ledger: Any, tmp_path: Path) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    path = write_mirror(ledger, tmp_path / "study.log")
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name=ledger.sweep_id, storage=storage)
    values = [json.loads(one) for one in ledger.trials()["values"].to_pylist()]
    for name in (name for name in SPACE if name.startswith("heads.files.")):
        assert [trial.params[name] for trial in study.trials] == [one[name] for one in values]
    text = json.dumps(sweep_document(ledger).sections, default=repr)
    assert "heads.files.reversal.threshold" in text


def test_a_sweep_goes_on_where_it_stopped(
    ledger: Any, folder: Path, store: Store, tmp_path: Path
) -> None:
    stops = iter([False, True])
    config = sweep_config(ledger)
    half = run_sweep(config, store=store, runs=tmp_path, should_stop=lambda: next(stops))
    assert not half.is_finished
    whole = run_sweep(config, store=store, runs=tmp_path)
    assert whole.resumed_from == 4
    assert whole.ledger.trials().equals(ledger.trials())


def test_overrides_reach_the_space_and_not_what_is_searched(folder: Path) -> None:
    path = folder / "sweep.yaml"
    path.write_text(json.dumps(tree_of(folder)), encoding="utf-8")
    searched = "heads.files.reversal.threshold"
    config = load_searchable(path, [f"sweep.space.{searched}.low=1.5"])
    assert config.sweep.space[searched].low == 1.5  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match=f"{searched} is searched; change sweep.space.{searched}"):
        load_sweep_config(
            path,
            [
                f"heads.files.0={{path: {folder / 'reversal.py'}}}",
                "heads.files.0.parameters.threshold=2",
            ],
        )


def test_points_of_the_screen_differ_in_the_parameters(evaluator: Evaluator) -> None:
    space = evaluator.space
    values = [space.values(point) for point in sobol_points(len(space), 8, 3).tolist()]
    found = evaluator(values)
    assert found.errors == (None,) * 8
    assert len({one["heads.files.reversal.length"] for one in values}) == 4
    assert len(np.unique(found.metrics["final_equity"])) == 8
