"""Why a head voted as it did: the names of the detectors behind each vote, each combination once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine import Int8Array1D, UInt64Array1D

from ..formats import spoken

UNNAMED: Final = "no single detector"
"""Said of a vote that follows from components without a bit of their own."""


def reason_texts(
    bits: UInt64Array1D, direction: Int8Array1D, reasons: Sequence[Mapping[str, Any]]
) -> tuple[np.ndarray[tuple[int], np.dtype[Any]], tuple[str, ...]]:
    """``(index, combinations)`` of one head: the reasons behind the vote of row *t* are
    ``combinations[index[t]]``.

    ``bits`` ``(T,)`` and ``direction`` ``(T,)`` are the head's columns of the votes; ``reasons`` its
    list in ``firing`` of run.json, one bit each, in order. Told are the detectors that argue for the
    side of the vote, by name, with commas. ``index`` is uint16 (uint32 beyond 65,535 combinations);
    0 stands for no vote, and ``combinations[0]`` is empty.
    """
    side_bits = {
        side: np.uint64(
            sum(1 << bit for bit, reason in enumerate(reasons) if reason["direction"] == side)
        )
        for side in (-1, 1)
    }
    voted = np.flatnonzero(direction)
    argued = bits[voted] & np.where(direction[voted] > 0, side_bits[1], side_bits[-1])
    distinct, inverse = np.unique(argued, return_inverse=True)
    index = np.zeros(len(bits), dtype=np.uint16 if len(distinct) < 65_535 else np.uint32)
    index[voted] = inverse + 1
    return index, ("", *(_told(int(one), reasons) for one in distinct))


def _told(bits: int, reasons: Sequence[Mapping[str, Any]]) -> str:
    names = [str(reason["name"]) for bit, reason in enumerate(reasons) if bits >> bit & 1]
    return ", ".join(map(spoken, names)) or UNNAMED
