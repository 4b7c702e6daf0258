"""What a page says about an event and about a vote, as lines of text that carry no markup."""

from collections.abc import Iterable, Sequence
from math import isnan

from datasets import time_text
from strategies import Reason

from .styles import words

CHANGES_TOLD = 8
SIDES = {1: "argues for a rise", -1: "argues for a fall", 0: "argues for neither side"}
SIGNS = {1: "+", -1: "−", 0: "·"}


def price_text(price: float) -> str:
    """A price in at most six digits, or as many as its whole part has."""
    return f"{price:,.0f}" if abs(price) >= 1e6 else f"{price:,.6g}"


def event_lines(
    *,
    type_name: str,
    text: str,
    detection: str,
    direction: int,
    anchor_ns: int,
    known_ns: int,
    delay_bars: int,
    top: float,
    bottom: float,
    measure: float,
    measure_unit: str,
    points: Iterable[tuple[str, int, float]],
    levels: Iterable[tuple[str, float]],
    changes: Sequence[tuple[str, int]],
) -> list[str]:
    """Type, side, anchor, moment of knowledge with its delay, levels, points, history of states."""
    bars = "1 bar" if delay_bars == 1 else f"{delay_bars} bars"
    lines = [
        words(type_name) if detection == words(type_name) else f"{words(type_name)} ({detection})",
        text,
        SIDES[direction],
        f"bar of {time_text(anchor_ns)}",
        f"known {time_text(known_ns)}, {bars} later",
    ]
    if not isnan(top):
        zone = f"level {price_text(top)}"
        if top != bottom:
            zone = f"zone {price_text(bottom)} to {price_text(top)}"
        lines.append(zone)
    if not isnan(measure):
        lines.append(f"{measure:.4g} {measure_unit}".rstrip())
    lines += [f"{words(name)} {price_text(price)}, {time_text(at)}" for name, at, price in points]
    lines += [f"{words(name)} {price_text(price)}" for name, price in levels]
    hidden = len(changes) - CHANGES_TOLD
    if hidden > 0:
        lines.append(f"{hidden} earlier changes of its state")
    lines += [f"{words(state)} {time_text(at)}" for state, at in changes[-CHANGES_TOLD:]]
    return lines


def vote_lines(
    *,
    direction: int,
    probability: float,
    confidence: float,
    coverage: float,
    reasons: Iterable[Reason],
) -> list[str]:
    """The vote of one bar: side, probability, confidence, and the reasons that were on."""
    if coverage <= 0:
        return ["no data"]
    lines = [{1: "votes LONG", -1: "votes SHORT", 0: "no vote"}[direction]]
    if direction:
        lines.append(f"probability {probability:.2f}, confidence {confidence:.2f}")
    if coverage < 1:
        lines.append(f"coverage {coverage:.2f}")
    return lines + [f"{SIGNS[reason.direction]} {reason.text}" for reason in reasons]
