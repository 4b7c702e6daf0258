"""Small indicators and heads, sound ones and such as make one mistake each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine import Float1D
from experiments.checks.subjects import IndicatorCase
from indicators import Columns, Feature, Indicator, Output, Parameter, Parameters, feature
from strategies import HeadInputs, HeadOutput, Range, Reason, reason_bits

Compute = Callable[[Columns, Parameters], tuple[Float1D, ...]]


def toy(
    compute: Compute,
    *,
    kind: Literal["value", "level", "signal", "state"] = "value",
    inputs: tuple[str, ...] = ("close",),
    lookback: int = 0,
    stable: int | None = None,
    unit: str = "",
    low: float = -np.inf,
    high: float = np.inf,
) -> IndicatorCase:
    """One indicator with one output called ``out``."""
    rate = (0.001, 0.9) if kind == "signal" else None
    indicator = Indicator(
        name="toy",
        text="A toy.",
        inputs=inputs,
        parameters=(Parameter("length", 5, 1, 50),),
        outputs=(Output("out", kind, unit, "a toy", low, high, rate),),
        compute=compute,
        lookback=lambda _: lookback,
        stable=lambda _: lookback if stable is None else stable,
    )
    return IndicatorCase(indicator, (), "bars")


def rise(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Sound: 1 after a rise, -1 after a fall."""
    close = columns["close"]
    return (np.sign(np.diff(close, prepend=close[:1])),)


def centred_pivot(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Leaks: a high of five bars each side, written on its own row."""
    close = columns["close"]
    out = np.zeros(len(close))
    for t in range(5, len(close) - 5):
        out[t] = close[t] == close[t - 5 : t + 6].max()
    return (out,)


def whole_sample_score(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Leaks: standardised by the mean and deviation of the whole sample."""
    close = columns["close"]
    if len(close) == 0:
        return (close.copy(),)
    return ((close - close.mean()) / (close.std() + 1e-12),)


def next_close(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Leaks: the next close, where there is one."""
    close = columns["close"]
    return (np.concatenate((close[1:], close[-1:])),)


def filled_backwards(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Leaks: the warm-up is filled with the first known value."""
    close = columns["close"]
    out = np.full(len(close), np.nan)
    out[20:] = close[20:] - close[:-20]
    out[:20] = out[20] if len(close) > 20 else 0.0
    return (out,)


def rewritten_pivot(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Leaks: the highest bar of each hundred is marked, and moves while the hundred lasts."""
    close = columns["close"]
    out = np.zeros(len(close))
    for start in range(0, len(close), 100):
        out[start + int(np.argmax(close[start : start + 100]))] = 1.0
    return (out,)


def aware_of_length(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Leaks on long series only: what prefix replay of a short series cannot see."""
    close = columns["close"]
    if len(close) < 2_000:
        return (close.copy(),)
    return next_close(columns, {})


def cumulative(columns: Columns, _: Parameters) -> tuple[Float1D, ...]:
    """Causal, but never forgets its start."""
    return (np.cumsum(np.abs(np.diff(columns["close"], prepend=columns["close"][:1]))),)


def counting(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    """Causal, but it counts rises from the first row on: -3 to 3, round and round."""
    return (np.cumsum(rise(columns, parameters)[0] > 0) % 7 - 3.0,)


@dataclass(frozen=True, slots=True)
class ToyHead:
    """Votes for the trend of the 4h bars; context from funding."""

    threshold: float = 0.0

    name: ClassVar[str] = "toy"
    SPACE: ClassVar[Mapping[str, Range]] = {"threshold": Range(0.0, 0.1)}
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("up", 1, "above its mean", (0.1, 0.9)),
        Reason("down", -1, "below its mean", (0.1, 0.9)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.1, 1.0)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = ()

    def features(self) -> Mapping[str, Feature]:
        return {"close": feature("toy", "out", clock="bars:4h")}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        column = inputs.get("close")
        if column is None:
            return HeadOutput.absent(inputs.rows)
        known = np.isfinite(column)
        shape = np.where(known, column, 0.0)
        side = np.sign(shape)
        flags = {"up": side > 0, "down": side < 0}
        return HeadOutput.from_votes(
            direction=side,
            probability=np.full(inputs.rows, 0.7),
            confidence=np.full(inputs.rows, 0.8),
            score=50.0 + 50.0 * np.tanh(shape),
            coverage=known.astype(np.float64),
            reasons=reason_bits(flags, self.REASONS),
        )
