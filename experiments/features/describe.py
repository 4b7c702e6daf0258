"""What an indicator or one of its columns is, in words: taken from its declaration and its docstrings."""

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine import ConfigError
from indicators import Feature, Indicator, Output, Parameters
from indicators.feature_name import NEAR_ENOUGH, known_feature

from .definitions import bounds_of, dtype_of, known_text
from .own_indicators import OwnCompute

NAN_RULES: Final[Mapping[str, str]] = {
    "value": "NaN for the lookback, a finite number afterwards",
    "level": "NaN until the first event, whose row depends on the data, a finite number afterwards",
    "sparse": "NaN on every row on which it is not defined, a finite number elsewhere",
    "signal": "-1, 0 or 1; 0 while nothing is known, never NaN",
    "state": "a whole number from a fixed table; 0 for none or unknown, never NaN",
}
"""What stands in a column of each kind before and after its warm-up."""
OURS: Final = "indicators"
"""The package whose functions hold the formulas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """An indicator in words, with the parameters of one of its columns or with the defaults.

    ``outputs`` are all of its outputs, or the one that was asked for. ``lookback`` and ``stable`` count
    rows of the clock. ``formulas`` are the docstrings of the functions that compute it, by name.
    """

    indicator: Indicator
    feature: Feature | None
    parameters: Parameters
    clock: str
    lookback: int
    stable: int
    home: str
    formulas: Mapping[str, str]

    @property
    def outputs(self) -> Sequence[Output]:
        """The outputs that are described."""
        if self.feature is None:
            return self.indicator.outputs
        return [self.indicator.outputs[self.indicator.output_index(self.feature.output)]]

    def facts(self) -> dict[str, Any]:
        """The description as plain values."""
        indicator = self.indicator
        return {
            "name": indicator.name if self.feature is None else str(self.feature),
            "indicator": indicator.name,
            "text": indicator.text,
            "home": self.home,
            "formulas": dict(self.formulas),
            "inputs": list(indicator.inputs),
            "clock": self.clock,
            "only_clock": indicator.only_clock,
            "known": known_text(self.clock),
            "parameters": [
                {
                    "name": one.name,
                    "value": self.parameters[one.name],
                    "default": one.default,
                    "low": one.low,
                    "high": one.high,
                    "whole": one.integer,
                }
                for one in indicator.parameters
            ],
            "lookback": self.lookback,
            "stable": self.stable,
            "outputs": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "unit": one.unit,
                    "text": one.text,
                    "low": bounds_of(one)[0],
                    "high": bounds_of(one)[1],
                    "type": dtype_of(one),
                    "nan": NAN_RULES[one.kind],
                    "firing_rate": one.firing_rate,
                }
                for one in self.outputs
            ],
        }


def described(name: str, indicators: Mapping[str, Indicator]) -> Description:
    """The description of the indicator or column ``name``; ConfigError naming the word that is wrong."""
    if "." in name:
        feature = known_feature(name, indicators)
        return _described(indicators[feature.indicator], feature)
    if name not in indicators:
        near = difflib.get_close_matches(name, indicators, n=1, cutoff=NEAR_ENOUGH)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(
            f"there is no indicator {name!r}; {hint}`ninefold features --list` shows them all"
        )
    return _described(indicators[name], None)


def family_of(indicator: Indicator) -> str:
    """The file that an indicator is written in, without its ending."""
    compute = indicator.compute
    if isinstance(compute, OwnCompute):
        return Path(compute.path).stem
    return compute.__module__.rpartition(".")[2]


def _described(indicator: Indicator, feature: Feature | None) -> Description:
    parameters = indicator.resolved({} if feature is None else dict(feature.parameters))
    compute: Callable[..., Any] = indicator.compute
    home = compute.__module__
    if isinstance(compute, OwnCompute):
        home, compute = compute.path, compute.function
    return Description(
        indicator=indicator,
        feature=feature,
        parameters=parameters,
        clock=feature.clock if feature else indicator.only_clock or "bars",
        lookback=indicator.lookback(parameters),
        stable=indicator.stable(parameters),
        home=home,
        formulas=dict(_formulas(compute, set())),
    )


def _formulas(function: Callable[..., Any], seen: set[str]) -> Iterator[tuple[str, str]]:
    """Name and docstring of ``function`` and of what it calls; not further below one that has some."""
    written = getattr(function, "py_func", function)
    code = getattr(written, "__code__", None)
    # What returns nothing computes nothing: it checks.
    if code is None or written.__qualname__ in seen or _returns_nothing(written):
        return
    seen.add(written.__qualname__)
    text = inspect.getdoc(written)
    if text:
        yield written.__name__, text
        return
    cells = [cell.cell_contents for cell in written.__closure__ or ()]
    named = [written.__globals__.get(name) for name in code.co_names]
    home = written.__module__.partition(".")[0]
    for one in (*named, *cells):
        inner = getattr(one, "py_func", one)
        if inspect.isfunction(inner) and inner.__module__.partition(".")[0] in (home, OURS):
            yield from _formulas(inner, seen)


def _returns_nothing(function: Callable[..., Any]) -> bool:
    return getattr(function, "__annotations__", {}).get("return", "") in (None, "None")
