"""Checking what holds of every replay."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings

from . import replay_cases, seeded_case
from .case import ReplayCase
from .rules import THEMES

EXAMPLES = 15
"""Of each theme, beside the seeded cases."""


def holds_always(check: Callable[[ReplayCase], None], seeds: range = range(150)) -> None:
    """Run ``check`` on the seeded cases, and on cases of every theme that Hypothesis chooses."""
    for seed in seeds:
        try:
            check(seeded_case(seed))
        except AssertionError as error:
            error.add_note(f"seeded_case({seed})")
            raise
    for theme in THEMES:
        chosen = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
        chosen(given(replay_cases(theme))(check))()
