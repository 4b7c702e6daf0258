"""Points of the cube as pictures need them: the value of each axis, and where it lies in its range."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import Float1D, Float2D

from .config import Choice, RealRange, Weights, WholeRange
from .space import Axis, Space


def axis_values(space: Space, coordinates: Float2D) -> Float2D:
    """Values of the points ``coordinates`` ``(N, D)``, by axis; a choice by its place from 0.

    They are those of ``Space.values``, all points at once: a weight is its share.
    """
    u = np.asarray(coordinates, dtype=np.float64).reshape(-1, len(space))
    values = np.empty_like(u)
    shared = [column for column, axis in enumerate(space.axes) if axis.head is not None]
    for column, axis in enumerate(space.axes):
        if axis.head is None:
            values[:, column] = _values(axis, u[:, column])
    if shared:
        drawn = -np.log1p(-u[:, shared])
        total = drawn.sum(axis=1, keepdims=True)
        equal = 1.0 / len(shared)
        values[:, shared] = np.where(total > 0, drawn / np.where(total > 0, total, 1.0), equal)
    return values


def axis_places(space: Space, coordinates: Float2D) -> Float2D:
    """Where the values of the points lie in the ranges of their axes, ``(N, D)`` within [0, 1].

    Numbers on the scale that they are searched on; of whole numbers and choices the middle of what they
    take up; a weight by its share.
    """
    values = axis_values(space, coordinates)
    places = np.array(coordinates, dtype=np.float64).reshape(-1, len(space))
    for column, axis in enumerate(space.axes):
        match axis.parameter:
            case Weights():
                places[:, column] = values[:, column]
            case WholeRange(low=low, high=high, step=step):
                places[:, column] = ((values[:, column] - low) / step + 0.5) / (
                    (high - low) // step + 1
                )
            case Choice(values=choices):
                places[:, column] = (values[:, column] + 0.5) / len(choices)
            case RealRange():
                pass
    return places


def value_text(axis: Axis, value: float) -> str:
    """A value of ``axis_values`` as people read it; that of a choice is its text."""
    if isinstance(axis.parameter, Choice):
        return choice_text(axis.parameter.values[round(value)])
    if isinstance(axis.parameter, WholeRange):
        return f"{value:.0f}"
    return f"{value:.4g}"


def choice_text(value: Any) -> str:
    """One of the values of a choice, in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """The last parts of dotted names, as few as tell each from the others."""
    found = []
    for name in names:
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            end = ".".join(parts[-count:])
            if sum(other == end or other.endswith(f".{end}") for other in names) == 1:
                break
        found.append(end)
    return tuple(found)


def _values(axis: Axis, u: Float1D) -> Float1D:
    match axis.parameter:
        case RealRange(low=low, high=high, log=log):
            value = (
                np.exp(math.log(low) + u * (math.log(high) - math.log(low)))
                if log
                else low + u * (high - low)
            )
            found: Float1D = np.clip(value, low, high)
            return found
        case WholeRange(low=low, high=high, step=step):
            return np.asarray(low + step * np.floor(u * ((high - low) // step + 1)))
        case Choice(values=choices):
            return np.asarray(np.floor(u * len(choices)))
    raise AssertionError(axis.parameter.kind)
