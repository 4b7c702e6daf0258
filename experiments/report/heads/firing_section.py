"""How often heads, their detectors and the gates spoke, symbol by symbol."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...firing import SYMBOLS_APART, over_symbols
from ...formats import counted, formatted, spoken
from ...pages import Block, Fold, Number, Section, Table, Text

SYMBOLS_SHOWN: Final = 20
"""Symbols whose tables are shown one by one; of more, those with the most and the fewest decisions."""
OUTSIDE: Final = "outside"
WITHIN: Final = "within"


def firing_section(firings: Sequence[Mapping[str, Any]]) -> Section:
    """Tables of ``firing`` of run.json: all symbols together where there are many, then each."""
    blocks: list[Block] = []
    if len(firings) > 1:
        blocks += _of_one(over_symbols(firings), "all")
    is_many = len(firings) > SYMBOLS_APART
    shown = _chosen(firings)
    for number, firing in shown:
        own = _of_one(firing, str(number))
        blocks += (Fold(summary=_summary(firing), blocks=tuple(own)),) if is_many else own
    if len(shown) < len(firings):
        said = (
            f"Of {len(firings)} symbols those {len(shown)} with the most and the fewest decisions are "
            "shown; run.json has all of them."
        )
        blocks.append(Text(paragraphs=(said,)))
    return Section(
        name="head-firing",
        title="How often heads speak",
        lead="Shares of all bars, warm-up included, beside the ranges that were written down before "
        "looking.",
        blocks=tuple(blocks),
    )


def _chosen(firings: Sequence[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    numbered = list(enumerate(firings))
    if len(numbered) <= SYMBOLS_SHOWN:
        return numbered
    ordered = sorted(numbered, key=lambda one: -one[1]["decisions"])
    return ordered[: SYMBOLS_SHOWN // 2] + ordered[-(SYMBOLS_SHOWN // 2) :]


def _summary(firing: Mapping[str, Any]) -> str:
    voting = sum(head["voted"] > 0 for head in firing["heads"])
    return (
        f"{firing['symbol']}: {voting} of {len(firing['heads'])} heads voted at some time, "
        f"{counted(firing['decisions'], 'decision')}"
    )


def _of_one(firing: Mapping[str, Any], name: str) -> list[Block]:
    silent = [spoken(head["name"]) for head in firing["heads"] if head["voted"] == 0]
    blocks: list[Block] = []
    if silent:
        blocks.append(Text(paragraphs=(f"{firing['symbol']}: never voted: {', '.join(silent)}.",)))
    return [*blocks, _heads(firing, name), _detectors(firing, name)]


def _heads(firing: Mapping[str, Any], name: str) -> Table:
    return Table(
        name=f"firing-heads-{name}",
        caption=_summary(firing),
        columns=(
            "head",
            "weight",
            "has data",
            "coverage",
            "long",
            "short",
            "votes",
            "expected",
            "is it",
            "valid",
        ),
        rows=tuple(
            (
                spoken(head["name"]) + ("" if head["enabled"] else " (off)"),
                Number(head["weight"], "ratio"),
                *(
                    Number(head[part], "fraction")
                    for part in ("present", "coverage", "long", "short")
                ),
                Number(head["voted"], "fraction"),
                _range(head["expected"]),
                _judged(head["voted"], head) if head["enabled"] else "",
                Number(head["valid"], "fraction"),
            )
            for head in firing["heads"]
        ),
        note=f"{counted(firing['bars'], 'bar')}. Coverage: mean share of a head's components that had "
        "data. Valid: a direction, with probability and confidence at the thresholds.",
    )


def _detectors(firing: Mapping[str, Any], name: str) -> Table:
    return Table(
        name=f"firing-detectors-{name}",
        caption=f"{firing['symbol']}: every detector, how often it fired against the range written down "
        "before looking",
        columns=("detector", "head", "meaning", "bars", "share", "expected", "is it"),
        rows=tuple(
            (
                spoken(reason["name"]),
                spoken(head["name"]),
                reason["text"],
                Number(float(round(reason["rate"] * firing["bars"])), "count"),
                Number(reason["rate"], "fraction"),
                _range(reason["expected"]),
                _judged(reason["rate"], head, reason["expected"]),
            )
            for head in firing["heads"]
            for reason in head["reasons"]
        ),
        is_folded=True,
    )


def _range(bounds: Sequence[float]) -> str:
    return f"{formatted(bounds[0], 'fraction')} to {formatted(bounds[1], 'fraction')}"


def _judged(value: float, head: Mapping[str, Any], expected: Sequence[float] | None = None) -> str:
    """Whether a share lies in the range that was expected of the head, or of a detector of it."""
    if not head["present"] > 0:
        return "no data"
    low, high = head["expected"] if expected is None else expected
    return WITHIN if low <= value <= high else OUTSIDE
