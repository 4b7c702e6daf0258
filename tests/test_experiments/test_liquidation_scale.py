"""The study of the liquidation map's scale on the real files of one market."""

from pathlib import Path

import numpy as np
import pytest

from datasets import Store
from experiments.studies.analysers.liquidations import MAP
from experiments.studies.analysers.sources import import_all
from experiments.studies.liquidation_scale import SEED_SHARE, SHARE, TIERS, page, scale_of


@pytest.mark.real
def test_tiers_are_the_shares_cut_by_the_scale(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    import_all(store, real_data, list(MAP.files))
    found = scale_of(store, "XRPUSDT")
    assert found is not None
    assert found.bars == len(found.shares) == 327
    for scale, tiers in ((SEED_SHARE, found.seed), (SHARE, found.present)):
        odds = np.minimum(0.95, found.shares / scale)
        cut = np.searchsorted([0.2, 0.4, 0.6, 0.8], odds, side="right")
        expected = [np.mean(cut == tier) for tier in range(len(TIERS))]
        np.testing.assert_allclose(tiers, expected)
    assert found.seed[-1] == 1.0
    assert found.present[-1] < 0.05
    row = next(line for line in page([found]).splitlines() if line.startswith("| XRPUSDT |"))
    assert row.split(" | ")[1] == "327"


@pytest.mark.real
def test_a_market_that_the_store_lacks_open_interest_of_has_no_scale(
    real_data: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    import_all(store, real_data, [name for name in MAP.files if "klines" in name])
    assert scale_of(store, "XRPUSDT") is None
