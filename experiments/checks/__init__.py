"""Checks that cannot be argued with: look-ahead, warm-up, vacuity, and inputs that matter.

Each check takes arrays or markets and answers with rows of a :class:`CheckReport`; ``docs/checks.md``
says what each one sees, what it cannot see, and which leaked twin shows that it bites.
"""

from .lookahead import CheckSize, check_lookahead, check_own_indicators, run_checks
from .report import CheckReport, CheckRow
from .suite import Suite

__all__ = [
    "CheckReport",
    "CheckRow",
    "CheckSize",
    "Suite",
    "check_lookahead",
    "check_own_indicators",
    "run_checks",
]
