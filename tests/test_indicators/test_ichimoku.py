"""Ichimoku against windows walked one at a time."""

import numpy as np
import pytest

from indicators import ichimoku as subject
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()
NAMES = ("conversion", "base", "span", "shift")


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("lengths", [(9, 26, 52, 26), (7, 20, 40, 25), (30, 26, 10, 1)])
def test_lines_and_score_equal_the_oracle(series: str, lengths: tuple[int, int, int, int]) -> None:
    parameters = dict(zip(NAMES, map(float, lengths), strict=True))
    columns = SERIES[series]
    found = subject.ICHIMOKU.compute(columns, parameters)
    prices = (columns[name].tolist() for name in ("high", "low", "close"))
    expected = oracle.ichimoku(*prices, *lengths)
    assert len(found) == len(expected) == len(subject.ICHIMOKU.outputs)
    for output, line, answer in zip(subject.ICHIMOKU.outputs, found, expected, strict=True):
        np.testing.assert_allclose(line, answer, atol=1e-12, err_msg=output.name)
        assert np.isnan(line).sum() == subject.ICHIMOKU.lookback(parameters)


def test_cloud_is_the_cloud_to_come_of_shift_rows_ago() -> None:
    _, _, cloud_a, cloud_b, future_a, future_b, _, _ = subject.ICHIMOKU.compute(
        SERIES["walk"], subject.ICHIMOKU.resolved({})
    )
    np.testing.assert_array_equal(cloud_a[77 + 26 :], future_a[77:-26])
    np.testing.assert_array_equal(cloud_b[77 + 26 :], future_b[77:-26])
