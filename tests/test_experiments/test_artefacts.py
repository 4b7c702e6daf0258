import numpy as np

from experiments.artefacts import _names


def test_codes_of_more_than_a_hundred_symbols_are_their_names():
    names = tuple(f"S{number:03d}" for number in range(300))
    codes = np.arange(300)[::-1]
    assert _names(codes, names).to_pylist() == list(names[::-1])
