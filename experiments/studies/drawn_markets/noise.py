"""A drawn market with noise: closes, wicks and volume of every bar moved at random."""

import zlib
from dataclasses import replace

import numpy as np

from .canvas import SPAN
from .drawing import Drawing


def noisy(drawing: Drawing, share: float, seed: int) -> Drawing:
    """``drawing`` with noise of ``share`` average true ranges; at 0 it is the drawing itself.

    Each close is moved by ``share`` bars' heights times a standard normal number, each open with the
    close before it; each wick and each volume is multiplied by exp(``share`` times a normal number).
    """
    if share == 0.0:
        return drawing
    # A market of its own for every drawing, the same one in every run.
    draw = np.random.default_rng([seed, zlib.crc32(f"{drawing.detector} {drawing.name}".encode())])
    columns = drawing.columns
    count = len(columns["close"])
    moved = share * SPAN * draw.standard_normal(count)
    close = columns["close"] + moved
    open_ = columns["open"] + np.concatenate(([0.0], moved[:-1]))
    body_top = np.maximum(columns["open"], columns["close"])
    body_bottom = np.minimum(columns["open"], columns["close"])
    above = (columns["high"] - body_top) * np.exp(share * draw.standard_normal(count))
    below = (body_bottom - columns["low"]) * np.exp(share * draw.standard_normal(count))
    return replace(
        drawing,
        columns={
            "open": open_,
            "high": np.maximum(open_, close) + above,
            "low": np.minimum(open_, close) - below,
            "close": close,
            "volume": columns["volume"] * np.exp(share * draw.standard_normal(count)),
        },
    )
