"""The page of indicators, a section for each family."""

from collections.abc import Iterator
from math import isfinite

from indicators import INDICATORS, Indicator, Output

from ..features.definitions import known_text
from ..features.describe import NAN_RULES, described, family_of
from .markdown import bounds, number, paragraphs, table

HEAD = """# Indicators

{count} indicators in {families} families. A column is written
`indicator.output(parameter=value)@clock`, such as `rsi.rsi(length=14)@bars:4h`; parameters with
their default and the clock `bars` may be left out ([features.md](../features.md)). `ninefold
features --describe NAME` shows the same in a terminal.

*Warm-up* counts rows of the clock with the default parameters: those before the first value, and
those after which it no longer matters where the data began. *Known* says when a row may be used.
What stands in an output before and after its warm-up:

{kinds}
"""


def indicators_page() -> str:
    """Every indicator of the catalogue: text, formula, inputs, parameters, outputs, when known."""
    families: dict[str, list[Indicator]] = {}
    for indicator in INDICATORS:
        families.setdefault(family_of(indicator), []).append(indicator)
    kinds = table(("kind", "values"), ([f"`{kind}`", rule] for kind, rule in NAN_RULES.items()))
    parts = [HEAD.format(count=len(INDICATORS), families=len(families), kinds=kinds)]
    for family, members in sorted(families.items()):
        parts.append(f"## {family.replace('_', ' ')}\n")
        parts += [_section(indicator) for indicator in members]
    return "\n".join(parts)


def _section(indicator: Indicator) -> str:
    return "\n".join(_lines(indicator))


def _lines(indicator: Indicator) -> Iterator[str]:
    found = described(indicator.name, {indicator.name: indicator})
    yield f"### {indicator.name}\n"
    yield f"{paragraphs(indicator.text)}\n"
    for name, text in found.formulas.items():
        yield f"* `{name}`: {' '.join(paragraphs(text).split())}"
    inputs = ", ".join(f"`{name}`" for name in indicator.inputs)
    yield f"* Reads {inputs} of `{found.clock}`; known {known_text(found.clock)}."
    if indicator.may_lack:
        yield f"* May lack {', '.join(f'`{name}`' for name in indicator.may_lack)}."
    if indicator.parameters:
        told = [
            f"`{one.name}` {number(one.default)} ({bounds(one.low, one.high)})"
            for one in indicator.parameters
        ]
        yield f"* Parameters: {', '.join(told)}."
    yield f"* Warm-up: {found.lookback} rows; {found.stable} until the start no longer matters.\n"
    yield table(("output", "kind", "unit", "range", "what it is"), map(_output, indicator.outputs))
    yield ""


def _output(output: Output) -> tuple[str, ...]:
    low = output.low if isfinite(output.low) else None
    high = output.high if isfinite(output.high) else None
    text = output.text
    if output.firing_rate is not None:
        text += f"; expected on {output.firing_rate[0]:.2%} to {output.firing_rate[1]:.2%} of hourly bars"
    return f"`{output.name}`", output.kind, output.unit, bounds(low, high), text
