"""How detectors, types and states look: short names, lines, what a state does to a zone."""

from typing import Final

from indicators import EventState

HUES: Final = 8
"""Colours that tell detectors apart; the page has one of each for light and for dark."""
DASHES: Final = ("solid", "dash", "longdash", "dashdot", "longdashdot")
"""Lines that tell detections apart; dots always lead back to what an event describes."""

SHORT_NAMES: Final = {
    "pivot_high": "PH",
    "pivot_low": "PL",
    "turn_high": "TH",
    "turn_low": "TL",
    "bos": "BOS",
    "choch": "CHoCH",
    "mss": "MSS",
    "trend_up": "HH HL",
    "trend_down": "LH LL",
    "trend_mixed": "mixed",
    "fair_value_gap": "FVG",
    "balanced_price_range": "BPR",
    "order_block": "OB",
    "swing_pool": "LQ",
    "equal_pool": "EQ",
    "day_pool": "PD",
    "week_pool": "PW",
    "asian_pool": "Asia",
    "london_pool": "London",
    "sweep": "sweep",
    "inducement": "IDM",
    "optimal_trade_entry": "OTE",
    "asian_judas": "Judas",
    "london_judas": "Judas NY",
    "asian_range": "Asia",
    "london_range": "London",
    "double_top": "double top",
    "double_bottom": "double bottom",
    "head_and_shoulders": "H&S",
    "inverse_head_and_shoulders": "inverse H&S",
    "ascending_triangle": "ascending triangle",
    "descending_triangle": "descending triangle",
    "symmetric_triangle": "triangle",
    "level": "S/R",
    "preliminary_support": "PS",
    "selling_climax": "SC",
    "automatic_rally": "AR",
    "secondary_test": "ST",
    "upthrust_action": "UA",
    "undercut": "ST(B)",
    "spring": "Spring",
    "spring_confirmed": "Spring ✓",
    "spring_test": "Test",
    "sign_of_strength": "SOS",
    "jump_across_creek": "JAC",
    "last_point_of_support": "LPS",
    "backup": "BU",
    "markup": "Markup",
    "accumulation_failure": "fails",
    "preliminary_supply": "PSY",
    "buying_climax": "BC",
    "automatic_reaction": "AR",
    "secondary_test_of_supply": "ST",
    "upthrust": "UT",
    "minor_sign_of_weakness": "mSOW",
    "upthrust_after_distribution": "UTAD",
    "upthrust_confirmed": "UTAD ✓",
    "upthrust_test": "Test",
    "sign_of_weakness": "SOW",
    "fall_through_ice": "FTI",
    "last_point_of_supply": "LPSY",
    "backup_to_ice": "BU",
    "markdown": "Markdown",
    "distribution_failure": "fails",
    "reaccumulation": "re-accumulation",
    "rising_wave": "wave +",
    "falling_wave": "wave -",
    "gartley": "Gartley",
    "alternate_bat": "Alt Bat",
    "abcd": "AB=CD",
    "five_zero": "5-0",
}
"""What is written beside an event where its own name is long: the field's abbreviations."""

_SPELT_ONE_WAY: Final = frozenset({"gartley", "abcd", "five_zero"})
_WHOLE_NAMES: Final = {
    "bos": "break of structure",
    "choch": "change of character",
    "mss": "market structure shift",
}

FRESH, TOUCHED, SPENT, FLIPPED = "fresh", "touched", "spent", "flipped"
LOOKS: Final = (FRESH, TOUCHED, SPENT, FLIPPED)
"""How a zone is drawn: as it became known, after a visit, when used up, for the other side."""
_SPENT_STATES: Final = frozenset({"filled", "consumed", "suspended", "swept", "failed", "broken"})
_KEEPING_STATES: Final = frozenset({"confirmed"})

ALWAYS_NAMED: Final = frozenset(
    {"structure", "wyckoff", "wyckoff_range", "chart_pattern", "harmonic", "harmonic_pivot"}
)
"""Detectors whose events are named beside them however many there are."""
OFF_THE_BAR: Final = frozenset({"wyckoff", "market_trend", "weis_wave", "effort_result"})
"""Detectors whose events stand above or under their bar, for they are about the bar, not a price."""
HUE_BY_TYPE: Final = frozenset({"harmonic", "harmonic_pivot", "chart_pattern"})
"""Detectors whose types are figures of their own, each in its colour."""
LARGE: Final = frozenset({"wyckoff_range", "session"})
"""Detectors whose zones hold many bars, so that they are filled faintly."""
ONLY_AT_THE_END: Final = frozenset({"support_resistance"})
"""Detectors whose events tell one row each; drawn are those that stand at the window's end."""
HIDDEN_AT_FIRST: Final = frozenset(
    {"pivot", "directional_change", "market_trend", "session", "weis_wave"}
)
"""Detectors that others build on; shown when they are asked for, unless there is nothing else."""


def short_name(type_name: str) -> str:
    """What is written beside an event of this type."""
    return SHORT_NAMES.get(type_name, words(type_name))


def legend_name(type_name: str) -> str:
    """What the legend calls a type: its whole name, with the short one that stands on the picture."""
    short, whole = short_name(type_name), whole_name(type_name)
    return whole if short == whole else f"{whole} ({short})"


def whole_name(type_name: str) -> str:
    """A type's name as words, unless it is always written another way."""
    if type_name in _SPELT_ONE_WAY:
        return SHORT_NAMES[type_name]
    return _WHOLE_NAMES.get(type_name, words(type_name))


def words(name: str) -> str:
    """An identifier as words."""
    return name.replace("_", " ")


def look_after(look: str, state: EventState) -> str:
    """How a zone that looked like ``look`` is drawn from this state on."""
    if state.sign < 0 or look == FLIPPED:
        return FLIPPED
    if state.name in _SPENT_STATES or look == SPENT:
        return SPENT
    if state.name in _KEEPING_STATES or phase_of(state):
        return look
    return TOUCHED


def phase_of(state: EventState) -> str:
    """The letter of a phase, where the state is one: a phase is a stretch of a zone, not its use."""
    prefix, _, letter = state.name.partition("_")
    return letter.upper() if prefix == "phase" else ""
