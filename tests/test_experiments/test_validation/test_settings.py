"""The section ``validation``: its defaults, its bounds, and what can be changed after the search."""

from pathlib import Path
from typing import Any

import pytest

from datasets import Store
from engine import ConfigError
from experiments.config_file import resolved
from experiments.config_validation import ValidationConfig, with_overrides
from experiments.sweeps.best import sweep_config
from experiments.sweeps.config import sweep_config_of
from experiments.sweeps.ledger import Ledger
from experiments.validation.content import validation_json
from experiments.validation.validate import validate_sweep


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("cscv.blocks=15", r"validation\.cscv\.blocks=15 must be even"),
        ("cscv.blocks=22", r"validation\.cscv\.blocks=22 must be at most 20"),
        ("cpcv.test_blocks=16", r"validation\.cpcv\.test_blocks=16 must be below blocks=16"),
        ("cpcv={blocks: 60, test_blocks: 20}", r"validation\.cpcv\.test_blocks=20 .*200,000"),
        ("walk_forward.train_blocks=16", r"validation\.walk_forward\.train_blocks=16 .*blocks=16"),
        ("walk_forward.gap_bars=-1", r"validation\.walk_forward\.gap_bars=-1 must be at least 0"),
        ("shifts=0", r"validation\.shifts=0 must be at least 1"),
        ("trials=31", r"validation\.trials=31 must be at least 32"),
        ("permutations=-1", r"validation\.permutations=-1 must be at least 0"),
        ("permutation_block_bars=0", r"validation\.permutation_block_bars=0 must be at least 1"),
        ("bootstrap_draws=many", r"validation\.bootstrap_draws='many' must be a whole number"),
        ("shfts=5", r"unknown key 'validation\.shfts'; did you mean 'shifts'"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_overrides(ValidationConfig(), [f"validation.{override}"])


def test_only_its_own_keys_can_be_changed_afterwards() -> None:
    with pytest.raises(ConfigError, match=r"-s costs\.taker_fee_bps=0: only keys of validation"):
        with_overrides(ValidationConfig(), ["costs.taker_fee_bps=0"])
    changed = with_overrides(
        ValidationConfig(), ["validation.seed=3", "validation.cpcv.embargo_bars=24"]
    )
    assert changed.seed == 3
    assert changed.cpcv.embargo_bars == 24
    assert changed.cscv == ValidationConfig().cscv


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"cscv": {"blocks": 20}}, r"cscv\.blocks=20: 39 bars .* blocks of 1, and 2 are needed"),
        ({"cpcv": {"blocks": 4, "embargo_bars": 8}}, r"cpcv\.embargo_bars=8: a block has 9 bars"),
        ({"walk_forward": {"gap_bars": 1}}, r"walk_forward\.gap_bars=1: a block has 2 bars"),
        ({"permutation_block_bars": 20}, r"permutation_block_bars=20: 39 bars .* no two such"),
    ],
)
def test_what_the_market_is_too_short_for_is_refused_before_the_work(
    section: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=rf"validation\.{message}"):
        ValidationConfig.model_validate(section).check_bars(39)


def test_what_fits_exactly_is_taken() -> None:
    section = {"cpcv": {"blocks": 4, "embargo_bars": 7}, "permutation_block_bars": 19}
    ValidationConfig.model_validate(section).check_bars(39)


def test_the_section_belongs_to_the_sweep_and_to_the_record(
    swept: tuple[Ledger, Path], store: Store
) -> None:
    ledger, _ = swept
    tree = resolved(sweep_config(ledger))
    assert tree["validation"] == ValidationConfig().model_dump(mode="json")
    stated = sweep_config_of({**tree, "validation": {"cscv": {"blocks": 8}}})
    assert "validation" not in resolved(stated.base)
    changes = [
        "validation.trials=32",
        "validation.shifts=1",
        "validation.permutations=1",
        "validation.permutation_block_bars=4",
        "validation.cscv={blocks: 6, null_repetitions: 20}",
        "validation.cpcv={blocks: 5, test_blocks: 2, embargo_bars: 12}",
        "validation.walk_forward={blocks: 8, train_blocks: 2, gap_bars: 6, anchored: true}",
    ]
    found = validate_sweep(ledger, store=store, overrides=changes)
    told = validation_json(found)
    assert told["overrides"] == changes
    assert told["validation"]["cpcv"] == {"blocks": 5, "test_blocks": 2, "embargo_bars": 12}
    assert told["selection"]["blocks"] == 6
    assert told["permuted_bars"]["permutations"] == 1
    assert told["permuted_bars"]["block_bars"] == 4
    assert told["permuted_bars"]["trials"] == 40
    assert found.selection is not None
    assert len(found.selection.path_sharpes) == 4
    assert len(found.selection.walk_forward.efficiency.by_fold) == 6
    with pytest.raises(ConfigError, match=r"validation\.cscv\.blocks"):
        sweep_config_of({**tree, "validation": {"cscv": {"blocks": 7}}})
