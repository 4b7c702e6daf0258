"""The parameters of the ICT head, and what they ask of indicators and detectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Final, Literal

from indicators import Detection, Feature, detection, feature

from .base import check_choice, check_lengths, check_range
from .structure_parameters import (
    block_parameters,
    break_parameters,
    check_structure_modes,
    swing_detection,
    swing_parameters,
    wick_parameters,
)

KILL_ZONES: Final = ("ict_common", "seed")
"""Presets in the order of the codes of ``kill_zone``'s ``preset``."""


@dataclass(frozen=True, slots=True)
class IctParameters:
    """Numbers and modes of the ICT head; what each means is told there."""

    name: ClassVar[str] = "ict"

    kill_zones: Literal["ict_common", "seed"] = "ict_common"
    weekend: bool = False
    swing_mode: Literal["pivots", "turns"] = "pivots"
    break_mode: Literal["close", "wick"] = "close"
    block_zone: Literal["wick", "body"] = "wick"
    range_mode: Literal["pivots", "rolling"] = "pivots"
    pivot_bars: int = 5
    major_bars: int = 50
    turn_atr: float = 2.5
    range_bars: int = 50
    entry_validity_bars: int = 6
    judas_validity_bars: int = 6
    sweep_validity_bars: int = 4
    touch_validity_bars: int = 4
    gap_validity_bars: int = 4
    shift_validity_bars: int = 6
    sweep_epsilon_atr: float = 0.05
    equal_width_atr: float = 0.15
    judas_reach_atr: float = 0.1
    judas_min_strength: float = 0.3
    judas_needs_shift: bool = False
    gap_min_size_atr: float = 0.1
    gap_displacement_atr: float = 1.0
    balanced_window_bars: int = 20
    block_touches: int = 1
    entry_confidence: float = 0.75
    judas_confidence: float = 0.65
    judas_gain: float = 0.25
    touch_confidence: float = 0.70
    gap_confidence: float = 0.70
    london_multiplier: float = 1.10
    new_york_multiplier: float = 1.20
    london_close_multiplier: float = 1.05
    silver_bullet_multiplier: float = 1.10
    warm_up_bars: int = 150

    def __post_init__(self) -> None:
        check_choice(self.name, KILL_ZONES, kill_zones=self.kill_zones)
        check_structure_modes(self)
        check_choice(self.name, ("pivots", "rolling"), range_mode=self.range_mode)
        check_lengths(
            self.name,
            pivot_bars=self.pivot_bars,
            major_bars=self.major_bars,
            range_bars=self.range_bars,
            entry_validity_bars=self.entry_validity_bars,
            judas_validity_bars=self.judas_validity_bars,
            sweep_validity_bars=self.sweep_validity_bars,
            touch_validity_bars=self.touch_validity_bars,
            gap_validity_bars=self.gap_validity_bars,
            shift_validity_bars=self.shift_validity_bars,
            balanced_window_bars=self.balanced_window_bars,
            block_touches=self.block_touches,
        )
        check_range(
            self.name,
            0.0,
            1.0,
            entry_confidence=self.entry_confidence,
            judas_confidence=self.judas_confidence,
            judas_gain=self.judas_gain,
            touch_confidence=self.touch_confidence,
            gap_confidence=self.gap_confidence,
        )
        check_range(
            self.name,
            0.0,
            inf,
            sweep_epsilon_atr=self.sweep_epsilon_atr,
            equal_width_atr=self.equal_width_atr,
            judas_reach_atr=self.judas_reach_atr,
            judas_min_strength=self.judas_min_strength,
            gap_min_size_atr=self.gap_min_size_atr,
            gap_displacement_atr=self.gap_displacement_atr,
            london_multiplier=self.london_multiplier,
            new_york_multiplier=self.new_york_multiplier,
            london_close_multiplier=self.london_close_multiplier,
            silver_bullet_multiplier=self.silver_bullet_multiplier,
            warm_up_bars=self.warm_up_bars,
        )

    def features(self) -> Mapping[str, Feature]:
        """Events of the ICT families, and a level of each that tells when it can be known."""

        def of(
            indicator: str, parameters: Mapping[str, float], **outputs: str
        ) -> dict[str, Feature]:
            return {
                alias: feature(indicator, output, clock="bars", **parameters)
                for alias, output in outputs.items()
            }

        zones = (
            of("dealing_range", swing_parameters(self), range_zone="zone")
            if self.range_mode == "pivots"
            else of("dealing_range", {"length": self.range_bars}, range_zone="rolling_zone")
        )
        return {
            **of(
                "optimal_trade_entry", break_parameters(self), entry="entry", entry_known="middle"
            ),
            **of(
                "judas_swing",
                self._judas(),
                judas="judas",
                new_york_judas="new_york_judas",
                judas_strength="strength",
                judas_known="asian_high",
            ),
            **of(
                "liquidity_sweep",
                self._sweeps(),
                sweep="sweep",
                sweep_confidence="confidence",
                sweep_equal="equal",
                sweep_busy="busy",
            ),
            **of("order_block", self._blocks(), block_touch="touch"),
            **of("balanced_price_range", self._balanced(), balanced_touch="touch"),
            **of(
                "structure",
                self._structure(),
                trend="trend",
                block_known="broken_level",
                shift="mss",
            ),
            **of(
                "fair_value_gap",
                self._gaps(),
                gap_reaction="reaction",
                gap_known="bullish_distance_atr",
            ),
            **of("kill_zone", self._zones(), kill_zone="zone", silver_bullet="silver_bullet"),
            **of("structure", self._major(), major_trend="trend"),
            **zones,
        }

    def detections(self) -> Mapping[str, Detection]:
        """The tables of events that the votes follow from, by a short alias."""

        def of(detector: str, parameters: Mapping[str, float]) -> Detection:
            return detection(detector, clock="bars", **parameters)

        return {
            "swings": swing_detection(self),
            "structure": of("structure", self._structure()),
            "major_swings": of("pivot", self._major_sides()),
            "major_structure": of("structure", self._major()),
            "gaps": of("fair_value_gap", self._gaps()),
            "balanced_ranges": of("balanced_price_range", self._balanced()),
            "blocks": of("order_block", self._blocks()),
            "pools": of("liquidity_pool", self._sweeps()),
            "sweeps": of("liquidity_sweep", self._sweeps()),
            "entries": of("optimal_trade_entry", break_parameters(self)),
            "judas": of("judas_swing", self._judas()),
            "sessions": of("session", self._weekend()),
        }

    def _structure(self) -> dict[str, float]:
        return {**break_parameters(self), **self._gaps()}

    def _major_sides(self) -> dict[str, float]:
        return {"left": self.major_bars, "right": self.major_bars}

    def _major(self) -> dict[str, float]:
        return {**self._major_sides(), **wick_parameters(self)}

    def _blocks(self) -> dict[str, float]:
        return {**block_parameters(self), "max_touches": self.block_touches}

    def _gaps(self) -> dict[str, float]:
        return {
            "min_size_atr": self.gap_min_size_atr,
            "min_displacement_atr": self.gap_displacement_atr,
        }

    def _balanced(self) -> dict[str, float]:
        return {"min_size_atr": self.gap_min_size_atr, "window_bars": self.balanced_window_bars}

    def _weekend(self) -> dict[str, float]:
        return {"weekend": float(self.weekend)}

    def _sweeps(self) -> dict[str, float]:
        rules = {"epsilon_atr": self.sweep_epsilon_atr, "equal_width_atr": self.equal_width_atr}
        return {**swing_parameters(self), **rules, **self._weekend()}

    def _judas(self) -> dict[str, float]:
        return {
            "reach_atr": self.judas_reach_atr,
            "min_strength": self.judas_min_strength,
            "needs_shift": float(self.judas_needs_shift),
            **self._weekend(),
        }

    def _zones(self) -> dict[str, float]:
        return {"preset": float(KILL_ZONES.index(self.kill_zones)), **self._weekend()}
