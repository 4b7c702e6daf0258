"""Rows of answers as rows of the store."""

import numpy as np
import pyarrow as pa
import pytest

from datasets import DatasetKey
from datasets.fetch.rows import table_of


@pytest.mark.parametrize(("step", "known_after_minutes"), [("5m", 5), ("1h", 60)])
def test_metrics_count_as_known_when_their_period_must_be_over(
    step: str, known_after_minutes: int
) -> None:
    key = DatasetKey("metrics", "bybit", "linear_perp", "BTCUSDT", step, "api")
    table = table_of(key, ["sum_open_interest"], [(1_700_000_000_000, 5.0)])
    waited_us = np.asarray(table["available_at"].cast(pa.int64())) - 1_700_000_000_000_000
    assert waited_us.tolist() == [known_after_minutes * 60_000_000]
