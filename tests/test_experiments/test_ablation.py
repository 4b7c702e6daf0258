"""``ninefold ablate``: every row is the run that its overrides name."""

import json
import math

import pytest

from datasets import Store
from engine import ConfigError
from experiments import Ablation, RunConfig, ablate, config_of, run
from experiments.ablation import ALL, ALONE, WITHOUT
from experiments.cli import main
from experiments.config_file import resolved
from experiments.formats import spoken
from strategies import HEAD_NAMES


@pytest.fixture(scope="module")
def found(small_config: RunConfig, store: Store) -> Ablation:
    return ablate(small_config, store=store)


def test_there_is_one_run_with_all_and_two_for_each_head(found: Ablation):
    assert [(one.kind, one.head) for one in found.runs] == [
        (ALL, None),
        *((WITHOUT, head) for head in HEAD_NAMES),
        *((ALONE, head) for head in HEAD_NAMES),
    ]
    assert len({one.metrics["sharpe"] for one in found.runs}) > len(HEAD_NAMES)


@pytest.mark.parametrize(("kind", "head"), [(ALL, None), (WITHOUT, "rules"), (ALONE, "technical")])
def test_a_row_is_the_run_of_its_overrides(
    found: Ablation, small_config: RunConfig, store: Store, kind: str, head: str | None
):
    row = found.run(kind, head)
    alone = run(config_of(resolved(small_config), row.overrides), store=store, runs=None)
    assert list(alone.metrics) == list(row.metrics)
    for name, value in row.metrics.items():
        assert value == alone.metrics[name] or (
            math.isnan(value) and math.isnan(alone.metrics[name])
        ), name
    expected = {ALL: HEAD_NAMES, WITHOUT: tuple(n for n in HEAD_NAMES if n != head), ALONE: (head,)}
    assert alone.config.heads.enabled == expected[kind]


def test_heads_that_are_off_are_left_out(small_config: RunConfig, store: Store):
    config = config_of(resolved(small_config), ["heads.enabled=[rules, technical]"])
    found = ablate(config, store=store)
    assert [(one.kind, one.head) for one in found.runs[1:]] == [
        (kind, head) for kind in (WITHOUT, ALONE) for head in config.heads.enabled
    ]
    assert set(found.present) == {"rules", "technical"}
    with pytest.raises(ConfigError, match="no run 'alone' of the head 'ict'"):
        found.run(ALONE, "ict")


def test_what_cannot_be_ablated_is_told(small_config: RunConfig, store: Store):
    with pytest.raises(ConfigError, match="needs at least 2 heads"):
        ablate(config_of(resolved(small_config), ["heads.enabled=[rules]"]), store=store)
    with pytest.raises(ConfigError, match="targets are decisions already"):
        ablate(config_of(resolved(small_config), ["targets=my.csv"]), store=store)


def test_the_table_fits_eighty_columns_and_json_is_whole(
    small_config: RunConfig,
    store: Store,
    found: Ablation,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("experiments.ablation.ablate", lambda *_args, **_options: found)
    path = tmp_path_factory.mktemp("ablation") / "small.yaml"
    path.write_text(json.dumps(resolved(small_config)), encoding="utf-8")
    assert main(["ablate", str(path), "--store", str(store.root)]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert all(spoken(head) in told for head in HEAD_NAMES)
    assert main(["ablate", str(path), "--store", str(store.root), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["runs"]
    assert [row["overrides"] for row in rows] == [list(one.overrides) for one in found.runs]
    assert rows[0]["metrics"]["sharpe"] == found.run(ALL).metrics["sharpe"]
