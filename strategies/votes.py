"""Asking every head, once, about every bar of a market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from engine import ContractError, Float2D, Int1D, Int8Array2D, Market, UInt64Array2D
from indicators import (
    INDICATORS_BY_NAME,
    ClockBuilder,
    Computed,
    FeatureMatrix,
    Indicator,
    build_features,
    clock_of,
)

from .base import Head, HeadInputs, HeadOutput


@dataclass(frozen=True, slots=True, eq=False)
class VoteMatrix:
    """The answers of H heads on T bars, one column a head, in the order of ``names``.

    ``open_time`` and ``known_at`` int64 ns UTC ``(T,)``; ``direction`` int8, ``probability``,
    ``confidence``, ``score``, ``coverage`` float64 and ``reasons`` uint64, each ``(T, H)`` and
    Fortran-ordered, with the ranges of ``HeadOutput``. Row *t* is known at ``known_at[t]``.
    """

    names: tuple[str, ...]
    open_time: Int1D
    known_at: Int1D
    direction: Int8Array2D
    probability: Float2D
    confidence: Float2D
    score: Float2D
    coverage: Float2D
    reasons: UInt64Array2D

    def __len__(self) -> int:
        return len(self.open_time)


def head_inputs(head: Head, matrix: FeatureMatrix) -> HeadInputs:
    """The columns that ``head`` declared, under its own aliases; absent where data are missing."""
    position = {feature: column for column, feature in enumerate(matrix.features)}
    columns = {
        alias: matrix.values[:, position[feature]]
        for alias, feature in head.features().items()
        if feature in position
    }
    return HeadInputs(len(matrix.open_time), columns)


def vote_matrix(
    market: Market,
    heads: Sequence[Head],
    *,
    indicators: Mapping[str, Indicator] = INDICATORS_BY_NAME,
    clock_builder: ClockBuilder = clock_of,
    computed: Computed | None = None,
) -> VoteMatrix:
    """Build every feature that the heads declare and let each head vote on every bar.

    ``computed`` as in ``build_features``. Raises ContractError when a head answers with another number
    of rows or breaks its contract; the message names the head.
    """
    matrix = build_features(
        market,
        [feature for head in heads for feature in head.features().values()],
        indicators=indicators,
        clock_builder=clock_builder,
        computed=computed,
    )
    rows = len(matrix.open_time)
    outputs: list[HeadOutput] = []
    for head in heads:
        try:
            output = head.vote(head_inputs(head, matrix))
        except ContractError as error:
            raise ContractError(f"head {head.name}: {error}") from error
        if len(output.direction) != rows:
            raise ContractError(
                f"head {head.name} answered {len(output.direction)} rows for {rows} bars"
            )
        outputs.append(output)
    return stacked_votes(
        matrix.open_time,
        matrix.known_at,
        {head.name: output for head, output in zip(heads, outputs, strict=True)},
    )


def stacked_votes(
    open_time: Int1D, known_at: Int1D, outputs: Mapping[str, HeadOutput]
) -> VoteMatrix:
    """The answers of heads, by name, on bars that open and are known at the times given."""

    def stacked(name: str) -> Any:
        columns = [getattr(output, name) for output in outputs.values()]
        return np.asfortranarray(np.column_stack(columns))

    return VoteMatrix(
        names=tuple(outputs),
        open_time=open_time,
        known_at=known_at,
        **{column.name: stacked(column.name) for column in fields(HeadOutput)},
    )
