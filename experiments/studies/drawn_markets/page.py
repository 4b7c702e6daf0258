"""The recall curve as a page."""

from collections.abc import Mapping, Sequence
from typing import Final

from .drawing import Drawing
from .recall import LEVELS, NEAR_ROWS, SEEDS, Tally, false_alarms, recall, together

COMMAND: Final = "python -m experiments.studies.drawn_markets --out docs/drawn-markets.md"


def _cells(line: Sequence[Tally]) -> str:
    return " | ".join(f"{tally.share:.0%}" for tally in line)


def _header(*leading: str) -> list[str]:
    columns = [*leading, *(f"{level:g}" for level in LEVELS)]
    return ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]


def _recall_table(curve: Mapping[tuple[str, str], Sequence[Tally]]) -> str:
    lines = _header("detector", "event", "drawn")
    for (detector, event), line in curve.items():
        lines.append(f"| {detector} | {event} | {line[0].drawn} | {_cells(line)} |")
    total = together(curve.values())
    lines.append(f"| all | | {total[0].drawn} | {_cells(total)} |")
    return "\n".join(lines)


def _border_table(
    made: Mapping[tuple[str, str], Sequence[Tally]], missed: Mapping[str, Sequence[Tally]]
) -> str:
    lines = _header("detector", "side of the border", "drawn")
    detectors = dict.fromkeys([*(detector for detector, _event in made), *missed])
    for detector in detectors:
        own = [line for (owner, _event), line in made.items() if owner == detector]
        if own:
            line = together(own)
            lines.append(f"| {detector} | inside: found | {line[0].drawn} | {_cells(line)} |")
        if detector in missed:
            line = list(missed[detector])
            lines.append(f"| {detector} | outside: found | {line[0].drawn} | {_cells(line)} |")
    return "\n".join(lines)


def page(drawn: Sequence[Drawing]) -> str:
    """The whole study as Markdown."""
    whole = [one for one in drawn if not one.misses and not one.just_made]
    inside = [one for one in drawn if one.just_made and not one.misses]
    outside = [one for one in drawn if one.misses]
    return f"""# Drawn markets: what noise leaves of a textbook

Markets drawn from the definitions of the methods, in price and volume, with the rows on which their events
must become known (`experiments/studies/drawn_markets`): {len(whole)} textbook shapes, {len(inside)}
that lie just inside a rule, and {len(outside)} near misses, in which one rule just fails. Every one is
drawn both ways. Without noise the detectors find exactly the drawn events and nothing else of those types
(`tests/test_conformance/test_drawn_markets.py`). Made by `{COMMAND}`.

**Noise.** Every close is moved by the stated share of a bar's height (which is the average true range of
a drawing), times a standard normal number; opens follow the close before; wicks and volumes are
multiplied by the exponential of such a number. {len(SEEDS)} seeds a level, the same at every level.

**Found** is an event of the drawn type and side that is known within {NEAR_ROWS} rows of the drawn row;
`type: state` is a change of its state within {NEAR_ROWS} rows of the drawn change, lost where its event
is. `drawn` counts them in the drawings without noise. Ranges and pools of sessions, days and weeks come by
the clock, noise or not. The figures say how exact a shape must be to be seen, not whether it is worth
anything.

{_recall_table(recall(whole))}

## At the border of the rules

Inside: events and changes of the drawings in which a rule is just met, and the share that is still found.
Outside: near misses, and the share in which there are more events than were drawn. Without noise all
of the first and none of the second: the border lies where the definition has it. With noise both
become accidents.

{_border_table(recall(inside), false_alarms(outside))}
"""
