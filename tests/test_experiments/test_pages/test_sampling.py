"""Thinning for pictures: every extreme survives, means are means."""

import numpy as np
import pytest

from experiments.pages.sampling import bucket_means, extreme_rows


def test_extremes_survive_sampling() -> None:
    generator = np.random.default_rng(1)
    for rows in (1, 7, 400, 4801, 9999):
        values = generator.standard_normal(rows)
        kept = extreme_rows(values, buckets=100)
        assert (np.diff(kept) > 0).all()
        assert len(kept) <= 400
        assert {0, rows - 1, int(values.argmin()), int(values.argmax())} <= set(kept.tolist())
        if rows <= 400:
            assert len(kept) == rows


def test_what_is_not_known_hides_no_extreme_and_gaps_stay() -> None:
    values = np.random.default_rng(3).standard_normal(9999)
    values[700], values[705], values[3000:3500] = 100.0, np.nan, np.nan
    kept = set(extreme_rows(values, buckets=100).tolist())
    assert {700, 704, 705, 706, 2999, 3000, 3499, 3500} <= kept
    assert int(np.nanargmin(values)) in kept


def test_bucket_means_equal_means_by_hand() -> None:
    values = np.random.default_rng(2).standard_normal((103, 2))
    values[10:40, 1] = np.nan
    starts, means = bucket_means(values, buckets=10)
    stops = np.append(starts[1:], 103)
    assert len(starts) == 10
    for start, stop, found in zip(starts, stops, means, strict=True):
        for column in range(2):
            known = [value for value in values[start:stop, column] if not np.isnan(value)]
            if known:
                assert found[column] == pytest.approx(sum(known) / len(known), rel=1e-12)
            else:
                assert np.isnan(found[column])
