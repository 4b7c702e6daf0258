"""Names that exchanges have for the length of a bar."""

from collections.abc import Mapping
from typing import Any

from engine import ConfigError


def interval_name(client: Any, step: str) -> str:
    """What the exchange calls a bar of ``step``; ConfigError listing its steps when it has none."""
    names = client.timeframes or {}
    if step not in names:
        raise ConfigError(
            f"{client.id}: has no bars of {step}; it has {', '.join(map(str, names))}"
        )
    return str(names[step])


def metric_step(client: Any, step: str, names: Mapping[str, str]) -> str:
    """What the exchange calls metrics every ``step``; ConfigError listing ``names`` for another."""
    if step not in names:
        raise ConfigError(f"{client.id}: has no metrics every {step}; it has {', '.join(names)}")
    return names[step]
