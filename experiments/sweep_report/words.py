"""How metrics, axes and trials are written in a sweep's report."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..formats import metric_label as label_of
from ..pages import Cell, Number
from ..pages.plots import axis, percent_axis
from ..sweep_tables import UNITS
from ..sweeps.config import Choice, RealRange, WholeRange
from ..sweeps.places import choice_text
from ..sweeps.space import Axis

MOST_TICKS: Final = 10
NAMES: Final[Mapping[str, str]] = {
    "sharpe": "Sharpe ratio",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
}


def metric_label(metric: str) -> str:
    """A metric in words."""
    return NAMES.get(metric) or label_of(metric, UNITS.get(metric, ""))


def leading_words(objectives: Sequence[str]) -> str:
    """What the first of the ranked trials is."""
    return "the best" if len(objectives) == 1 else "first of the front"


def first_upper(text: str) -> str:
    """``text`` as it begins a line."""
    return text[:1].upper() + text[1:]


def value_cell(one: Axis, value: float) -> Cell:
    """A parameter's value in a table; a choice in words."""
    if isinstance(one.parameter, Choice):
        return choice_names(one.parameter.values)[round(value)]
    return Number(value, "significant")


def metric_number(value: float | None, metric: str) -> Number:
    """A metric's value in its unit."""
    return Number(value, UNITS[metric])


def rounded_metric(value: float, metric: str) -> str:
    """A metric's value in a sentence, where another one stands beside it: a ratio to two decimals."""
    return (
        f"{round(value, 2) + 0.0:.2f}"
        if UNITS[metric] == "ratio"
        else metric_number(value, metric).text
    )


def metric_axis(metric: str, prefix: str = "", **more: Any) -> Mapping[str, Any]:
    """An axis of values of a metric, in its unit."""
    unit, words = UNITS[metric], f"{prefix}{metric_label(metric)}"
    if unit == "fraction":
        return percent_axis(words, **more)
    return axis(words if unit in ("ratio", "count", "flag") else f"{words} ({unit})", **more)


def parameter_axis(one: Axis, name: str) -> Mapping[str, Any]:
    """An axis of values of a parameter, on the scale that it is searched on."""
    match one.parameter:
        case Choice(values=values):
            return axis(
                name,
                tickvals=list(range(len(values))),
                ticktext=choice_names(values),
                range=[-0.5, len(values) - 0.5],
            )
        case RealRange(log=True):
            return axis(f"{name} (log scale)", type="log")
        case WholeRange(low=low, high=high, step=step):
            every = step * max(1, -(-(high - low) // (step * MOST_TICKS)))
            return axis(name, tick0=low, dtick=every, range=[low - step / 2, high + step / 2])
    return axis(f"{name} (share)" if one.head is not None else name)


def range_text(one: Axis) -> tuple[str, str]:
    """The lowest and the highest value of an axis, or its first and last choice."""
    match one.parameter:
        case RealRange(low=low, high=high):
            return f"{low:.4g}", f"{high:.4g}"
        case WholeRange(low=low, high=high):
            return f"{low}", f"{high}"
        case Choice(values=values):
            names = choice_names(values)
            return names[0], names[-1]
    return "0", "1"


def plural(count: int, word: str) -> str:
    """``1 trial``, ``1,280 trials``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def choice_names(values: Sequence[Any]) -> list[str]:
    """Values of a choice in few letters, by number where those are not enough to tell them apart."""
    short = [_short(choice_text(value)) for value in values]
    if len(set(short)) == len(short):
        return short
    return [f"{place}: {text}" for place, text in enumerate(short, 1)]


def _short(text: str, most: int = 18) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
