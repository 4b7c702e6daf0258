"""Modes that heads of price structure share, and what they ask of indicators and detectors.

Swings are pivots of ``pivot_bars`` on each side or directional changes of ``turn_atr`` ATR; they break by
closes or wicks; a block is the whole candle behind a break or its body.
"""

from typing import Literal, Protocol

from indicators import Detection, detection

from .base import check_choice, check_range


class StructureModes(Protocol):
    """A head with these parameters."""

    @property
    def name(self) -> str: ...
    @property
    def swing_mode(self) -> Literal["pivots", "turns"]: ...
    @property
    def break_mode(self) -> Literal["close", "wick"]: ...
    @property
    def block_zone(self) -> Literal["wick", "body"]: ...
    @property
    def pivot_bars(self) -> int: ...
    @property
    def turn_atr(self) -> float: ...


def check_structure_modes(head: StructureModes) -> None:
    """ConfigError where a mode is unknown, or a turn lies outside the range of the indicator."""
    check_choice(head.name, ("pivots", "turns"), swing_mode=head.swing_mode)
    check_choice(head.name, ("close", "wick"), break_mode=head.break_mode)
    check_choice(head.name, ("wick", "body"), block_zone=head.block_zone)
    check_range(head.name, 1.0, 6.0, turn_atr=head.turn_atr)


def swing_parameters(head: StructureModes) -> dict[str, float]:
    """Of every indicator that follows swings."""
    if head.swing_mode == "turns":
        return {"by_turns": 1, "turn_atr": head.turn_atr}
    return {"left": head.pivot_bars, "right": head.pivot_bars}


def wick_parameters(head: StructureModes) -> dict[str, float]:
    """Of every indicator that knows breaks, whatever its swings are."""
    return {"at_wicks": 1} if head.break_mode == "wick" else {}


def break_parameters(head: StructureModes) -> dict[str, float]:
    """Of every indicator that follows breaks of the swings."""
    return {**swing_parameters(head), **wick_parameters(head)}


def block_parameters(head: StructureModes) -> dict[str, float]:
    """Of every indicator that follows the blocks behind these breaks."""
    by_body: dict[str, float] = {"by_body": 1} if head.block_zone == "body" else {}
    return {**break_parameters(head), **by_body}


def swing_detection(head: StructureModes) -> Detection:
    """The table of the swings."""
    if head.swing_mode == "turns":
        return detection("directional_change", clock="bars", multiple=head.turn_atr)
    return detection("pivot", clock="bars", left=head.pivot_bars, right=head.pivot_bars)
