"""What every check of this folder shares: the listed things, and the null sample drawn once."""

import pytest

from experiments.checks import Suite
from experiments.checks.sample import NullSample, null_sample


@pytest.fixture(scope="session")
def suite() -> Suite:
    return Suite()


@pytest.fixture(scope="session")
def sample() -> NullSample:
    return null_sample(Suite())
