"""What every number of the rules is checked for."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

import numpy as np

from ..errors import ConfigError

Ranges = Mapping[str, tuple[float, float, bool]]
"""Lowest and highest value of a number, and whether the lowest itself is allowed."""


def check_numbers(section: str, rules: Any, ranges: Ranges) -> None:
    """Refuse what is no number, no whole one where bars or positions are counted, or out of range.

    None is allowed where the field's type says so. Raises ConfigError.
    """
    optional = {item.name for item in fields(rules) if type(None) in get_args(item.type)}
    for name, (low, high, low_allowed) in ranges.items():
        value = getattr(rules, name)
        if value is None and name in optional:
            continue
        if not is_number(value):
            raise ConfigError(f"{section}.{name}={value!r} must be a number")
        inside = low <= value if low_allowed else low < value
        if not (math.isfinite(value) and inside and value <= high):
            bracket = "[" if low_allowed else "("
            raise ConfigError(f"{section}.{name}={value} must lie in {bracket}{low:g}, {high:g}]")
        if name.endswith(("_bars", "max_positions")) and value != int(value):
            raise ConfigError(f"{section}.{name}={value} must be a whole number")


def is_number(value: Any) -> bool:
    """Whether the value is a number and no flag."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def check_tuple(section: str, items: Any) -> tuple[Any, ...]:
    """The items, refused unless they are a tuple: rules do not change. Raises ConfigError."""
    if not isinstance(items, tuple):
        raise ConfigError(f"{section}={items!r} must be a tuple")
    return items


def check_items(section: str, items: Any, kind: type) -> None:
    """Refuse what is no tuple of ``kind``. Raises ConfigError."""
    for index, item in enumerate(check_tuple(section, items)):
        if not isinstance(item, kind):
            raise ConfigError(f"{section}[{index}]={item!r} must be of type {kind.__name__}")


def check_one_of(section: str, rules: Any, *names: str) -> None:
    """Refuse two names of the same level. Raises ConfigError."""
    given = [name for name in names if getattr(rules, name) is not None]
    if len(given) > 1:
        raise ConfigError(
            f"{section}: {given[0]} and {given[1]} are both set; they state the same level, set one"
        )
