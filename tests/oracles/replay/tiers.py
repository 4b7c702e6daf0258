"""Section 5: what the tiers of the margin table ask of a notional."""

from engine import Margin

from .arithmetic import total


def maintenance(margin: Margin, notional: float) -> float:
    """Each part of ``notional`` at the rate of its tier; beyond the last tier its rate goes on."""
    if margin.mode == "none":
        return 0.0
    parts, floor = [], 0.0
    for tier in margin.tiers:
        top = notional if tier is margin.tiers[-1] else min(notional, tier.notional_to)
        if top > floor:
            parts.append(tier.maintenance * (top - floor))
        floor = tier.notional_to
    return total(parts)


def initial_margin(margin: Margin, notional: float) -> float:
    """What a position of ``notional`` needs to be opened."""
    if margin.mode == "none":
        return 0.0
    if margin.mode == "isolated":
        return notional / margin.leverage
    for tier in margin.tiers:
        if notional <= tier.notional_to:
            return notional / tier.max_leverage
    return notional / margin.tiers[-1].max_leverage
