"""The rules head: candle and chart patterns at a level, confirmed by volume, and rules of the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar, Final

import numpy as np

from engine import Bool1D, Float1D
from indicators import Detection, Feature, detection, feature

from ..base import (
    HeadInputs,
    HeadOutput,
    Range,
    Reason,
    check_choice,
    check_lengths,
    check_range,
    reason_bits,
)
from ..user_rules import (
    HIGHEST,
    SAMPLE,
    RuleSignals,
    UserRule,
    fired_rows,
    rule_bars_back,
    rule_features,
    rule_signals,
)

CHART_PATTERNS: Final = ("double", "head_shoulders", "triangle", "flag")
GAP_MODES: Final = ("strict", "relaxed")
SWINGS: Final = ("pivots", "turns")
DOUBLE_TOLERANCES: Final = ("atr", "percent")
CANDLE_WEIGHT, CHART_WEIGHT = 0.6, 0.4
"""Shares of the coverage: there are candles on every bar and chart patterns now and then."""
FIRST_PATTERN, FURTHER_SIGNAL = 0.60, 0.08
"""Probability of n patterns: the first, and n times the second."""


@dataclass(frozen=True, slots=True)
class RulesHead:
    """Counts the patterns that stand at a level, each weighed by the volume of its bar (SPEC H4).

    Candle patterns are those of ``candlestick_reversal``, or with ``gap_mode`` relaxed those of
    ``candlestick_reversal_relaxed``, valid for ``candle_validity_bars`` bars. Chart patterns over
    confirmed pivots, or with ``swings`` turns over those of the directional change (``turn_atr``), fire
    at their trigger and stay valid for ``chart_validity_bars``: a pattern that waits for its trigger
    expires after its own span, one that has fired after that many bars, whatever its size, for a vote
    is an opinion on the bars to come. The two extremes of a double are level and its depth counts in
    ATR, or with ``double_tolerance`` percent in percent of the price (2 and 5). A pattern counts
    when a level of ``support_resistance`` lay within ``level_width_atr`` ATR of its bar's close, or
    within ``level_near_percent`` percent of the price where that is more. Its confidence is
    ``.70 + .20 strength`` times 1 for a volume of 1.5 times the usual and more, .95 from 1.2 on, else
    .85. The side with more patterns votes; none on a tie. With n patterns on that side
    ``p = min(.95, .60 + .08 n)``; c is their mean confidence, + .05 when two of them or more had full
    volume, at most .95.

    Coverage: .6 once levels and volume are known, .4 more once four pivots (or two turns) are; 0 for
    the first ``warm_up_bars`` rows, in which levels are still few.

    A rule of ``user_rules`` is one signal of its side on every bar on which its condition holds, wherever
    levels are, with a probability and a confidence of its own. It counts as one pattern: the side with
    more signals votes, and c is the mean confidence of all of them. Where a rule of that side fires that is
    surer than one pattern (.68), or no pattern stands beside it, p is the highest probability of the
    rules that fire and .08 for each further signal, at most .95. With rules, coverage is half that of
    the patterns and half the share of rules of which it is known whether they hold; ``warm_up_bars``
    does not concern them. Their conditions may look back 1,000 bars and more (``user_rule_bars``).
    """

    name: ClassVar[str] = "rules"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "candle_validity_bars": Range(1, 10, integer=True),
        "chart_validity_bars": Range(3, 30, integer=True),
        "pivot_bars": Range(3, 8, integer=True),
        "level_window_bars": Range(100, 1000, integer=True),
        "full_volume": Range(1.2, 3.0),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("candle_up", 1, "bullish candle pattern at a level", (0.15, 0.75)),
        Reason("candle_down", -1, "bearish candle pattern at a level", (0.15, 0.75)),
        Reason("double_up", 1, "double bottom at a level", (0.001, 0.05)),
        Reason("double_down", -1, "double top at a level", (0.001, 0.05)),
        Reason("head_shoulders_up", 1, "inverse head and shoulders at a level", (0.0005, 0.05)),
        Reason("head_shoulders_down", -1, "head and shoulders at a level", (0.0005, 0.05)),
        Reason("triangle_up", 1, "triangle left upwards at a level", (0.001, 0.08)),
        Reason("triangle_down", -1, "triangle left downwards at a level", (0.001, 0.08)),
        Reason("flag_up", 1, "flag left upwards at a level", (0.0002, 0.05)),
        Reason("flag_down", -1, "flag left downwards at a level", (0.0002, 0.05)),
        Reason("full_volume", 0, "two patterns of the winning side with volume", (0.01, 0.25)),
        Reason("user_rule_long", 1, "a rule of your own for the long side", (0.0, 1.0)),
        Reason("user_rule_short", -1, "a rule of your own for the short side", (0.0, 1.0)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.30, 0.75)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {"user_rules": SAMPLE},
        {"gap_mode": "relaxed", "double_tolerance": "percent"},
        {"swings": "turns", "level_near_percent": 1.0, "round_percent": 0.0},
    )

    candle_validity_bars: int = 5
    chart_validity_bars: int = 10
    pivot_bars: int = 5
    level_window_bars: int = 200
    level_width_atr: float = 0.5
    level_near_percent: float = 0.0
    round_percent: float = 5.0
    gap_mode: str = "strict"
    swings: str = "pivots"
    turn_atr: float = 2.5
    double_tolerance: str = "atr"
    full_volume: float = 1.5
    some_volume: float = 1.2
    warm_up_bars: int = 200
    user_rules: tuple[UserRule, ...] = ()
    user_rule_bars: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "user_rule_bars", rule_bars_back(self.user_rules))
        check_range(
            self.name,
            0.0,
            inf,
            level_width_atr=self.level_width_atr,
            level_near_percent=self.level_near_percent,
            round_percent=self.round_percent,
            turn_atr=self.turn_atr,
            full_volume=self.full_volume,
            some_volume=self.some_volume,
            warm_up_bars=self.warm_up_bars,
        )
        check_lengths(
            self.name,
            candle_validity_bars=self.candle_validity_bars,
            chart_validity_bars=self.chart_validity_bars,
            pivot_bars=self.pivot_bars,
            level_window_bars=self.level_window_bars,
        )
        check_choice(self.name, GAP_MODES, gap_mode=self.gap_mode)
        check_choice(self.name, SWINGS, swings=self.swings)
        check_choice(self.name, DOUBLE_TOLERANCES, double_tolerance=self.double_tolerance)

    def features(self) -> Mapping[str, Feature]:
        """Patterns, levels near the close, volume against the twenty bars before; those of the rules."""
        return {**self._pattern_features(), **rule_features(self.user_rules)}

    def detections(self) -> Mapping[str, Detection]:
        """The swings, the levels that they make, and the chart patterns over them."""
        bars = self.pivot_bars
        by_pivots = detection("pivot", left=bars, right=bars)
        by_turns = detection("directional_change", multiple=self.turn_atr)
        return {
            "swings": by_pivots if self.swings == "pivots" else by_turns,
            "levels": detection("support_resistance", clock="bars", **self._level_parameters()),
            "charts": detection("chart_pattern", clock="bars", **self._chart_parameters()),
        }

    def fired_rules(self, inputs: HeadInputs) -> Mapping[str, Bool1D]:
        """The rows on which each rule of the user fires, by its name, ``(T,)``, in their order."""
        return fired_rows(self.user_rules, inputs)

    def _swing_parameters(self) -> dict[str, float]:
        sides = {"left": float(self.pivot_bars), "right": float(self.pivot_bars)}
        turns = {"by_turns": 1.0, "turn_atr": self.turn_atr}
        return sides if self.swings == "pivots" else sides | turns

    def _chart_parameters(self) -> dict[str, float]:
        seed = {"max_difference_percent": 2.0, "min_depth_percent": 5.0}
        return self._swing_parameters() | (seed if self.double_tolerance == "percent" else {})

    def _level_parameters(self) -> dict[str, float]:
        return {
            "left": self.pivot_bars,
            "right": self.pivot_bars,
            "window_bars": self.level_window_bars,
            "width_atr": self.level_width_atr,
            "near_percent": self.level_near_percent,
            "round_percent": self.round_percent,
        }

    def _pattern_features(self) -> Mapping[str, Feature]:
        bars, strict = self.pivot_bars, self.gap_mode == "strict"
        candles = "candlestick_reversal" if strict else "candlestick_reversal_relaxed"
        charts, levels = self._chart_parameters(), self._level_parameters()
        pivots_known = feature("zigzag", "previous_low", left=bars, right=bars)
        turns_known = feature("swing_leg", "range_atr", clock="bars", **self._swing_parameters())
        return {
            "candles_up": feature(candles, "bullish_count"),
            "candles_down": feature(candles, "bearish_count"),
            "strength_up": feature(candles, "bullish_strength"),
            "strength_down": feature(candles, "bearish_strength"),
            **{
                name: feature("chart_pattern", name, clock="bars", **charts)
                for name in CHART_PATTERNS
            },
            "chart_known": pivots_known if self.swings == "pivots" else turns_known,
            "near_count": feature("support_resistance", "near_count", clock="bars", **levels),
            "level_known": feature("support_resistance", "resistance_atr", clock="bars", **levels),
            "relative_volume": feature("rvol", "rvol", length=20),
        }

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The side with more signals: confirmed patterns, and rules that fire."""
        has_patterns = inputs.has(*self._pattern_features())
        if not has_patterns and not self.user_rules:
            return HeadOutput.absent(inputs.rows)
        rules, rules_known = rule_signals(self.user_rules, inputs)
        sides, coverage = self._sides(inputs, rules) if has_patterns else _rules_alone(rules)
        if self.user_rules:
            coverage = 0.5 * coverage + 0.5 * rules_known
        flags = {
            f"{name}_{suffix}": fired
            for side, suffix in ((1, "up"), (-1, "down"))
            for name, fired in sides[side].fired.items()
        }
        up, down = sides[1], sides[-1]
        direction = np.sign(up.count - down.count)
        is_up = direction >= 0
        count = np.where(is_up, up.count, down.count)
        total = np.where(is_up, up.confidence, down.confidence)
        full = np.where(is_up, up.full, down.full) >= 2
        mean = total / np.maximum(count, 1.0)
        balance = (up.count - down.count) / np.maximum(up.count + down.count, 1.0)
        flags["full_volume"] = full & (direction != 0)
        flags["user_rule_long"], flags["user_rule_short"] = rules[1].fired, rules[-1].fired
        return HeadOutput.from_votes(
            direction=direction,
            probability=np.where(is_up, up.probability(), down.probability()),
            confidence=np.minimum(HIGHEST, mean + np.where(full, 0.05, 0.0)),
            score=50.0 + 50.0 * balance,
            coverage=coverage,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _sides(
        self, inputs: HeadInputs, rules: Mapping[int, RuleSignals]
    ) -> tuple[Mapping[int, "_Side"], Float1D]:
        """Patterns and rules by side, and the coverage of the patterns."""
        volume = inputs["relative_volume"]
        warm = np.arange(inputs.rows) >= self.warm_up_bars
        known = warm & ~np.isnan(volume) & ~np.isnan(inputs["level_known"])
        chart_known = known & ~np.isnan(inputs["chart_known"])
        at_level = known & (inputs["near_count"] > 0)
        factor = np.where(volume >= self.some_volume, 0.95, 0.85)
        factor = np.where(volume >= self.full_volume, 1.0, factor)
        sides = {
            side: self._patterns(inputs, at_level, factor, side, rules[side]) for side in (1, -1)
        }
        return sides, CANDLE_WEIGHT * known + CHART_WEIGHT * chart_known

    def _patterns(
        self,
        inputs: HeadInputs,
        at_level: np.ndarray,
        factor: Float1D,
        side: int,
        rules: RuleSignals,
    ) -> "_Side":
        suffix = "up" if side > 0 else "down"
        there = at_level & (inputs[f"candles_{suffix}"] > 0)
        candles = np.where(there, inputs[f"candles_{suffix}"], 0.0)
        strength = np.where(there, np.clip(inputs[f"strength_{suffix}"], 0.0, 1.0), 0.0)
        full_bar = (factor == 1.0).astype(np.float64)
        bars = self.candle_validity_bars
        count = _recent_sum(candles, bars)
        confidence = _recent_sum(candles * (0.70 + 0.20 * strength) * factor, bars)
        full = _recent_sum(candles * full_bar, bars)
        fired = {"candle": count > 0}
        for name in CHART_PATTERNS:
            event = (at_level & (inputs[name] == side)).astype(np.float64)
            recent = _recent_sum(event, self.chart_validity_bars)
            fired[name] = recent > 0
            count = count + recent
            confidence = confidence + _recent_sum(event * 0.90 * factor, self.chart_validity_bars)
            full = full + _recent_sum(event * full_bar, self.chart_validity_bars)
        return _Side(count + rules.count, confidence + rules.confidence, full, fired, rules)


@dataclass(frozen=True, slots=True)
class _Side:
    """Signals of one side on each row: how many, their confidences' sum, patterns with full volume.

    ``fired`` are patterns by name; ``rules`` are counted in ``count`` and ``confidence`` already.
    """

    count: Float1D
    confidence: Float1D
    full: Float1D
    fired: Mapping[str, np.ndarray]
    rules: RuleSignals

    def probability(self) -> Float1D:
        """The probability of this side on each row; it means nothing where there is no signal."""
        of_patterns = FIRST_PATTERN + FURTHER_SIGNAL * self.count
        of_rules = self.rules.probability + FURTHER_SIGNAL * (self.count - 1.0)
        surer = self.rules.probability > FIRST_PATTERN + FURTHER_SIGNAL
        alone = self.rules.fired & (self.count == self.rules.count)
        found: Float1D = np.where(surer | alone, of_rules, of_patterns)
        return np.minimum(HIGHEST, found)


def _rules_alone(rules: Mapping[int, RuleSignals]) -> tuple[Mapping[int, _Side], Float1D]:
    """What is said where there are no data for patterns."""
    zeros = np.zeros(len(rules[1].count))
    silent = dict.fromkeys(("candle", *CHART_PATTERNS), zeros > 0)
    sides = {
        side: _Side(fired.count, fired.confidence, zeros, silent, fired)
        for side, fired in rules.items()
    }
    return sides, zeros


def _recent_sum(values: Float1D, bars: int) -> Float1D:
    """Sum of the last ``bars`` rows, row *t* included, added up afresh on each row."""
    total = np.zeros(len(values))
    for age in range(min(bars, len(values))):
        total[age:] += values[: len(values) - age]
    return total
